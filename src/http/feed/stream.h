/* stream.h - one connection that the feed has taken over: a stream, or a long poll that
 * waits for its answer.
 *
 * It buffers nothing that has not been begun: what it lacks is taken from the ring or from
 * the log when its socket has room. What the socket did not take of a block, or of a piece of
 * the log, waits in `out`. Used by the feed's thread, once it has it. */
#ifndef DBK_HTTP_STREAM_H
#define DBK_HTTP_STREAM_H

#include "access_line.h"
#include "filter.h"
#include "http/tokens.h"
#include "log_page.h"
#include "sse.h"
#include "store/render.h"

#include <stdatomic.h>
#include <sys/uio.h>

/* What takes less than CLIENT_SLOWEST for so long, while there is something for it, is too
 * slow. */
#define STREAM_SLOW_MS 10000

enum stream_state {
    STREAM_OPEN,
    STREAM_ENDING, /* what is in `out` is the last of it */
    STREAM_GONE,   /* the client is, or all has been sent */
};

/* What a long poll's answer is made of; else all zero. */
struct stream_poll {
    bool waits; /* it is one */
    uint64_t limit;
    int64_t until; /* of clock.h */
    enum log_form form;
    bool zone;
    struct dbk_render head; /* all but its last lines and the empty one */
    struct dbk_render link; /* of the next page, up to its number */
    bool links;             /* also where this one has the last record, or none */
};

struct stream {
    struct stream *next_of_all, **link_of_all; /* the feed's, as what follows */
    struct stream *next_come, *next_in_bucket;
    unsigned places;     /* of its address, in the newest of that, as counted last */
    uint32_t address;    /* whose place it has (client_address.h) */
    atomic_bool crowded; /* it must leave for another address */

    int fd;
    bool bears; /* it was let in by a token, whose hash this is */
    unsigned char hash[DBK_TOKEN_HASH];
    bool shows_all; /* of persons who are restricted, too (withheld.h) */
    struct filter filter;
    enum form form;
    struct stream_poll poll;
    struct access_later *access; /* how it went is told when it has ended; or NULL */

    enum stream_state state;
    uint64_t at;          /* the last record that was looked at for it */
    bool live;            /* it takes from the ring */
    bool blocked;         /* its socket took no more */
    int64_t stuck_since;  /* there has been something for it all the time; 0: no */
    size_t stuck_sent;    /* since then */
    int64_t heartbeat_at; /* when the next is due */
    int64_t end_by;       /* ENDING: it is cut off then */
    const char *reason;   /* why it was ended, or "" */
    uint64_t sent;
    size_t out_at;
    struct dbk_render out; /* what is behind out_at is to be sent before all else */
};

/* NULL: out of memory. fd is -1. */
struct stream *stream_create(void);
/* Closes the socket, too. NULL is fine. */
void stream_destroy(struct stream *stream);

/* It is a stream, no poll, and was not ended. */
bool stream_is_open(const struct stream *stream);
/* And may be given more. */
bool stream_takes_more(const struct stream *stream);

/* How the socket is to be. */
void stream_prepare(struct stream *stream);

/* Send what is in `out`, as far as the socket takes it. True: nothing is left, and it is
 * there still. */
bool stream_flush(struct stream *stream);

/* Send blocks that are not ours to keep; what is left of the last that was begun is kept in
 * `out`. Returns how many of them are sent or begun. */
size_t stream_put(struct stream *stream, const struct iovec *blocks, size_t count);

/* End it, once and with a last event that says why: what is pending is dropped but for the
 * block that was begun. Of a poll nothing is told. What has not been taken by `by` is cut
 * off. */
void stream_end(struct stream *stream, const char *reason, const char *details,
                int64_t by);

/* Whether it takes too little to be kept. */
bool stream_is_slow(struct stream *stream, int64_t now);

#endif
