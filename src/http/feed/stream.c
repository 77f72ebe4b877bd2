#include "stream.h"

#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SEND_BUFFER = 256 << 10, /* the system's, for each; it would take megabytes */
    DEAD_MS = 60000,         /* how long a client may not even acknowledge */
    KEPT_MAX = 4096,         /* of a buffer that has been sent */
    DROPPED_MAX = 256 << 10, /* bytes a client sent that nobody asked for */
};

struct stream *stream_create(void)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return NULL;
    stream->fd = -1;
    stream->reason = "";
    return stream;
}

/* To close a socket over bytes that were not read resets it, and what was sent last may be
 * lost with it. */
static void drop_received(int fd)
{
    char dropped[4096];
    ssize_t got = 1;

    for (size_t all = 0; all < DROPPED_MAX && got > 0; all += (size_t)got)
        got = recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
}

void stream_destroy(struct stream *stream)
{
    if (!stream)
        return;
    if (stream->fd >= 0) {
        shutdown(stream->fd, SHUT_WR);
        drop_received(stream->fd);
        close(stream->fd);
    }
    filter_finish(&stream->filter);
    dbk_render_finish(&stream->out);
    dbk_render_finish(&stream->poll.head);
    dbk_render_finish(&stream->poll.link);
    access_later_drop(stream->access);
    free(stream);
}

bool stream_is_open(const struct stream *stream)
{
    return stream->state == STREAM_OPEN && !stream->poll.waits;
}

bool stream_takes_more(const struct stream *stream)
{
    return stream_is_open(stream) && !stream->blocked &&
           stream->out_at == stream->out.length;
}

void stream_prepare(struct stream *stream)
{
    setsockopt(stream->fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BUFFER}, sizeof(int));
    setsockopt(stream->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){DEAD_MS},
               sizeof(unsigned));
}

/* Returns how many bytes were taken. */
static size_t take(struct stream *stream, const struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = count};
    ssize_t sent;

    do
        sent = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
        stream->state = STREAM_GONE;
    if (sent < 0)
        stream->blocked = true;
    if (sent <= 0)
        return 0;
    stream->sent += (uint64_t)sent;
    stream->stuck_sent += (size_t)sent;
    return (size_t)sent;
}

bool stream_flush(struct stream *stream)
{
    while (stream->state != STREAM_GONE && stream->out_at < stream->out.length &&
           !stream->blocked) {
        const struct iovec rest = {stream->out.text + stream->out_at,
                                   stream->out.length - stream->out_at};
        stream->out_at += take(stream, &rest, 1);
    }
    if (stream->state == STREAM_GONE || stream->out_at < stream->out.length)
        return false;
    stream->out_at = 0;
    dbk_render_trim(&stream->out, KEPT_MAX);
    if (stream->state == STREAM_ENDING)
        stream->state = STREAM_GONE;
    return stream->state == STREAM_OPEN;
}

size_t stream_put(struct stream *stream, const struct iovec *blocks, size_t count)
{
    size_t taken, i = 0;

    assert(stream->out_at == 0 && stream->out.length == 0);
    taken = take(stream, blocks, count);
    for (; i < count && taken >= blocks[i].iov_len; i++)
        taken -= blocks[i].iov_len;
    if (i == count)
        return count;
    if (taken > 0) {
        const char *bytes = blocks[i].iov_base;
        dbk_render_raw(&stream->out, bytes + taken, blocks[i].iov_len - taken);
        i++;
    }
    if (dbk_render_code(&stream->out) != DBK_OK)
        stream->state = STREAM_GONE; /* a torn block is no block */
    stream->blocked = true;
    return i;
}

void stream_end(struct stream *stream, const char *reason, const char *details,
                int64_t by)
{
    size_t pending = stream->out.length - stream->out_at;

    if (stream->state != STREAM_OPEN)
        return;
    stream->state = STREAM_ENDING;
    stream->end_by = by;
    stream->reason = reason;
    if (!stream->poll.waits) {
        if (pending > 0)
            stream->out.length =
                stream->out_at +
                sse_block_rest(stream->out.text + stream->out_at, pending);
        sse_end(&stream->out, reason, details);
    }
    stream_flush(stream);
}

bool stream_is_slow(struct stream *stream, int64_t now)
{
    if (!stream->blocked && stream->out_at == stream->out.length) {
        stream->stuck_since = 0;
        return false;
    }
    if (stream->stuck_since == 0 || now - stream->stuck_since >= STREAM_SLOW_MS) {
        bool slow = stream->stuck_since != 0 &&
                    stream->stuck_sent < (size_t)CLIENT_SLOWEST * STREAM_SLOW_MS;
        stream->stuck_since = now;
        stream->stuck_sent = 0;
        return slow;
    }
    return false;
}
