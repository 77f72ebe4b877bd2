#include "tap.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define KEPT_MAX ((size_t)16 << 10) /* civetweb asks for no more at a time */

static _Thread_local struct {
    bool serves, inside;
    bool polls;   /* poll was called for what is received next, and came here */
    bool at_body; /* the last head was given without what follows it */
    bool unclear; /* in what was read for it a CR or an LF stood without the other */
    char before;  /* the last byte that was looked at */
    int fd;       /* the connection; -1: not known */
    unsigned matched; /* how much of CR LF CR LF the head read so far ends with */
    const char *fed;
    char *kept; /* kept[at] to kept[end] */
    size_t at, end;
} tap = {.fd = -1};

static ssize_t (*system_recv)(int, void *, size_t, int);
static int (*system_poll)(struct pollfd *, nfds_t, int);
static pthread_once_t looked = PTHREAD_ONCE_INIT;

static void look(void)
{
    *(void **)&system_recv = dlsym(RTLD_NEXT, "recv");
    *(void **)&system_poll = dlsym(RTLD_NEXT, "poll");
}

void tap_start(void)
{
    tap.serves = true;
    tap_clear();
}

void tap_finish(void)
{
    free(tap.kept);
    tap.kept = NULL;
    tap.serves = false;
    tap_clear();
}

void tap_clear(void)
{
    tap.fd = -1;
    tap.at_body = tap.polls = tap.unclear = false;
    tap.before = '\0';
    tap.fed = NULL;
    tap.matched = 0;
    tap.at = tap.end = 0;
}

void tap_inside(bool inside)
{
    tap.inside = inside;
    if (!inside)
        tap.at_body = false;
}

bool tap_is_unclear(void)
{
    return tap.serves && tap.unclear;
}

bool tap_is_at_body(void)
{
    return tap.serves && tap.at_body;
}

void tap_feed(const char *text)
{
    tap.fed = text;
}

/* How many of these bytes belong to the head, up to and with the empty line. */
static size_t head_length(const char *bytes, size_t count, bool *ends)
{
    static const char end[] = "\r\n\r\n";

    *ends = false;
    for (size_t i = 0; i < count; i++) {
        if ((bytes[i] == '\n') != (tap.before == '\r'))
            tap.unclear = true;
        tap.before = bytes[i];
        if (bytes[i] == end[tap.matched])
            tap.matched++;
        else
            tap.matched = bytes[i] == '\r';
        if (tap.matched < sizeof end - 1)
            continue;
        tap.matched = 0;
        *ends = true;
        return i + 1;
    }
    return count;
}

static size_t take(char *out, size_t size)
{
    size_t count = tap.end - tap.at < size ? tap.end - tap.at : size;

    memcpy(out, tap.kept + tap.at, count);
    tap.at += count;
    return count;
}

/* Keep what stands behind a head. Without memory all of it is civetweb's, as ever. */
static size_t cut(char *bytes, size_t count, bool kept)
{
    bool ends;
    size_t head = head_length(bytes, count, &ends), rest = count - head;

    tap.at_body = ends;
    if (kept) { /* they are kept already */
        tap.at -= rest;
        return head;
    }
    if (rest == 0)
        return head;
    if (!tap.kept)
        tap.kept = malloc(KEPT_MAX);
    if (!tap.kept || rest > KEPT_MAX) {
        tap.at_body = false;
        return count;
    }
    memcpy(tap.kept, bytes + head, rest);
    tap.at = 0;
    tap.end = rest;
    return head;
}

static ssize_t give_fed(char *out, size_t size)
{
    size_t count = strlen(tap.fed) < size ? strlen(tap.fed) : size;

    memcpy(out, tap.fed, count);
    tap.fed += count;
    if (!*tap.fed)
        tap.fed = NULL;
    return (ssize_t)count;
}

static ssize_t receive(int fd, char *out, size_t size, int flags)
{
    ssize_t got;

    if (fd == tap.fd && tap.fed)
        return give_fed(out, size);
    if (fd == tap.fd && tap.at < tap.end) {
        size_t count = take(out, size);
        return (ssize_t)(tap.inside ? count : cut(out, count, true));
    }
    got = system_recv(fd, out, size, flags);
    /* What is kept would be waited for in vain where only one of the two comes here. */
    if (got <= 0 || tap.inside || !tap.polls)
        return got;
    tap.polls = false;
    tap.fd = fd;
    return (ssize_t)cut(out, (size_t)got, false);
}

ssize_t tap_read(char *out, size_t size, int ms)
{
    struct pollfd ready = {.fd = tap.fd, .events = POLLIN};
    ssize_t got;
    int polled;

    assert(tap_is_at_body());
    if (tap.at < tap.end)
        return (ssize_t)take(out, size);
    if (!tap.kept)
        tap.kept = malloc(KEPT_MAX);
    if (!tap.kept)
        return -1;
    do
        polled = system_poll(&ready, 1, ms);
    while (polled < 0 && errno == EINTR);
    if (polled <= 0)
        return polled;
    got = system_recv(tap.fd, tap.kept, KEPT_MAX, 0);
    if (got <= 0)
        return -1;
    tap.at = 0;
    tap.end = (size_t)got;
    return (ssize_t)take(out, size);
}

/* civetweb's calls come here, for the program's own symbols go before the C library's. */
ssize_t tap_recv(int fd, void *out, size_t size, int flags) __asm__("recv")
    __attribute__((visibility("default")));
int tap_poll(struct pollfd *list, nfds_t count, int ms) __asm__("poll")
    __attribute__((visibility("default")));

ssize_t tap_recv(int fd, void *out, size_t size, int flags)
{
    pthread_once(&looked, look);
    return tap.serves ? receive(fd, out, size, flags)
                      : system_recv(fd, out, size, flags);
}

int tap_poll(struct pollfd *list, nfds_t count, int ms)
{
    bool ours = false;

    pthread_once(&looked, look);
    for (nfds_t i = 0; tap.serves && i < count; i++) {
        list[i].revents = 0;
        if (list[i].fd != tap.fd || !(list[i].events & POLLIN) ||
            (!tap.fed && tap.at == tap.end))
            continue;
        list[i].revents = POLLIN;
        ours = true;
    }
    tap.polls = !tap.inside;
    return ours ? 1 : system_poll(list, count, ms);
}
