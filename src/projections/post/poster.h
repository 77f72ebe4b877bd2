/* poster.h - posts the log to read tables: what is between a batch of records and rows.
 *
 * No thread, no waiting, no reconnecting: whoever has a poster brings those, and gives it
 * a connection. It knows where the tables are and who is set aside, applies a batch and
 * the step of the checkpoint in one transaction, and halves a batch that is refused, down
 * to the record whose person goes to quarantine. The projector has one, and so has each
 * rebuild. Belongs to one thread.
 *
 * poster.c        what all of it needs
 * post_load.c     what the tables say: checkpoint, quarantine
 * post_range.c    a run of records: fold, apply, halve it where it is refused
 * post_aside.h    who is in quarantine
 * post_expired.h  rows of events that are forgotten by age
 * post_erased.h   what records of who was erased no longer say
 * post_restricted.h  who is restricted, as the log says now
 * post_trouble.h  what a failure says: of the record, of PostgreSQL, of the time it takes
 * post_retry.h    who in quarantine is tried again; it uses post_scan.h, post_attempt.h
 */
#ifndef DBK_PROJECTIONS_POSTER_H
#define DBK_PROJECTIONS_POSTER_H

#include "apply.h"
#include "fold.h"
#include "history.h"
#include "holder.h"
#include "pg.h"
#include "post_aside.h"
#include "post_erased.h"
#include "post_trouble.h"
#include "store/log.h"

#include <stdatomic.h>

/* Called by the poster's thread. Each may be NULL. */
struct poster_calls {
    /* What an operator should know: one line, borrowed for the call. */
    void (*report)(void *context, const char *line);
    /* projected or quarantined is another. */
    void (*moved)(void *context);
    /* Whether to give up what takes long: then DBK_UNAVAILABLE, with nothing half done. */
    bool (*stopping)(void *context);
    void *context;
};

struct poster {
    struct dbk_log *log;                 /* borrowed */
    const struct dbk_database *database; /* borrowed */
    struct poster_calls calls;
    struct dbk_uuid store_id;
    struct pg *pg; /* opened by the owner; NULL: not connected */

    uint64_t projected; /* the last record posted */
    int64_t checksum;   /* of that record, as history.h has it */
    uint64_t epoch;     /* as which we have taken the tables over */
    const struct holder
        *holder;          /* as who, borrowed; NULL: a rebuild, which tells nobody */
    uint64_t were_at;     /* up to where a migration has emptied them; 0: none has */
    uint64_t events_from; /* events recorded before it are left out; 0: none are */
    uint64_t expired; /* and those up to here: they are forgotten by age; 0: none are */
    bool expiring;    /* there may be rows of these */
    uint64_t tables;  /* which they are: the oid of the checkpoint's */
    bool other_history; /* they are not of this log as it is, found when last looked */
    struct post_aside aside; /* who is in quarantine */
    uint64_t quarantined;    /* rows of the table, records without a person too */

    bool restricts;  /* somebody was, or is no more, in what is folded */
    bool rearranges; /* what is folded does more than add rows */
    atomic_uint_least64_t rearranged; /* how often that was posted */
    bool erases;                      /* what is folded has a person.erased */
    uint64_t erasures;                /* how often that was posted */

    struct post_erased erased;
    struct post_trouble trouble;
    struct dbk_batch batch; /* what was read last */
    struct dbk_batch event; /* the record of an event that another is about */
    struct fold fold;
    struct apply apply;
};

/* Not connected. log and database are borrowed; calls (NULL: none) are copied. */
void poster_init(struct poster *poster, struct dbk_log *log,
                 const struct dbk_database *database, const struct poster_calls *calls);
void poster_finish(struct poster *poster); /* closes the connection, too */

/* Before the tables are migrated, which may empty them: whether they are of this log's
 * history, where there are some. Errors as history_check, pg.h. */
enum dbk_code poster_check_former(struct poster *poster, struct dbk_error *err);

/* Set up the connection, and read from the tables, which are migrated, where they are.
 * Errors as poster_load, pg.h. */
enum dbk_code poster_begin(struct poster *poster, struct dbk_error *err);

/* Read what the checkpoint and the quarantine say (making a checkpoint beside empty
 * tables), hold it against the log, and take the tables over: whoever had them before
 * moves them no more.
 * DBK_UNSUPPORTED: the tables are not of this log, or not of its history (history.h)
 * DBK_MOVED: somebody else takes them over, again and again */
enum dbk_code poster_load(struct poster *poster, struct dbk_error *err);

/* Whether the log is still the one whose record we stand at: it may have been put back
 * under us. Errors as history_check. */
enum dbk_code poster_check_log(struct poster *poster, struct dbk_error *err);

/* Whether the tables are as we know them (*same), and how many retries are wanted. */
enum dbk_code poster_poll(struct poster *poster, bool *same, uint64_t *retries,
                          struct dbk_error *err);

/* Give back all memory that has texts of records, where no batch is under way. */
void poster_forget(struct poster *poster);

/* Within a transaction: have the checkpoint locked, so that no other projector moves it while we
 * read, or post. DBK_MOVED: it has moved, or these are other tables; as pg_run. */
enum dbk_code poster_hold(struct poster *poster, struct dbk_error *err);

/* Read into the batch the records after `after`, as many as one batch takes, and none past
 * `to`. The batch is empty where the log has no more. Errors as dbk_log_read. */
enum dbk_code poster_read(struct poster *poster, uint64_t after, uint64_t to,
                          struct dbk_error *err);

/* Add a record to a fold, and say which row it is where it deletes an event; one that cannot
 * be read is looked for by its id. Errors as fold_add. */
enum dbk_code poster_fold(struct poster *poster, struct fold *fold,
                          const struct dbk_record *record, struct dbk_error *err);

/* Post the next batch, of records up to and with `to`; it is empty where the log has no
 * more. projected has moved over what was applied, also on failure.
 *
 * DBK_MOVED  somebody else has moved the checkpoint, or these are other tables: load again
 * DBK_UNSUPPORTED  as poster_check_log
 * as dbk_log_read; anything else: PostgreSQL is away
 */
enum dbk_code poster_step(struct poster *poster, uint64_t to, struct dbk_error *err);

/* Whether the code says that the data is at fault, not PostgreSQL. */
bool poster_data_fault(enum dbk_code code);

void poster_say(const struct poster *poster, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void poster_moved(const struct poster *poster);
bool poster_stopping(const struct poster *poster);

#endif
