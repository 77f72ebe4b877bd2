/* read_model.h - asks the read tables: persons with their events, events.
 *
 * Rows come as finished JSON objects in the API's shape:
 *
 *   event:  {"id", "datetime_created", "event_type", "person_id"[, "anonymous_id"]
 *            [, "properties"]}
 *   person: {"id", "datetime_created", "datetime_modified", "email", "events": [event],
 *            "first_name", "last_name", "role"[, "external_id"][, "properties"]
 *            [, "events_total", "events_next"]}
 *
 * Ids lower-case, timestamps as in store/timestamp.h, what is in brackets only where there
 * is some. A person's events are its newest by sequence, oldest first: no more than come to
 * 1 MiB (its properties and 256 bytes for each), but always the newest one. Where that, or
 * the limit (unless it is 0), leaves some out, events_total says how many there are, counted
 * up to 10,000, and events_next where the others are.
 */
#ifndef DBK_PROJECTIONS_READ_MODEL_H
#define DBK_PROJECTIONS_READ_MODEL_H

#include "projections/database.h"
#include "store/error.h"
#include "store/metrics.h"
#include "store/render.h"
#include "store/slice.h"
#include "store/timestamp.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dbk_read_model; /* safe to share between threads */

/* Nothing is connected yet: connections are made when first used, at most `connections`
 * of them (two at least), and again after they break. Of these as many as there are
 * processors, and no more than half, are for look-ups by id, and for the first hundred rows
 * of one person's events; the others are for lists, of which a sixth is kept from any one
 * client. database must outlive it. Every call below gives up after query_timeout_ms, also
 * where PostgreSQL hangs. DBK_NO_MEMORY. */
enum dbk_code dbk_read_model_open(const struct dbk_database *database,
                                  unsigned connections, int query_timeout_ms,
                                  struct dbk_read_model **model, struct dbk_error *err);
/* No call may be under way. NULL is fine. */
void dbk_read_model_close(struct dbk_read_model *model);

/* Have a thread ask twice a second whether PostgreSQL answers, on a connection of its own.
 * Once it has not for two, every read fails at once (DBK_UNAVAILABLE), those under way,
 * too, until it does. Once, before any read. DBK_NO_MEMORY, DBK_IO (no thread). */
enum dbk_code dbk_read_model_watch(struct dbk_read_model *model, struct dbk_error *err);

/* What rises when somebody was erased (dbk_projector_renewals): all connections are then closed,
 * those in use when they are given back, for libpq and PostgreSQL keep what went through them
 * last. Asked twice a second by the thread that watches, until the close. Before
 * dbk_read_model_watch. */
void dbk_read_model_renew(struct dbk_read_model *model,
                          uint64_t (*renewals)(const void *context),
                          const void *context);

/* Streaming replicas of the PostgreSQL that is posted to. What it points to must outlive the
 * model. */
struct dbk_standby_options {
    const char *const *hosts; /* host[:port] of one server each; ends with NULL */
    struct dbk_uuid store_id; /* of the log that the tables are of */
    /* Told when one is left out, and used again; one line. May be NULL. */
    void (*report)(void *context, const char *line);
    void *report_context;
};

/* Have reads go round the standbys that show what was claimed (dbk_read_model_claim), and to
 * the primary where none does. They are asked for that by a thread each. Once, before any
 * read. DBK_INVALID (no host), DBK_NO_MEMORY, DBK_IO. */
enum dbk_code dbk_read_model_standbys(struct dbk_read_model *model,
                                      const struct dbk_standby_options *options,
                                      struct dbk_error *err);

/* For how many milliseconds PostgreSQL has not answered, where reads fail for that; else
 * 0. Waits for nothing. Any thread. */
int64_t dbk_read_model_hangs(const struct dbk_read_model *model);

/* Whether reads get no connection from a PostgreSQL that answers: others have all, say; err
 * says why. It is tried again twice a second. Waits for nothing. Any thread. */
bool dbk_read_model_refused(const struct dbk_read_model *model, struct dbk_error *err);

/* What it is at, for who watches it. Waits for nothing. Any thread. */
struct dbk_read_model_gauges {
    unsigned busy[DBK_METRIC_POOLS]; /* connections, by enum dbk_metric_pool */
    unsigned idle[DBK_METRIC_POOLS];
    /* For how long PostgreSQL has not answered the question that is under way, which it is
     * asked twice a second; 0: none is. Reads go on until dbk_read_model_hangs. */
    int64_t waits_ms;
    unsigned standbys, standbys_in; /* that there are; that are not left out */
};
void dbk_read_model_gauges(const struct dbk_read_model *model,
                           struct dbk_read_model_gauges *out);

/* Somebody is being told that the read tables show this sequence. From now on tables that
 * are behind it, after a crash of PostgreSQL, are not asked (DBK_UNAVAILABLE) until they
 * have caught up. Any thread. */
void dbk_read_model_claim(struct dbk_read_model *model, uint64_t sequence);

/* How often dbk_projector_rearranged says that it has been done by now. Until it is told
 * nothing is remembered of how many events persons have. Any thread. */
void dbk_read_model_rearranged(struct dbk_read_model *model, uint64_t times);

/* Answered rows. Zero it before first use, dbk_rows_finish frees it; may be used again. */
struct dbk_rows {
    /* The caller's, and left as they are: what is shown of each row, of enum dbk_show
     * (model_json.h), 0: the usual; and json.zone, how timestamps are written. */
    unsigned shown;
    struct dbk_render json; /* one after the other, nothing between */

