/* projector.h - the thread that follows the log and posts it to the read tables.
 *
 * It applies batches of records and its checkpoint in one Postgres transaction each, so a
 * record takes effect exactly once, whatever is killed when. Where PostgreSQL is away it
 * reconnects (with a growing pause, at most 1 s), migrates where needed, and catches up.
 * A record that PostgreSQL refuses quarantines its person: the person's later records are
 * set aside too, everyone else's go on. One of an event with an anonymous id quarantines
 * that, and not whose it is: of it events are set aside, and no other records.
 *
 * New tables of a long log are loaded as by a rebuild; where that cannot be, they are posted.
 *
 * Tables that were posted from another log, or from another history of this one (it was put back to an earlier state, or is a copy), stop
 * projection with a clear state until they are made again, however far the log grows; so
 * do tables that another server posts to, until that one is gone. Tables that a migration
 * has emptied are posted again, and count as not running until they are where they were.
 */
#ifndef DBK_PROJECTIONS_PROJECTOR_H
#define DBK_PROJECTIONS_PROJECTOR_H

#include "projections/database.h"
#include "store/error.h"
#include "store/log.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_projector; /* safe to share between threads */

struct dbk_projector_options {
    /* Told of each change of state (connected, lost, quarantined), one line, from the
     * projector's thread. May be NULL. */
    void (*report)(void *context, const char *line);
    void *report_context;
    /* Asked before each connection and each batch: true holds it up for a while, and why
     * (of size bytes) is the state then. Cheap. May be NULL. */
    bool (*hold)(void *context, char *why, size_t size);
    void *hold_context;
    /* Each commit waits for PostgreSQL's disk, for its standbys get only what is there: one
     * that does not is there a while later, and nothing is lost by it but that while. */
    bool flush;
    /* For how many milliseconds at most it gathers records, for a batch of many costs less
     * each. Whoever waits for one (dbk_projector_wait) has it posted at once. 0: 50. */
    int gather_ms;
    /* From how many records on new tables are loaded at once (rebuild.h), with projection
     * not running meanwhile, instead of posted batch by batch. 0: 50,000. */
    uint64_t load_from;
    /* For how many milliseconds erasures are gathered, after which it connects anew, for
     * libpq and PostgreSQL keep what went through a connection last. 0: 5,000. */
    int renew_ms;
};

/* Start following. PostgreSQL need not be there yet. log and database must outlive it.
 * DBK_NO_MEMORY, DBK_IO (no thread). */
enum dbk_code dbk_projector_start(struct dbk_log *log,
                                  const struct dbk_database *database,
                                  const struct dbk_projector_options *options,
                                  struct dbk_projector **projector,
                                  struct dbk_error *err);

/* Post what is there, or one batch of it, then end; where PostgreSQL hangs, break it off after a second or two.
 * NULL is fine. */
void dbk_projector_stop(struct dbk_projector *projector);

/* Wait until the record `sequence` and all before it are in the read tables. Any thread.
 *
 * DBK_TIMEOUT      not within timeout_ms; the read tables can still be asked
 * DBK_UNAVAILABLE  projection is not running now (PostgreSQL is away, another log's
 *                  tables): told at once, without waiting, once the first connection
 *                  has been made or has failed; err says why
 */
enum dbk_code dbk_projector_wait(struct dbk_projector *projector, uint64_t sequence,
                                 int timeout_ms, struct dbk_error *err);

/* Tables that are there, and are not to be read as this log's. */
enum dbk_projector_refusal {
    DBK_REFUSAL_NONE,
    DBK_REFUSAL_HISTORY, /* posted from another log, or another history of this one */
    DBK_REFUSAL_HELD,    /* another server posts to them */
    DBK_REFUSAL_EMPTIED, /* by a migration, and not yet where they were before; or new ones,
                            which a long log is loaded into */
};

struct dbk_projector_status {
    uint64_t projected;                 /* the checkpoint */
    bool running;                       /* connected and following */
    enum dbk_projector_refusal refusal; /* where it is not running */
    char state[512];                    /* "following", or why not */
    uint64_t quarantined; /* persons (and undecodable records) set aside */
    /* Milliseconds, by a clock that nobody sets. */
    int64_t behind_ms; /* what is not posted yet was appended no longer ago than that */
    int64_t
        silent_ms; /* since it last had an answer of PostgreSQL, where it is running */
};
void dbk_projector_status(struct dbk_projector *projector,
                          struct dbk_projector_status *out);

