/* feed_private.h - what feed.c, which the workers call, and the feed's thread have in common. */
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
    uint64_t head;                  /* of the log, as last seen */
    bool knows;                     /* what follows, which is as of this head */
    uint64_t looked_head;           /* or newer: */
    struct dbk_restricted withheld; /* who is restricted, */
    uint64_t erased;                /* and the last person.erased; 0: none */
    int64_t looked_at;              /* whether tokens hold, and history: */
    uint64_t mark;                  /* this record, 0: none, had this checksum then */
    uint32_t mark_checksum;
};

#define FEED_LEAVE_MS 5000 /* how long who is ended may need to take the last event */

/* The thread's body. */
void *feed_run(void *feed);

/* One turn of it. Returns when the next is due. */
int64_t feed_turn(struct feed *feed);

/* Look what the log says now of who is restricted and erased, before anything of it is shown;
 * the ring forgets what it has of before the last erasure. It costs little where nothing was
 * written since. False: the log does not tell, and nothing may be shown. */
bool feed_look(struct feed *feed);
/* The ring has let go of what somebody may not have taken yet, through no fault of theirs. */
void feed_none_is_live(struct feed *feed);

/* What the ring must have for the stream to take from it. */
unsigned feed_wants(const struct stream *stream);
/* Give an open one what it lacks. */
void feed_give(struct feed *feed, struct stream *stream, int64_t now);

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
