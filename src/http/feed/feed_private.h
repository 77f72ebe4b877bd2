/* feed_private.h - what feed.c, which the workers call, and feed_thread.c have in common. */
#ifndef DBK_HTTP_FEED_PRIVATE_H
#define DBK_HTTP_FEED_PRIVATE_H

#include "cloud_event.h"
#include "feed.h"
#include "ring.h"

#include <pthread.h>
#include <stdatomic.h>

struct feed {
    struct feed_options options;
    char source[CLOUD_EVENT_SOURCE_MAX];
    pthread_t thread;
    bool started;
    int wakes; /* an eventfd: there is something new for the thread */
    int epoll; /* its own, like all below `closed` */
    atomic_bool stopping;

    pthread_mutex_t mutex; /* guards what follows */
    struct stream *all; /* with a place, also those that have just come: newest first */
    unsigned count;
    struct stream **buckets; /* of addresses; as long as list_size, and 1 */
    struct stream *come;     /* handed over, by next_come; the thread takes them */
    bool closed;             /* no more are taken */

    struct ring *ring;
    struct stream **list; /* those that the thread has; `count` is at most list_size */
    unsigned list_count, list_size;
    struct dbk_batch batch;
    struct response answer;         /* of a poll */
    uint64_t head;                  /* of the log, as last seen, */
    struct dbk_restricted withheld; /* and who was restricted then */
    int64_t looked_at;              /* whether tokens hold, and history: */
    uint64_t mark;                  /* this record, 0: none, had this checksum then */
    uint32_t mark_checksum;
};

/* The thread's body. */
void *feed_run(void *feed);

/* Those that were handed over since, by next_come. */
struct stream *feed_come(struct feed *feed);
/* Close it, tell how it went, give its place up, free it. */
void feed_leave(struct feed *feed, struct stream *stream);

/* Who must leave so that this address has a place: the newest of another one that has more
 * than its bound. NULL: nobody. With the mutex held. */
struct stream *feed_find_crowded(struct feed *feed, uint32_t address);

/* Answer a poll with what there is behind it, or with nothing; then it is ending. */
void feed_poll_answer(struct feed *feed, struct stream *stream, int64_t now);

#endif
