#include "tap.h"

#include "guard.h"
#include "reactor.h"
#include "store/clock.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define READ_MAX ((size_t)16 << 10)
#define KEPT_MAX (TAP_HEAD_MAX + READ_MAX)
#define LOOK_MS 200 /* how often one that waits looks whether it is to stop */

static _Thread_local struct {
    bool serves, open, inside;
    int head_ms;
    const atomic_bool *stopping;
    int fd; /* the connection; -1: not known */
    enum tap_head head;
    size_t length; /* of the head, which is at the front of bytes */
    size_t line;   /* where its last line begins */
    char *bytes;
    size_t at, end; /* what was received behind it, and not read yet */
    size_t
        used; /* how far something was written into it; behind it are zeros, or nothing */
    bool whole; /* nothing had to be received since */
    int taken;  /* the connection that lives on when civetweb closes this; or -1 */
    struct reactor_seat *seats[TAP_SEATS];
    struct reactor_seat *seat; /* where the connection may be lent, */
    struct guarded *guarded;   /* as which, */
    int64_t lent_at;           /* since when */
    int before;                /* as tap_lend was told of the last request; -1: none */
    bool ended;                /* nothing more is to be read of it */
} tap = {.fd = -1, .taken = -1, .before = -1};

static ssize_t (*system_recv)(int, void *, size_t, int);
static int (*system_poll)(struct pollfd *, nfds_t, int);
static int (*system_shutdown)(int, int);
static pthread_once_t looked = PTHREAD_ONCE_INIT;

static void look(void)
{
    *(void **)&system_recv = dlsym(RTLD_NEXT, "recv");
    *(void **)&system_poll = dlsym(RTLD_NEXT, "poll");
    *(void **)&system_shutdown = dlsym(RTLD_NEXT, "shutdown");
}

static void received(size_t count)
{
    tap.end += count;
    if (tap.end > tap.used)
        tap.used = tap.end;
}

/* What was read would outlive an erasure, for as long as the connection idles. */
static void wipe(void)
{
    size_t read = tap.at < tap.end ? tap.at : tap.end;

    if (tap.used == 0)
        return;
    explicit_bzero(tap.bytes, read);
    explicit_bzero(tap.bytes + tap.end, tap.used - tap.end);
    tap.used = read < tap.end ? tap.end : 0;
}

static void forget(void)
{
    tap.at = tap.end;
    wipe();
    tap.fd = -1;
    tap.head = TAP_NONE;
    tap.length = tap.at = tap.end = 0;
    tap.seat = NULL;
    tap.ended = false;
}

void tap_start(int head_ms, const atomic_bool *stopping,
               struct reactor_seat *const seats[TAP_SEATS])
{
    forget();
    memcpy(tap.seats, seats, sizeof tap.seats);
    tap.head_ms = head_ms;
    tap.stopping = stopping;
    tap.serves = true;
}

void tap_finish(void)
{
    for (size_t i = 0; i < TAP_SEATS; i++)
        reactor_part(tap.seats[i]);
    memset(tap.seats, 0, sizeof tap.seats);
    free(tap.bytes);
    tap.bytes = NULL;
    tap.used = 0;
    tap.serves = tap.open = false;
    forget();
}

void tap_open(void)
{
    forget();
    tap.taken = tap.before = -1;
    tap.open = true;
}

void tap_close(void)
{
    forget();
    tap.open = false;
}

void tap_inside(bool inside)
{
    tap.inside = inside;
    if (inside)
        return;
    tap.head = TAP_NONE;
    wipe();
}

enum tap_head tap_head(char **text, size_t *length)
{
    *text = tap.bytes;
    *length = tap.length;
    return tap.serves ? tap.head : TAP_NONE;
}

/* 1: there is something to read; 0: not in time; -1: never. */
static int wait_for_bytes(int ms)
{
    struct pollfd ready = {.fd = tap.fd, .events = POLLIN};
    int polled;

    do
        polled = system_poll(&ready, 1, ms);
    while (polled < 0 && errno == EINTR);
    return polled;
}

