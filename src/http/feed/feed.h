/* feed.h - streams of the log, and long polls: connections that wait for records, all of
 * them in one thread, dbk-streams.
 *
 * A worker reads the request and authorizes it, takes a place, and hands the connection
 * over; its thread then is free for requests. The feed's thread reads the log for all: a ring
 * (ring.h) has the latest records, each rendered once, and moves on as fast as the fastest
 * stream takes them. Whoever begins further back reads the log itself, a piece in turn with
 * the others, until it meets the ring. No read transaction is open while anybody waits.
 */
#ifndef DBK_HTTP_FEED_H
#define DBK_HTTP_FEED_H

#include "access.h"
#include "parked.h"
#include "request.h"
#include "response.h"
#include "store/log.h"
#include "stream.h"

#define FEED_RING_BYTES (8u << 20)
#define FEED_HEARTBEAT_MS 15000
#define FEED_WAIT_MAX_S 60 /* of a long poll */

/* How many connections there may be, each of which is a file: as many again as have a place
 * may be leaving, for a client may take its time to take the last event. */
#define FEED_CONNECTIONS_MAX(streams_max) (2 * (streams_max))

struct feed; /* safe to share between threads */

struct feed_options {
    struct dbk_log *log; /* what is given outlives the feed */
    struct access *access;
    struct parked *parked;
    unsigned streams_max;
    unsigned address_max; /* of one address, where others want a place; 0: any */
};

/* DBK_NO_MEMORY, DBK_IO. *feed is NULL then. */
enum dbk_code feed_create(const struct feed_options *options, struct feed **feed,
                          struct dbk_error *err);
/* End all that there are, with a last event, within a moment; and take none any more. */
void feed_stop(struct feed *feed);
void feed_destroy(struct feed *feed); /* stopped; NULL is fine, here and above */

/* Take a place for the connection of this request, with its head sent, and let it go on: the
 * stream is the feed's from here on, and rs is sent. The head is what rs says, with the status
 * 200. Where it fails the stream is the caller's still.
 *
 * DBK_UNAVAILABLE  all places are taken, or the server stops; rq says so
 * DBK_NO_MEMORY, DBK_IO
 */
enum dbk_code feed_take(struct feed *feed, struct request *rq, struct response *rs,
                        struct stream *stream, struct dbk_error *err);

/* How many are open. */
unsigned feed_streams(struct feed *feed);

#endif
