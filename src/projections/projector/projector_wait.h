/* projector_wait.h - what a projector is, and what of it other threads see: they wait for
 * it, ask where it is, and tell it to stop.
 *
 * projector.c          starts and stops
 * projector_session.c  one connection's life: follow the log, poll the tables
 * projector_hold.c     sees that there is one for the tables
 * projector_load.c     loads new tables of a long log
 * projector_wait.c     lets others wait, and gathers what is posted at once
 * projector_tidy.c     keeps an index of the tables in order meanwhile
 * projector_renew.c    connects anew a while after an erasure
 *
 * What it posts, and how, is its poster's matter (poster.h).
 */
#ifndef DBK_PROJECTIONS_PROJECTOR_WAIT_H
#define DBK_PROJECTIONS_PROJECTOR_WAIT_H

#include "post_retry.h"
#include "poster.h"
#include "projections/projector.h"
#include "projector_tidy.h"
#include "store/clock.h"

#include <pthread.h>

#define PROJECTOR_FOLLOWS "following" /* the state while it runs */

struct projector_waiter {
    struct projector_waiter *next, **link;
    uint64_t sequence;
    pthread_cond_t woken;
};

struct dbk_projector {
    struct dbk_projector_options options;
    struct dbk_database database; /* whose waits end when we are to stop */
    pthread_t thread;

    pthread_mutex_t lock; /* guards this group */
    pthread_cond_t changed;
    struct projector_waiter *waiters;
    struct dbk_projector_status status;
    const struct pg *breakable; /* for a stop that has waited enough: poster.pg */
    bool tried;                 /* the first connection has been made or has failed */
    bool gathering;             /* a waiter should signal `changed` */
    bool waited_for; /* somebody has begun to wait since the last batch was gathered */
    bool stopping;
    bool ended;

    /* What of the status a read asks for each time, to be had without the lock; written
     * with it held. */
    _Atomic uint64_t readable; /* projected + 1 while running, else 0 */
    _Atomic uint64_t quarantined_told;
    _Atomic int64_t caught_up_at; /* clock.h: all that was appended before is posted */
    _Atomic int64_t heard_at;     /* clock.h: a turn ended well */

    /* The thread's own. */
    struct poster poster;
    struct post_retry retry;
    int gather_ms; /* how long the next time; 0: as long as it may */
    struct holder holder;
    bool held;     /* by another one, when last looked */
    bool emptied;  /* by a migration, and not where they were yet */
    uint64_t mark; /* the head as of mark_at: once it is posted, that is caught_up_at */
    int64_t mark_at;
    bool loading;          /* new tables, which nothing was posted to */
    bool load_failed;      /* so it is not tried again */
    bool retried_all;      /* everyone in quarantine gets one try at start */
    bool tables_missed;    /* the last session ended since one was not there */
    bool migrating;        /* if it ends now, that is told of another connection */
    bool told_untested;    /* that the server is newer than what was tested */
    uint64_t erasures;     /* of poster.erasures, those before this session */
    dbk_deadline renew_at; /* 0: there was none since */
    struct pg *next;       /* of the next session; NULL: it connects by itself */
    atomic_uint_least64_t renewals; /* sessions that ended for that */
    struct projector_tidy tidy;
};

/* All of it but the thread. log and database are borrowed; options may be NULL. */
void projector_init(struct dbk_projector *projector, struct dbk_log *log,
                    const struct dbk_database *database,
                    const struct dbk_projector_options *options);
void projector_finish(struct dbk_projector *projector); /* nobody waits any more */

/* Let the waiting ones know where the poster is. */
void projector_publish(struct dbk_projector *projector);
/* The log's head is past us: before its records are read, let more of them come where
 * that pays and nobody waits. False where that was not to the end of its time. */
bool projector_gather(struct dbk_projector *projector, uint64_t head);
/* Wait so long; false when it is time to end. */
bool projector_pause(struct dbk_projector *projector, int ms);
/* A turn ended well: PostgreSQL answers, and what was posted is known. */
void projector_note_turn(struct dbk_projector *projector);
bool projector_stopping(struct dbk_projector *projector);
/* A stop that has waited enough breaks this off; NULL: nothing is there to be. */
void projector_breakable(struct dbk_projector *projector, const struct pg *pg);
/* Whether it is not to post now; err has why. */
bool projector_put_off(const struct dbk_projector *projector, struct dbk_error *err);
/* All is well in this session: following, unless a migration has emptied the tables and
 * they are not where they were yet. */
void projector_note_posting(struct dbk_projector *projector);
/* Following (why NULL), or why not. */
void projector_set_running(struct dbk_projector *projector, const char *why);

#endif
