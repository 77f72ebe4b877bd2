/* The read model, and lists of persons. */
#include "projections/read_model.h"
#include "find_person.h"
#include "read_count.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_PART 64 /* persons: each may carry many events */

void dbk_read_model_claim(struct dbk_read_model *model, uint64_t sequence)
{
    uint64_t before = atomic_load(&model->claimed);

    while (before < sequence &&
           !atomic_compare_exchange_weak(&model->claimed, &before, sequence))
        ;
}

/* The projector's commits do not wait for the disk. A PostgreSQL that crashed has lost
 * the last of them, and may be back before the projector notices. Connections end with a
 * crash, so those that were there before need not be asked. */
static enum dbk_code check_claimed(void *context, struct pg *pg, dbk_deadline deadline,
                                   struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql_checkpoint_sequence};
    struct dbk_read_model *model = context;
    uint64_t claimed = atomic_load(&model->claimed), sequence = 0;
    struct pg_result *result;
    enum dbk_code code;

    if (claimed == 0)
        return DBK_OK;
    code = pg_run(pg, &statement, NULL, 0, dbk_deadline_left(deadline), &result, err);
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) > 0)
        sequence = (uint64_t)pg_binary_int8(result, 0, 0);
    pg_clear(result);
    if (sequence >= claimed)
        return DBK_OK;
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "The read tables are back at sequence %llu, and were at %llu",
                    (unsigned long long)sequence, (unsigned long long)claimed);
}

enum dbk_code dbk_read_model_open(const struct dbk_database *database,
                                  unsigned connections, int query_timeout_ms,
                                  struct dbk_read_model **out, struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook read",
                                       .statement_timeout_ms = query_timeout_ms,
                                       .fixed_plans = true,
                                       .binary_rows = true};
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct dbk_read_model *model = calloc(1, sizeof *model);
    enum dbk_code code;

    *out = NULL;
    if (!model)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    model->timeout_ms = query_timeout_ms;
    code = pool_open(database, &options, connections, &model->pool, err);
    if (code != DBK_OK) {
        free(model);
        return code;
    }
    pool_check_new(model->pool, check_claimed, model);
    find_persons_init(model, processors > 0 ? (unsigned)processors : 1);
    *out = model;
    return DBK_OK;
}

void dbk_read_model_close(struct dbk_read_model *model)
{
    if (!model)
        return;
    gather_finish(&model->persons);
    pool_close(model->pool);
    free(model);
}

struct persons {
    struct dbk_read_model *model;
    dbk_deadline deadline;
    size_t bytes_max;
    bool descending;
    unsigned events_limit;
};

static const struct pg_statement list = {"person_list", sql_person_list};
static const struct pg_statement list_desc = {"person_list_desc", sql_person_list_desc};

static enum dbk_code fetch_persons(void *context, uint64_t after, size_t part,
                                   struct dbk_rows *rows, bool *full,
                                   struct dbk_error *err)
{
    const struct persons *persons = context;
    char behind[8], limit[8], events[8];
    const struct pg_param params[] = {read_behind(behind, after, persons->descending),
                                      pg_int8(limit, (int64_t)part + 1),
                                      pg_int8(events, persons->events_limit)};
    const struct read_query query = {.statement =
                                         persons->descending ? &list_desc : &list,
                                     .params = params,
                                     .count = 3,
                                     .add = read_add_person,
                                     .rows_max = part,
                                     .bytes_max = persons->bytes_max};

    return read_query_run(persons->model, &query, persons->deadline, rows, full, err);
}

enum dbk_code dbk_read_persons(struct dbk_read_model *model,
                               const struct dbk_page *page, unsigned events_limit,
                               struct dbk_rows *rows, struct dbk_error *err)
{
    struct persons persons = {.model = model,
                              .deadline = dbk_deadline_in(model->timeout_ms),
                              .bytes_max = page->max_bytes,
                              .descending = page->descending,
                              .events_limit = read_events_limit(rows, events_limit)};

    return read_in_parts(page, FIRST_PART, fetch_persons, &persons, rows, err);
}

enum dbk_code dbk_count_persons(struct dbk_read_model *model, bool exact,
                                struct dbk_count *count, struct dbk_error *err)
{
    static const struct read_count_statements statements = {
        {"person_count", sql_person_count}, {NULL, sql_person_estimate}};

    return read_count(model, &statements, NULL, 0, exact, count, err);
}
