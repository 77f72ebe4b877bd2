/* projector_private.h - the projector's own parts, and who touches what.
 *
 * projector.c          starts and stops
 * projector_wait.c     lets others wait, and waits for more to post
 * projector_session.c  one connection's life: follow the log, poll the tables
 * projector_tidy.c     keeps an index of the tables in order meanwhile
 *
 * What it posts, and how, is its poster's matter (poster.h).
 */
#ifndef DBK_PROJECTIONS_PROJECTOR_PRIVATE_H
#define DBK_PROJECTIONS_PROJECTOR_PRIVATE_H

#include "poster.h"
#include "projections/projector.h"
#include "store/clock.h"

#include <pthread.h>

#define PROJECTOR_FOLLOWS "following" /* the state while it runs */

/* See projector_tidy.c. */
struct projector_tidy {
    struct dbk_pg *pg; /* NULL: not connected */
    bool under_way;
    uint64_t records; /* posted since it was last begun, about */
};

struct projector_waiter {
    struct projector_waiter *next, **link;
    uint64_t sequence;
    pthread_cond_t woken;
};

struct dbk_projector {
    struct dbk_projector_options options;
    pthread_t thread;

    pthread_mutex_t lock; /* guards this group */
    pthread_cond_t changed;
    struct projector_waiter *waiters;
    struct dbk_projector_status status;
    const struct dbk_pg
        *breakable;  /* the poster's, for a stop that has waited enough */
    bool tried;      /* the first connection has been made or has failed */
    bool lingering;  /* a waiter should signal `changed` */
    bool waited_for; /* somebody has begun to wait since the last batch was gathered */
    bool stopping;
    bool ended;

    /* What of the status a read asks for each time, to be had without the lock; written
     * with it held. */
    _Atomic uint64_t readable; /* projected + 1 while running, else 0 */
    _Atomic uint64_t quarantined_told;

    /* The thread's own. */
    struct poster poster;
    dbk_deadline linger_until;
    bool retried_all;   /* everyone in quarantine gets one try at start */
    bool tables_missed; /* the last session ended since one was not there */
    struct projector_tidy tidy;
};

/* All of it but the thread. log and database are borrowed; options may be NULL. */
void projector_init(struct dbk_projector *self, struct dbk_log *log,
                    const struct dbk_database *database,
                    const struct dbk_projector_options *options);
void projector_finish(struct dbk_projector *self);

/* Let the waiting ones know where the poster is. */
void projector_publish(struct dbk_projector *self);
/* With the lock held, after status has changed. */
void projector_tell(struct dbk_projector *self);
/* The log's head is past us: before its records are read, let more of them come where
 * that pays and nobody waits. False where it was not waited to the end of the time that
 * the last batch began. */
bool projector_linger(struct dbk_projector *self, uint64_t head);
void projector_linger_from_now(struct dbk_projector *self); /* a batch was posted */
bool projector_stopping(struct dbk_projector *self);
/* Following (why NULL), or why not. */
void projector_set_running(struct dbk_projector *self, const char *why);

/* Connect and follow the log until the stop (DBK_OK) or a failure. */
enum dbk_code projector_session(struct dbk_projector *self, struct dbk_error *err);

/* Once a turn, the batch being what was posted in it: have the index of properties tidied
 * when it is time. Does not wait for that. */
void projector_tidy(struct dbk_projector *self);
/* Connect for it, before anybody is in a hurry. */
void projector_tidy_begin(struct dbk_projector *self);
void projector_tidy_end(struct dbk_projector *self);

#endif