/* Who is set aside: of whom the tables lack records, so that what they have is old. */
struct dbk_set_aside {
    bool has_person; /* false: an anonymous id, or a record that could not be read */
    struct dbk_uuid person_id;
    char anonymous_id[DBK_ANONYMOUS_ID_MAX + 1]; /* whose events are; "": not */
    uint64_t first;                              /* the record that failed */
    uint64_t last; /* that was left out, or may have been; first at least */
    bool no_row; /* the record that failed may have made the person: there is no row */
};

/* Whether anybody is. True of a record once dbk_projector_wait has waited for it. Any
 * thread; takes next to nothing while nobody is. */
bool dbk_projector_any_aside(struct dbk_projector *projector);

/* A number that rises where somebody may have come out: what was read of the tables before
 * may be of one who was set aside then, and is not any more. Any thread. */
uint64_t dbk_projector_healed(struct dbk_projector *projector);

/* A number above 0 that rises once events have gone, or have come to a person behind whose
 * newest they are not: how many a person has is then to be counted anew. Any thread. */
uint64_t dbk_projector_rearranged(struct dbk_projector *projector);

/* How often it has connected anew since somebody was erased: others that have connections do
 * so then, too. Any thread. */
uint64_t dbk_projector_renewals(const struct dbk_projector *projector);

/* Whether this person is, or an anonymous id that is now this person's; *out then receives
 * how. Any thread. */
bool dbk_projector_set_aside(struct dbk_projector *projector,
                             const struct dbk_uuid *person, struct dbk_set_aside *out);

/* Whether of the records behind `after`, up to and with `to`, one may be missing in a list
 * of persons, or of events, for somebody is set aside; *out then receives who. Any thread. */
enum dbk_set_aside_of { DBK_SET_ASIDE_PERSONS, DBK_SET_ASIDE_EVENTS };
bool dbk_projector_aside_between(struct dbk_projector *projector,
                                 enum dbk_set_aside_of of, uint64_t after, uint64_t to,
                                 struct dbk_set_aside *out);

/* What the tables themselves say, for a process that runs no projector. */
struct dbk_tables_state {
    struct dbk_uuid store_id;
    uint64_t projected;
    uint64_t quarantined;
    uint64_t persons, events; /* rows */
    bool events_exact;        /* counted; else as PostgreSQL estimates them */
    uint64_t table_bytes;     /* with their indexes */
    bool read_only;           /* PostgreSQL takes no changes: a standby, or set so */
    int64_t checksum;         /* of the record `projected`; below 0: not known */
    bool held;                /* a server posts to them now, */
    char holder_id[128];      /* with this log on this machine, */
    char holder[448];         /* which is, since when; "" where it has not said */
};
/* DBK_UNAVAILABLE (PostgreSQL away), DBK_NOT_FOUND (no tables yet), DBK_INVALID (tables
 * that were changed by hand, or of an older version; err says what to do). */
enum dbk_code dbk_tables_read(const struct dbk_database *database,
                              struct dbk_tables_state *out, struct dbk_error *err);

/* Only which log the tables name and up to which of its records they were posted, of tables
 * of any version: for one who is about to make a log where there seems to be none.
 * DBK_NOT_FOUND: there are no tables, or they name none. DBK_UNAVAILABLE. */
enum dbk_code dbk_tables_log(const struct dbk_database *database,
                             struct dbk_uuid *store_id, uint64_t *sequence,
                             struct dbk_error *err);

/* Whether the tables are what this log, as it is now, would answer reads from.
 *
 * DBK_UNSUPPORTED  they were posted from another log, or from another history of this one
 * DBK_BUSY         another server posts to them
 * and as dbk_log_checksum; err says what mends it
 */
enum dbk_code dbk_tables_check(struct dbk_log *log,
                               const struct dbk_tables_state *checkpoint,
                               struct dbk_error *err);

/* One set-aside record, as its quarantine row says. Borrowed for the call. */
struct dbk_quarantined {
    bool has_person; /* false: an anonymous id, or a record that could not be read */
    struct dbk_uuid person_id;
    const char *anonymous_id; /* "": none */
    uint64_t sequence;        /* the first record that failed */
    const char *reason;
    const char *quarantined_at; /* timestamp text */
};
/* Visit at most limit of them, in the order of their sequences, behind `after`. Errors as
 * dbk_tables_read. */
enum dbk_code
dbk_quarantine_list(const struct dbk_database *database, uint64_t after, unsigned limit,
                    void (*visit)(void *context, const struct dbk_quarantined *one),
                    void *context, struct dbk_error *err);

/* Ask the projector, running now or started later, to try all quarantined persons once
 * more from the log. *count receives how many. Errors as dbk_tables_read. */
enum dbk_code dbk_quarantine_retry(const struct dbk_database *database, uint64_t *count,
                                   struct dbk_error *err);

#endif
