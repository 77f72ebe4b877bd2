#include "lent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* As much as it takes now; -1: never. */
static ssize_t send_now(int fd, const char *bytes, size_t length)
{
    ssize_t sent;

    do
        sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : sent;
}

static bool keep(struct lent *lent, const char *bytes, size_t length)
{
    char *grown = realloc(lent->unsent, lent->unsent_length + length);

    if (!grown)
        return false;
    memcpy(grown + lent->unsent_length, bytes, length);
    lent->unsent = grown;
    lent->unsent_length += length;
    return true;
}

bool lent_send(struct lent *lent, const char *bytes, size_t length)
{
    ssize_t sent = lent->unsent ? 0 : send_now(lent->fd, bytes, length);

    if (sent < 0)
        return false;
    return (size_t)sent == length || keep(lent, bytes + sent, length - (size_t)sent);
}

static bool flush(struct lent *lent)
{
    struct pollfd ready = {.fd = lent->fd, .events = POLLOUT};
    size_t at = 0;

    while (at < lent->unsent_length) {
        ssize_t sent = send_now(lent->fd, lent->unsent + at, lent->unsent_length - at);
        if (sent < 0)
            return false;
        at += (size_t)sent;
        if (sent == 0 && poll(&ready, 1, -1) < 0 && errno != EINTR)
            return false;
    }
    return true;
}

bool lent_flush(struct lent *lent)
{
    bool sent = flush(lent);

    free(lent->unsent);
    lent->unsent = NULL;
    lent->unsent_length = 0;
    return sent;
}
