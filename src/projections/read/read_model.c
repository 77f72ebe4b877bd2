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

/* A query whose client is gone, or which we have given up, ends; from PostgreSQL's own
 * look at its connection, which not every system has. */
static void watch_client(struct pg *pg, dbk_deadline deadline)
{
    pg_script(pg, sql_watch_client, dbk_deadline_left(deadline), NULL);
}

static enum dbk_code check_new(void *context, struct pg *pg, dbk_deadline deadline,
                               struct dbk_error *err)
{
    watch_client(pg, deadline);
    return check_claimed(context, pg, deadline, err);
}

static enum dbk_code open_pool(struct dbk_read_model *model,
                               const struct dbk_database *database,
                               unsigned connections, struct pool **pool,
                               struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook read",
                                       .statement_timeout_ms = model->timeout_ms,
                                       .fixed_plans = true,
                                       .binary_rows = true};
    enum dbk_code code = pool_open(database, &options, connections, pool, err);

    if (code == DBK_OK)
        pool_check_new(*pool, check_new, model);
    return code;
}

enum dbk_code dbk_read_model_open(const struct dbk_database *database,
                                  unsigned connections, int query_timeout_ms,
                                  struct dbk_read_model **out, struct dbk_error *err)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned processors = online > 0 ? (unsigned)online : 1;
    const unsigned all = connections > 2 ? connections : 2;
    const unsigned look_ups = processors < all / 2 ? processors : all / 2;
    struct dbk_read_model *model = calloc(1, sizeof *model);
    enum dbk_code code;

    *out = NULL;
    if (!model)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    model->timeout_ms = query_timeout_ms;
    prober_init(&model->prober, database);
    code = open_pool(model, database, look_ups, &model->look_ups, err);
    if (code == DBK_OK)
        code = open_pool(model, database, all - look_ups, &model->lists, err);
    if (code != DBK_OK) {
        pool_close(model->look_ups);
        prober_finish(&model->prober);
        free(model);
        return code;
    }
    pool_share(model->lists, (2 * (all - look_ups) + 2) / 3);
    find_persons_init(model, processors);
    *out = model;
    return DBK_OK;
}

enum dbk_code dbk_read_model_watch(struct dbk_read_model *model, struct dbk_error *err)
{
    return prober_start(&model->prober, err);
}

int64_t dbk_read_model_hangs(const struct dbk_read_model *model)
{
    return prober_hangs(&model->prober);
}

void dbk_read_model_close(struct dbk_read_model *model)
{
    if (!model)
        return;
    gather_finish(&model->persons);
    prober_finish(&model->prober);
    pool_close(model->look_ups);
    pool_close(model->lists);
    free(model);
}

#define FILTER_PARAMS 2

struct persons {
    struct dbk_read_model *model;
    const struct dbk_person_filter *filter;
    dbk_deadline deadline;
    size_t bytes_max;
    bool descending;
    bool few; /* look all matches up and sort them */
    const struct dbk_asker *asker;
    unsigned events_limit;
};

/* $1 and $2; NULL where the filter does not ask. */
static void put_filter(const struct dbk_person_filter *filter,
                       struct pg_param params[FILTER_PARAMS])
{
    const struct pg_param null = {NULL, 0, false};

    params[0] = filter->has_id ? pg_uuid(&filter->id) : null;
    params[1] = filter->properties.length ? pg_bytes(filter->properties) : null;
}

/* Each in the order of the log, and backwards. */
static const struct pg_statement list[] = {{"person_list", sql_person_list},
                                           {"person_list_desc", sql_person_list_desc}};
static const struct pg_statement list_few[] = {
    {"person_list_few", sql_person_list_few},
    {"person_list_few_desc", sql_person_list_few_desc}};

static enum dbk_code fetch(struct persons *persons, uint64_t after, size_t part,
                           struct dbk_rows *rows, bool *full, struct dbk_error *err)
{
    const struct pg_statement *statements = persons->few ? list_few : list;
    char behind[8], limit[8], events[8];
    struct pg_param params[FILTER_PARAMS + 4];
    const struct read_query query = {.asker = persons->asker,
                                     .statement = &statements[persons->descending],
                                     .params = params,
                                     .count = FILTER_PARAMS + 4,
                                     .add = read_add_person,
                                     .plan_each_time = persons->few,
                                     .rows_max = part,
                                     .bytes_max = persons->bytes_max};

    put_filter(persons->filter, params);
    params[FILTER_PARAMS] = read_behind(behind, after, persons->descending);
    params[FILTER_PARAMS + 1] = pg_int8(limit, (int64_t)part + 1);
    params[FILTER_PARAMS + 2] = pg_int8(events, persons->events_limit);
    params[FILTER_PARAMS + 3] = read_zone(rows);
    return read_query_run(persons->model, &query, persons->deadline, rows, full, err);
}

/* As for events. */
static enum dbk_code fetch_persons(void *context, uint64_t after, size_t part,
                                   struct dbk_rows *rows, bool *full,
                                   struct dbk_error *err)
{
    struct persons *persons = context;
    size_t before = rows->count;
    enum dbk_code code = fetch(persons, after, part, rows, full, err);

    if (code == DBK_OK && rows->count > before && rows->rows[before].cursor == 0) {
        rows_truncate(rows, before);
        persons->few = false;
        code = fetch(persons, after, part, rows, full, err);
    }
    return code;
}

enum dbk_code dbk_read_persons(struct dbk_read_model *model,
                               const struct dbk_page *page,
                               const struct dbk_person_filter *filter,
                               unsigned events_limit, struct dbk_rows *rows,
                               struct dbk_error *err)
{
    struct persons persons = {.model = model,
                              .filter = filter,
                              .deadline = dbk_deadline_in(model->timeout_ms),
                              .bytes_max = page->max_bytes,
                              .descending = page->descending,
                              .few = filter->has_id || filter->properties.length > 0,
                              .asker = read_asker(page->asker),
                              .events_limit = read_events_limit(rows, events_limit)};

    return read_in_parts(page, FIRST_PART, fetch_persons, &persons, rows, err);
}

enum dbk_code dbk_count_persons(struct dbk_read_model *model,
                                const struct dbk_person_filter *filter, bool exact,
                                struct dbk_count *count, struct dbk_error *err)
{
    static const struct read_count_statements statements = {
        {"person_count", sql_person_count}, {NULL, sql_person_estimate}};
    struct pg_param params[FILTER_PARAMS];

    put_filter(filter, params);
    return read_count(model, &statements, params, FILTER_PARAMS, exact, count, err);
}
