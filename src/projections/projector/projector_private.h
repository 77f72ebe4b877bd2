/* projector_private.h - the projector's own parts, and who touches what.
 *
 * projector.c          starts and stops
 * projector_wait.c     lets others wait, and waits for more to post
 * projector_session.c  one connection's life: follow the log, poll the tables
 * projector_load.c     what the tables say: checkpoint, quarantine
 * projector_tidy.c     keeps an index of the tables in order meanwhile
 * projector_range.c    a run of records: fold, apply, halve it where it is refused
 * projector_retry.c    who in quarantine is tried again
 * projector_scan.c     where in the log their records lie
 * projector_attempt.c  one such try: fold them again from the log
 */
#ifndef DBK_PROJECTIONS_PROJECTOR_PRIVATE_H
#define DBK_PROJECTIONS_PROJECTOR_PRIVATE_H

#include "apply.h"
#include "deadline.h"
#include "fold.h"
#include "pg.h"
#include "projections/projector.h"

#include <pthread.h>

#define PROJECTOR_FOLLOWS "following" /* the state while it runs */

/* A quarantine row that is to be tried again. */
struct projector_retry_row {
    uint64_t sequence;
    struct dbk_uuid person_id;
    uint64_t scan_from; /* the person has no record before this one */
};

/* The spans of the log that hold every record of these persons, and few others, as far as
 * it has been looked through. */
struct projector_scan {
    struct fold_index persons;
    struct projector_span {
        uint64_t first, last;
    } * spans;
    size_t span_count, spans_size;
    uint64_t done;
};

/* Rows to try, and which runs of them, the next on top. */
struct projector_retry {
    struct projector_retry_row *rows;
    size_t row_count;
    struct projector_run {
        size_t first, end;
    } runs[64]; /* halves of halves: far fewer are ever needed */
    size_t run_count;
    struct projector_scan scan; /* for all rows */
    struct fold events;
};

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
    struct dbk_log *log;                 /* borrowed */
    const struct dbk_database *database; /* borrowed */
    struct dbk_projector_options options;
    struct dbk_uuid store_id;
    pthread_t thread;

    pthread_mutex_t lock; /* guards this group */
    pthread_cond_t changed;
    struct projector_waiter *waiters;
    struct dbk_projector_status status;
    const struct dbk_pg *breakable; /* pg, for a stop that has waited enough, or NULL */
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
    struct dbk_pg *pg; /* NULL: not connected */
    dbk_deadline linger_until;
    uint64_t projected;
    uint64_t
        events_from; /* events recorded before it are not in the tables; 0: all are */
    uint64_t tables; /* which they are: the oid of the checkpoint's */
    struct fold_index set_aside; /* persons in quarantine */
    uint64_t quarantined;        /* rows of the table, records without a person too */
    bool retried_all;            /* everyone in quarantine gets one try at start */
    bool tables_missed;          /* the last session ended since one was not there */
    struct projector_retry retry;
    struct projector_tidy tidy;
    struct dbk_batch batch;
    struct fold fold;
    struct apply apply;
};

/* A projector without a thread, for whoever posts by himself (post.h). log and database
 * are borrowed; options may be NULL. Not connected yet. */
void projector_init(struct dbk_projector *self, struct dbk_log *log,
                    const struct dbk_database *database,
                    const struct dbk_projector_options *options);
void projector_finish(struct dbk_projector *self);

/* Tell the operator. */
void projector_say(const struct dbk_projector *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Let the waiting ones know where we are. */
void projector_publish(struct dbk_projector *self);
/* With the lock held, after status has changed. */
void projector_tell(struct dbk_projector *self);
/* The log's head is past us: before its records are read, let more of them come where
 * that pays and nobody waits. False where it was not waited to the end of the time that
 * the last batch began. */
bool projector_linger(struct dbk_projector *self, uint64_t head);
void projector_linger_from_now(struct dbk_projector *self); /* a batch was posted */
bool projector_stopping(struct dbk_projector *self);
/* Whether the code says that the data is at fault, not PostgreSQL. */
bool projector_data_fault(enum dbk_code code);
/* Following (why NULL), or why not. */
void projector_set_running(struct dbk_projector *self, const char *why);

/* Connect and follow the log until the stop (DBK_OK) or a failure. */
enum dbk_code projector_session(struct dbk_projector *self, struct dbk_error *err);
/* Read the checkpoint and the quarantine from the tables. DBK_UNSUPPORTED: not ours. */
enum dbk_code projector_load(struct dbk_projector *self, struct dbk_error *err);
/* Whether the tables are as we know them (*same), and how many retries are wanted. */
enum dbk_code projector_poll(struct dbk_projector *self, bool *same, uint64_t *retries,
                             struct dbk_error *err);

/* Apply all records of self->batch; self->projected has moved over those that are, also
 * on failure. A record that is refused alone quarantines its person. DBK_MOVED: load
 * again; anything else: PostgreSQL is away. */
enum dbk_code projector_apply(struct dbk_projector *self, struct dbk_error *err);

/* Once a turn, the batch being what was posted in it: have the index of properties tidied
 * when it is time. Does not wait for that. */
void projector_tidy(struct dbk_projector *self);
/* Connect for it, before anybody is in a hurry. */
void projector_tidy_begin(struct dbk_projector *self);
void projector_tidy_end(struct dbk_projector *self);

/* Note who is to be tried again: all in quarantine, or those that somebody asked for.
 */
enum dbk_code projector_retry_begin(struct dbk_projector *self, bool all,
                                    struct dbk_error *err);
bool projector_retry_pending(const struct dbk_projector *self);
/* Look through some more of the log, or try the next few of them. Errors as
 * projector_apply. */
enum dbk_code projector_retry_step(struct dbk_projector *self, struct dbk_error *err);
/* Fold the rows of the run again and take them out of quarantine, or change nothing. */
enum dbk_code projector_attempt(struct dbk_projector *self, struct projector_run run,
                                struct dbk_error *err);
/* Look for these persons' records, from the first on that may be one. */
enum dbk_code projector_scan_begin(struct projector_scan *scan,
                                   const struct projector_retry_row *rows, size_t count,
                                   struct dbk_error *err);
/* Whether all that is projected has been looked through; else look through some more. */
bool projector_scan_done(const struct dbk_projector *self);
enum dbk_code projector_scan_slice(struct dbk_projector *self, struct dbk_error *err);
void projector_scan_init(struct projector_scan *scan);
void projector_scan_free(struct projector_scan *scan);
void projector_retry_init(struct dbk_projector *self);
void projector_retry_free(struct dbk_projector *self);

#endif
