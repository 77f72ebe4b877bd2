/* Running the read model's statements on connections that may have died meanwhile. */
#include "read_query.h"
#include "projections/model_json.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"
#include "tables.h"

#include <assert.h>

#define TOGETHER_MAX 100 /* rows */

void read_collection_begin(struct read_collection *to, const struct read_query *query,
                           struct dbk_rows *rows)
{
    *to = (struct read_collection){.query = query, .rows = rows};
    rows->more = false;
}

bool read_collect(struct read_collection *to, const struct pg_result *result,
                  size_t row)
{
    struct dbk_rows *rows = to->rows;
    struct dbk_row added = {0};

    assert(to->taken <= to->query->rows_max);
    rows->more = to->taken == to->query->rows_max;
    if (rows->more)
        return false;
    to->query->add(result, row, rows, &added);
    to->full = rows->count > 0 && rows->json.length > to->query->bytes_max;
    if (to->full) {
        rows->more = true;
        rows_truncate(rows, rows->count);
        return false;
    }
    to->taken++;
    return rows_end(rows, &added);
}

static bool collect_one(void *context, const struct pg_result *row)
{
    return read_collect(context, row, 0);
}

/* A few rows are had for less when they come together, and a few are not much memory
 * even where each is as large as can be. */
static enum dbk_code collect_all(struct read_collection *to, struct pg *pg,
                                 dbk_deadline deadline, struct dbk_error *err)
{
    const struct read_query *query = to->query;
    struct pg_result *result;
    enum dbk_code code;

    if (query->rows_max > TOGETHER_MAX)
        return pg_each(pg, query->statement, query->params, query->count,
                       dbk_deadline_left(deadline), collect_one, to, err);
    code = pg_run(pg, query->statement, query->params, query->count,
                  dbk_deadline_left(deadline), &result, err);
    if (code != DBK_OK)
        return code;
    for (size_t row = 0; row < pg_rows(result); row++) {
        if (!read_collect(to, result, row))
            break;
    }
    pg_clear(result);
    return DBK_OK;
}

/* A query that may have to begin again. */
struct running {
    struct read_collection to;
    size_t before; /* rows that were there */
};

static enum dbk_code run_query(void *context, struct pg *pg, dbk_deadline deadline,
                               struct dbk_error *err)
{
    struct running *running = context;
    struct read_collection *to = &running->to;
    const struct read_query *query = to->query;
    enum dbk_code code = DBK_OK;

    rows_truncate(to->rows, running->before);
    read_collection_begin(to, query, to->rows);
    if (query->plan_each_time)
        code = pg_script(pg, sql_plan_each_time, dbk_deadline_left(deadline), err);
    if (code == DBK_OK)
        code = collect_all(to, pg, deadline, err);
    /* Where this fails the connection is dead, and given back as such. */
    if (query->plan_each_time && pg_alive(pg))
        pg_script(pg, sql_plan_once, dbk_deadline_left(deadline), NULL);
    if (code == DBK_OK && to->rows->no_memory)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    return code;
}

/* Migrating makes no table again that was dropped by hand. */
static enum dbk_code say_missing(struct pg *pg, dbk_deadline deadline,
                                 enum dbk_code code, struct dbk_error *err)
{
    bool made;

    if (tables_made(pg, dbk_deadline_left(deadline), &made) != DBK_OK)
        return code;
    if (made)
        return tables_advise(code, err);
    return dbk_fail(err, code, "The read tables are missing: run daybook migrate");
}

/* Whose connection it is, and why it may have to be given up. */
struct occasion {
    struct dbk_read_model *model;
    const struct dbk_asker *asker;
    const struct standby *standby; /* NULL: the primary */
};

static enum dbk_code go_on(void *context, struct dbk_error *err)
{
    const struct occasion *occasion = context;
    const struct dbk_asker *asker = occasion->asker;

    if (prober_hangs(&occasion->model->prober))
        return prober_refuse(&occasion->model->prober, err);
    if (asker && asker->gone && asker->gone(asker->context))
        return dbk_fail(err, DBK_INTERRUPTED, "The client is gone");
    if (occasion->standby && !atomic_load(&occasion->standby->in))
        return dbk_fail(err, DBK_UNAVAILABLE, "the standby does not answer");
    return DBK_OK;
}

static enum dbk_code work_once(struct pool *pool, struct occasion *occasion,
                               dbk_deadline deadline, read_work *work, void *context,
                               bool *lost, struct dbk_error *err)
{
    const struct pool_asker asker = {occasion->asker ? occasion->asker->client : 0,
                                     go_on, occasion};
    struct pg *pg;
    enum dbk_code code;

    *lost = false;
    code = pool_take(pool, &asker, deadline, &pg, err);
    if (code != DBK_OK)
        return code;
    code = work(context, pg, deadline, err);
    if (code != DBK_OK && tables_broken(pg))
        say_missing(pg, deadline, code, err);
    *lost = code == DBK_UNAVAILABLE && !pg_alive(pg);
    pool_give(pool, pg);
    return code;
}