static ssize_t receive_now(char *out, size_t size)
{
    ssize_t got;

    do
        got = system_recv(tap.fd, out, size, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got;
}

/* More of a head. Most come whole, and then nobody waits. */
static enum tap_head receive_more(int64_t deadline)
{
    for (;;) {
        ssize_t got = receive_now(tap.bytes + tap.end, KEPT_MAX - tap.end);
        int64_t left = deadline - dbk_clock_ms();
        if (got > 0) {
            received((size_t)got);
            return TAP_WHOLE;
        }
        if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            return TAP_CUT;
        if (left <= 0 || wait_for_bytes(left < LOOK_MS ? (int)left : LOOK_MS) < 0 ||
            atomic_load(tap.stopping))
            return TAP_LATE;
    }
}

static bool belongs(unsigned char byte, char before)
{
    if (byte == '\n' || before == '\r')
        return byte == '\n' && before == '\r';
    return byte == '\r' || byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

/* Look on at what has arrived. False: the head goes on behind it. */
static bool find_end(void)
{
    for (; tap.at < tap.end && tap.at < TAP_HEAD_MAX; tap.at++) {
        char before = tap.at > 0 ? tap.bytes[tap.at - 1] : '\0';
        if (!belongs((unsigned char)tap.bytes[tap.at], before)) {
            tap.head = TAP_BROKEN;
            return true;
        }
        if (tap.bytes[tap.at] != '\n')
            continue;
        if (tap.at - tap.line == 1) {
            tap.at++;
            tap.head = TAP_WHOLE;
            return true;
        }
        tap.line = tap.at + 1;
    }
    if (tap.at == TAP_HEAD_MAX)
        tap.head = TAP_TOO_LONG;
    return tap.at == TAP_HEAD_MAX;
}

/* Empty lines before a request are skipped: old clients send one behind a body. Source:
 * RFC 9112, section 2.2. */
static void skip_empty_lines(void)
{
    size_t skipped = 0;

    while (tap.end - skipped >= 2 && memcmp(tap.bytes + skipped, "\r\n", 2) == 0)
        skipped += 2;
    if (skipped > 0)
        memmove(tap.bytes, tap.bytes + skipped, tap.end - skipped);
    tap.end -= skipped;
}

/* Read a head to its end, or as far as it goes. False: nothing came but the end. */
static bool read_head(void)
{
    int64_t deadline = dbk_clock_ms() + tap.head_ms;
    enum tap_head more = TAP_WHOLE;

    if (tap.end > tap.at)
        memmove(tap.bytes, tap.bytes + tap.at, tap.end - tap.at);
    tap.end -= tap.at;
    tap.at = tap.line = tap.length = 0;
    tap.head = TAP_NONE;
    while (more == TAP_WHOLE && tap.head == TAP_NONE) {
        if (tap.at <= 1) {
            tap.at = 0;
            skip_empty_lines();
        }
        if (!find_end())
            more = receive_more(deadline);
    }
    if (tap.head == TAP_NONE)
        tap.head = more;
    tap.length = tap.at;
    tap.whole = true;
    return tap.end > 0;
}

char *tap_memory(void)
{
    return malloc(KEPT_MAX);
}

/* civetweb asks for a head: whatever it is, this is what it gets to see. */
static ssize_t give_head(int fd, char *out, size_t size)
{
    static const char shown[] = "GET / HTTP/1.1\r\n\r\n";

    if (!tap.bytes)
        tap.bytes = tap_memory();
    if (!tap.bytes || size < sizeof shown - 1) {
        errno = ENOMEM;
        return -1;
    }
    tap.fd = fd;
    tap.seat = NULL;
    if (tap.ended || !read_head())
        return 0;
    memcpy(out, shown, sizeof shown - 1);
    return sizeof shown - 1;
}

void tap_lend(struct guarded *guarded, enum tap_lent_to to)
{
    bool turns = tap.before >= 0 && tap.before != (int)to;

    tap.before = (int)to;
    if (turns || to == TAP_SEATS)
        return;
    tap.seat = tap.seats[to];
    tap.guarded = guarded;
    tap.lent_at = dbk_clock_tick_ms();
}

static void forget_lent(void)
{
    tap.at = tap.end;
    wipe();
    tap.head = TAP_NONE;
    tap.length = tap.at = tap.end = 0;
    tap.inside = false;
}

/* Its own head is behind this thread, so there is room for another's. */
enum tap_lent tap_lent_with_body(struct reactor_seat *seat, size_t *body)
{
    ssize_t got;

    assert(tap.serves && !tap.inside && tap.at == tap.end);
    do
        got = system_recv(seat->lent.fd, tap.bytes, READ_MAX, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return TAP_LENT_NOTHING;
    tap.at = tap.line = tap.length = tap.end = 0;
    received(got > 0 ? (size_t)got : 0);
    tap.head = TAP_NONE;
    if (got > 0 && (size_t)got < READ_MAX && find_end() && tap.head == TAP_WHOLE) {
        tap.length = tap.at;
        *body = tap.end - tap.at;
        tap.inside = tap.whole = true;
        return TAP_LENT_WHOLE;
    }
    tap_lent_leave(seat);
    return TAP_LENT_LEFT;
}

enum tap_lent tap_lent(struct reactor_seat *seat)
{
    size_t body = 0;
    enum tap_lent what = tap_lent_with_body(seat, &body);

    if (body == 0)
        return what;
    tap_lent_leave(seat);
    return TAP_LENT_LEFT;
}

char *tap_lent_keep(char *memory)
{
    char *kept = tap.bytes;

    assert(tap.inside && memory);
    tap.bytes = memory;
    tap.used = tap.end = 0; /* what is kept is the caller's to wipe */
    forget_lent();
    return kept;
}

void tap_lent_end(void)
{
    forget_lent();
}

void tap_lent_again(const char *head, size_t length)
{
    assert(!tap.inside && length <= READ_MAX);
    memcpy(tap.bytes, head, length);
    tap.length = tap.at = length;
    tap.end = 0;
    received(length);
    tap.head = TAP_WHOLE;
    tap.inside = true;
}

void tap_lent_leave(struct reactor_seat *seat)
{
    seat->received = tap.end > 0 ? malloc(tap.end) : NULL;
    seat->received_length = tap.end;
    if (seat->received)
        memcpy(seat->received, tap.bytes, tap.end);
    else
        seat->lent.end = tap.end > 0; /* no memory: a part of it is lost */
    forget_lent();
}

/* While it is lent. As poll. */
static int wait_lent(struct pollfd *one, int ms)
{
    struct reactor_seat *seat = tap.seat;
    bool called;

    seat->lent =
        (struct lent){.fd = tap.fd, .guarded = tap.guarded, .since = tap.lent_at};
    called = reactor_wait(seat, ms);
    if (!called) {
        one->revents = 0;
        return 0;
    }
    tap.seat = NULL;
    tap_inside(true); /* what is read and waited for until then is no request */
    if (seat->lent.unsent) {
        tap.ended = !lent_flush(&seat->lent);
        guarded_idle(tap.guarded);
    }
    if (seat->lent.linger_ms > 0 && !tap.ended)
        guarded_linger(tap.guarded, seat->lent.linger_ms);
    tap_inside(false);
    tap.ended = tap.ended || seat->lent.end;
    tap.at = tap.end = 0;
    received(seat->received ? seat->received_length : 0);
    if (seat->received)
        memcpy(tap.bytes, seat->received, tap.end);
    free(seat->received);
    seat->received = NULL;
    one->revents = POLLIN;
    return tap.end > 0 || tap.ended ? 1 : system_poll(one, 1, ms);
}

static ssize_t take(char *out, size_t size)
{
    size_t count = tap.end - tap.at < size ? tap.end - tap.at : size;

    memcpy(out, tap.bytes + tap.at, count);
    tap.at += count;
    return (ssize_t)count;
}

ssize_t tap_read(char *out, size_t size, int ms)
{
    int ready;
    ssize_t got;

    assert(tap.inside && tap.head == TAP_WHOLE);
    if (tap.at < tap.end)
        return take(out, size);
    tap.whole = false;
    ready = wait_for_bytes(ms);
    if (ready <= 0)
        return ready;
    if (size >= READ_MAX) {
        got = receive_now(out, size);
        return got > 0 ? got : -1;
    }
    tap.at = tap.end = tap.length;
    got = receive_now(tap.bytes + tap.end, KEPT_MAX - tap.end);
    if (got <= 0)
        return -1;
    received((size_t)got);
    return take(out, size);
}

bool tap_came_whole(void)
{
    return tap.whole;
}

/* civetweb shuts a connection down before it closes it, which would end it for whoever has
 * another descriptor of it, too. */
int tap_take_over(void)
{
    int fd;

    assert(tap.inside && tap.fd >= 0);
    fd = fcntl(tap.fd, F_DUPFD_CLOEXEC, tap.fd + 1);
    if (fd >= 0)
        tap.taken = tap.fd;
    return fd;
}

/* civetweb's calls come here, for the program's own symbols go before the C library's. So
 * do those of libpq, while a request is answered. */
ssize_t tap_recv(int fd, void *out, size_t size, int flags) __asm__("recv")
    __attribute__((visibility("default")));
int tap_poll(struct pollfd *list, nfds_t count, int ms) __asm__("poll")
    __attribute__((visibility("default")));
int tap_shutdown(int fd, int how) __asm__("shutdown")
    __attribute__((visibility("default")));

ssize_t tap_recv(int fd, void *out, size_t size, int flags)
{
    pthread_once(&looked, look);
    return tap.serves && tap.open && !tap.inside ? give_head(fd, out, size)
                                                 : system_recv(fd, out, size, flags);
}

/* What is kept of the next head has arrived, though the system knows it no more. */
int tap_poll(struct pollfd *list, nfds_t count, int ms)
{
    bool ours = false;

    pthread_once(&looked, look);
    if (tap.serves && tap.open && !tap.inside && tap.at < tap.end) {
        for (nfds_t i = 0; i < count; i++) {
            list[i].revents = 0;
            if (list[i].fd != tap.fd || !(list[i].events & POLLIN))
                continue;
            list[i].revents = POLLIN;
            ours = true;
        }
    }
    if (ours)
        return 1;
    if (tap.serves && tap.seat && !tap.inside && count == 1 && list->fd == tap.fd &&
        (list->events & POLLIN) && ms > 0)
        return wait_lent(list, ms);
    return system_poll(list, count, ms);
}

int tap_shutdown(int fd, int how)
{
    pthread_once(&looked, look);
    return tap.serves && fd == tap.taken ? 0 : system_shutdown(fd, how);
}
