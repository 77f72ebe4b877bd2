/* read_query.h - runs the read model's statements on its connections. */
#ifndef DBK_PROJECTIONS_READ_QUERY_H
#define DBK_PROJECTIONS_READ_QUERY_H

#include "event_totals.h"
#include "gather.h"
#include "pg.h"
#include "pool.h"
#include "prober.h"
#include "projections/read_model.h"
#include "standbys.h"
#include "store/clock.h"

#include <stdatomic.h>

struct dbk_read_model {
    const struct dbk_database *database;
    unsigned look_ups_max, lists_max;
    struct pool *look_ups, *lists;
    struct standbys standbys;
    struct prober prober;
    atomic_uint hangs; /* as prober_hang_count told when the connections were renewed */
    int timeout_ms;
    atomic_uint_least64_t claimed; /* the highest of dbk_read_model_claim */
    struct gather persons;         /* look-ups by id */
    struct gather pages[2];        /* person_pages.h: rising, and falling */
    struct event_totals totals;
    uint64_t (*renewals)(const void *context); /* NULL: there are none */
    const void *renewals_context;
    uint64_t renewed; /* of the prober's thread: what it said last */
    atomic_size_t
        person_bytes[2]; /* of one in the list read last, without and with events */
};

/* Call work with a connection for the asker's lists, or, where that is NULL, with one for
 * look-ups, and once more with a new one where that was found lost: PostgreSQL may have been
 * restarted since, and a read may be asked again. Errors as read_model.h has them. */
typedef enum dbk_code read_work(void *context, struct pg *pg, dbk_deadline deadline,
                                struct dbk_error *err);
enum dbk_code read_with_connection(struct dbk_read_model *model,
                                   const struct dbk_asker *asker, dbk_deadline deadline,
                                   read_work *work, void *context,
                                   struct dbk_error *err);

/* Whose list it is: never NULL. */
const struct dbk_asker *read_asker(const struct dbk_asker *given);

/* A statement that answers rows, and how one becomes JSON: add writes it to rows, and
 * says which cursor, version and person it has. */
struct read_query {
    const struct dbk_asker *asker; /* of a list; NULL: it is a look-up */
    const struct pg_statement *statement;
    const struct pg_param *params;
    int count;
    void (*add)(const struct pg_result *result, size_t row, struct dbk_rows *rows,
                struct dbk_row *added);
    bool plan_each_time; /* for its parameters; costs two more round trips */
    size_t rows_max;     /* take no more than this many into rows, */
    size_t bytes_max;    /* and, but for the first ever, no more bytes in all */
};

/* Add the statement's rows to rows; rows->more tells whether it had one more than was
 * taken, *full (may be NULL) whether that was for its size. Errors as read_model.h has
 * them. */
enum dbk_code read_query_run(struct dbk_read_model *model,
                             const struct read_query *query, dbk_deadline deadline,
                             struct dbk_rows *rows, bool *full, struct dbk_error *err);

/* What takes rows into rows, as far as the query wants them. */
struct read_collection {
    const struct read_query *query;
    struct dbk_rows *rows;
    size_t taken;
    bool full; /* for their size */
};
void read_collection_begin(struct read_collection *to, const struct read_query *query,
                           struct dbk_rows *rows);
/* False when no more are wanted. */
bool read_collect(struct read_collection *to, const struct pg_result *result,
                  size_t row);

/* An event as the lists' statements have it, as JSON (read_query.add). */
void read_add_event(const struct pg_result *result, size_t row, struct dbk_rows *rows,
                    struct dbk_row *added);

/* How many events of each person are asked for: none where they are not shown. */
unsigned read_events_limit(const struct dbk_rows *rows, unsigned limit);

/* The cursor `after` of a page as the statements take it: descending the start is behind
 * all there is. */
int64_t read_behind_number(uint64_t after, bool descending);
struct pg_param read_behind(char out[8], uint64_t after, bool descending);

/* A list, part by part: parts grow, so that one that turns out to hold large rows was
 * small. fetch adds at most part rows behind the cursor, as read_query_run does. */
typedef enum dbk_code read_part(void *context, uint64_t after, size_t part,
                                struct dbk_rows *rows, bool *full,
                                struct dbk_error *err);
enum dbk_code read_in_parts(const struct dbk_page *page, size_t first_part,
                            read_part *fetch, void *context, struct dbk_rows *rows,
                            struct dbk_error *err);

#endif