static void renew(struct dbk_read_model *model)
{
    pool_renew(model->look_ups);
    pool_renew(model->lists);
}

/* What idled while PostgreSQL did not answer may be dead, and would cost a time-out. */
static void renew_after_hang(struct dbk_read_model *model)
{
    unsigned hangs = prober_hang_count(&model->prober);

    if (atomic_load(&model->hangs) != hangs &&
        atomic_exchange(&model->hangs, hangs) != hangs)
        renew(model);
}

/* False: none shows what this read must see, or it failed as only a standby may (it is lost, too
 * busy, replays what the query reads), and the primary is to be asked. */
static bool read_on_standby(struct dbk_read_model *model, const struct dbk_asker *asker,
                            dbk_deadline deadline, read_work *work, void *context,
                            enum dbk_code *code, struct dbk_error *err)
{
    uint64_t wanted = atomic_load(&model->claimed);
    struct standby *standby = standbys_pick(&model->standbys, wanted);
    struct occasion occasion = {model, asker, standby};
    bool lost;

    if (!standby)
        return false;
    *code = work_once(asker ? standby->lists : standby->look_ups, &occasion, deadline,
                      work, context, &lost, err);
    if (lost) {
        standby_leave_out(standby);
        pool_renew(standby->look_ups);
        pool_renew(standby->lists);
    }
    if (*code == DBK_UNAVAILABLE || *code == DBK_BUSY)
        return false;
    dbk_metric_add(DBK_METRIC_STANDBY_READS, 1);
    return true;
}

enum dbk_code read_with_connection(struct dbk_read_model *model,
                                   const struct dbk_asker *asker, dbk_deadline deadline,
                                   read_work *work, void *context,
                                   struct dbk_error *err)
{
    struct pool *pool = asker ? model->lists : model->look_ups;
    struct occasion occasion = {model, asker, NULL};
    enum dbk_code code;
    bool lost;

    if (prober_hangs(&model->prober))
        return prober_refuse(&model->prober, err);
    renew_after_hang(model);
    if (read_on_standby(model, asker, deadline, work, context, &code, err))
        return code;
    code = work_once(pool, &occasion, deadline, work, context, &lost, err);
    if (lost && !prober_hangs(&model->prober)) {
        renew(model);
        code = work_once(pool, &occasion, deadline, work, context, &lost, err);
    }
    if (code == DBK_TIMEOUT)
        prober_suspect(&model->prober);
    return code;
}

const struct dbk_asker *read_asker(const struct dbk_asker *given)
{
    static const struct dbk_asker nobody = {.client = 0};

    return given ? given : &nobody;
}

enum dbk_code read_query_run(struct dbk_read_model *model,
                             const struct read_query *query, dbk_deadline deadline,
                             struct dbk_rows *rows, bool *full, struct dbk_error *err)
{
    struct running running = {.to = {.query = query, .rows = rows},
                              .before = rows->count};
    enum dbk_code code =
        read_with_connection(model, query->asker, deadline, run_query, &running, err);

    if (full)
        *full = running.to.full;
    return code;
}

unsigned read_events_limit(const struct dbk_rows *rows, unsigned limit)
{
    return !rows->shown || (rows->shown & DBK_SHOW_EVENTS) ? limit : 0;
}

int64_t read_behind_number(uint64_t after, bool descending)
{
    if (after > INT64_MAX || (descending && after == 0))
        return INT64_MAX;
    return (int64_t)after;
}

struct pg_param read_behind(char out[8], uint64_t after, bool descending)
{
    return pg_int8(out, read_behind_number(after, descending));
}

enum dbk_code read_in_parts(const struct dbk_page *page, size_t first_part,
                            read_part *fetch, void *context, struct dbk_rows *rows,
                            struct dbk_error *err)
{
    uint64_t after = page->after;
    size_t part = first_part, wanted;
    enum dbk_code code;
    bool full = false;

    rows_clear(rows);
    do {
        wanted = page->limit - rows->count;
        code = fetch(context, after, wanted < part ? wanted : part, rows, &full, err);
        if (code != DBK_OK) {
            rows_clear(rows);
            return code;
        }
        assert(rows->count <= page->limit);
        if (rows->count > 0)
            after = rows->rows[rows->count - 1].cursor;
        part *= 4;
    } while (rows->more && !full && rows->count < page->limit);
    return DBK_OK;
}