    size_t count;
    struct dbk_row {
        uint64_t cursor;           /* give it as `after` to go on behind this row */
        uint64_t version;          /* persons: their version; events: their sequence */
        struct dbk_uuid person_id; /* who it is, or whose; nil: nobody's */
        size_t offset;             /* of its JSON in json.text */
        size_t length;
    } * rows;
    bool more;        /* there are rows behind the last one */
    size_t rows_size; /* private, */
    bool no_memory;   /* and this */
};
void dbk_rows_finish(struct dbk_rows *rows);

/* Who waits for a list. */
struct dbk_asker {
    uint64_t client; /* whose share it counts on; 0: nobody's */
    /* Whether nobody waits for it any more: asked now and then while PostgreSQL works. A
     * list is then broken off, DBK_INTERRUPTED, and PostgreSQL ends its query. May be
     * NULL. */
    bool (*gone)(void *context);
    void *context;
};

/* Which part of a list. Rows behind the cursor `after` (0: from the start), at most
 * limit, and, but for the first, at most max_bytes of JSON: so memory is bounded, and a
 * long list is asked for page by page, with no connection held in between. A cursor is a
 * place in the log: descending, behind it is what is older. */
struct dbk_page {
    bool descending; /* the newest first */
    uint64_t after;
    unsigned limit;
    size_t max_bytes;
    bool brief; /* of persons' events only the newest: it is far too much already */
    const struct dbk_asker *asker; /* NULL: one with no share, who stays */
};

#define DBK_FILTER_TYPES_MAX 20

struct dbk_event_filter {
    bool has_person_id;
    struct dbk_uuid person_id;
    size_t event_types_count; /* 0: any; else one of these */
    struct dbk_slice event_types[DBK_FILTER_TYPES_MAX];
    bool has_since, has_until; /* of datetime_created: since <= it < until */
    dbk_timestamp since, until;
    struct dbk_slice properties; /* JSON text of an object to contain; length 0: any */
    struct dbk_slice anonymous_id;  /* that they were recorded with; length 0: any */
    const struct dbk_uuid *without; /* persons whose are left out; borrowed */
    size_t without_count;
};

#define DBK_FILTER_PREFIX_MAX 1024 /* bytes */

struct dbk_person_filter {
    bool has_id;
    struct dbk_uuid id;
    struct dbk_slice properties;
    /* What the email, the first or the last name begins with, whatever the case; length 0:
     * anything, at most DBK_FILTER_PREFIX_MAX. */
    struct dbk_slice prefix;
    const struct dbk_uuid *without; /* who is left out; borrowed */
    size_t without_count;
};

/* Each of these:
 *   DBK_NOT_FOUND    (the single one) no such row
 *   DBK_UNAVAILABLE  PostgreSQL is away, or refuses; err says why
 *   DBK_BUSY         no connection came free in time
 *   DBK_INTERRUPTED  whoever asked is gone
 *   DBK_TIMEOUT      the query took longer than query_timeout_ms
 *   DBK_NO_MEMORY
 * persons lists in order of creation in the log; events in sequence order; or backwards. */
enum dbk_code dbk_read_person(struct dbk_read_model *model, const struct dbk_uuid *id,
                              unsigned events_limit, struct dbk_rows *rows,
                              struct dbk_error *err);
enum dbk_code dbk_read_persons(struct dbk_read_model *model,
                               const struct dbk_page *page,
                               const struct dbk_person_filter *filter,
                               unsigned events_limit, struct dbk_rows *rows,
                               struct dbk_error *err);
/* Where a page of so many persons ends, without reading them: *cursor receives the last
 * one's (page->after: there are none), *more whether there are any behind. */
enum dbk_code dbk_skip_persons(struct dbk_read_model *model,
                               const struct dbk_page *page,
                               const struct dbk_person_filter *filter, uint64_t *cursor,
                               bool *more, struct dbk_error *err);
enum dbk_code dbk_read_events(struct dbk_read_model *model, const struct dbk_page *page,
                              const struct dbk_event_filter *filter,
                              struct dbk_rows *rows, struct dbk_error *err);

#define DBK_AHEAD_MAX 16

/* What is asked for together: a person, as dbk_read_person reads it, or the events of one
 * from the first on, as dbk_read_events reads a page of them. */
struct dbk_ahead {
    bool events;
    struct dbk_uuid id;
    unsigned limit;   /* of events; 100 at most */
    size_t max_bytes; /* of a page */
    struct dbk_rows *rows;
    enum dbk_code
        code; /* how it ended: as of those, but for that it waits for a second at most;
                 or DBK_TOO_LARGE: ask for it alone, */
    struct dbk_error error; /* and why */
};

/* At most DBK_AHEAD_MAX. For who has several questions, in one thread; of different threads
 * the model does the like by itself. */
void dbk_read_ahead(struct dbk_read_model *model, struct dbk_ahead *asked,
                    size_t count);

struct dbk_count {
    const struct dbk_asker *asker; /* given, as a page has it */
    uint64_t rows;
    bool exact;
};

/* How many rows match, of all pages. exact: counted; where that takes longer than
 * query_timeout_ms, and else, what PostgreSQL's planner estimates, which costs nothing.
 * Errors as above. */
enum dbk_code dbk_count_persons(struct dbk_read_model *model,
                                const struct dbk_person_filter *filter, bool exact,
                                struct dbk_count *count, struct dbk_error *err);
enum dbk_code dbk_count_events(struct dbk_read_model *model,
                               const struct dbk_event_filter *filter, bool exact,
                               struct dbk_count *count, struct dbk_error *err);

#endif
