/* Running the read model's statements on connections that may have died meanwhile. */
#include "read_query.h"
#include "dbk_sql.h"
#include "rows.h"

#include <string.h>

struct collection {
    const struct read_query *query;
    struct dbk_rows *rows;
    size_t taken;
    bool full;
    bool no_memory;
};

static bool collect(void *context, const struct dbk_pg_result *row)
{
    struct collection *to = context;
    struct dbk_slice json = dbk_pg_value(row, 0, 2);
    struct dbk_rows *rows = to->rows;

    to->full = rows->count > 0 && rows->bytes_used + json.length > to->query->bytes_max;
    rows->more = to->full || to->taken == to->query->rows_max;
    if (rows->more)
        return false;
    if (!rows_add(rows, dbk_pg_u64(row, 0, 0), dbk_pg_u64(row, 0, 1), json)) {
        to->no_memory = true;
        return false;
    }
    to->taken++;
    return true;
}

static enum dbk_code run_on(struct dbk_pg *pg, const struct read_query *query,
                            dbk_deadline deadline, struct collection *to,
                            struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (query->plan_each_time)
        code =
            dbk_pg_script(pg, dbk_sql_plan_each_time, dbk_deadline_left(deadline), err);
    if (code == DBK_OK)
        code = dbk_pg_each(pg, query->statement, query->params, query->count,
                           dbk_deadline_left(deadline), collect, to, err);
    if (code != DBK_OK && !strcmp(dbk_pg_sqlstate(pg), "42P01"))
        dbk_fail(err, code, "The read tables are missing: run daybook migrate");
    /* Where this fails the connection is dead, and given back as such. */
    if (query->plan_each_time && dbk_pg_alive(pg))
        dbk_pg_script(pg, dbk_sql_plan_once, dbk_deadline_left(deadline), NULL);
    return code;
}

static enum dbk_code run_once(struct dbk_read_model *model,
                              const struct read_query *query, dbk_deadline deadline,
                              struct collection *to, bool *lost, struct dbk_error *err)
{
    struct dbk_pg *pg;
    enum dbk_code code;

    *lost = false;
    code = dbk_pool_take(model->pool, deadline, &pg, err);
    if (code != DBK_OK)
        return code;
    code = run_on(pg, query, deadline, to, err);
    *lost = code == DBK_UNAVAILABLE && !dbk_pg_alive(pg);
    dbk_pool_give(model->pool, pg);
    if (code == DBK_OK && to->no_memory)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    return code;
}

enum dbk_code read_query_run(struct dbk_read_model *model,
                             const struct read_query *query, dbk_deadline deadline,
                             struct dbk_rows *rows, bool *full, struct dbk_error *err)
{
    struct collection to = {.query = query, .rows = rows};
    size_t before = rows->count;
    enum dbk_code code;
    bool lost;

    rows->more = false;
    code = run_once(model, query, deadline, &to, &lost, err);
    if (lost) {
        /* PostgreSQL may have been restarted since; a read may be asked again. */
        rows_truncate(rows, before);
        to = (struct collection){.query = query, .rows = rows};
        rows->more = false;
        dbk_pool_renew(model->pool);
        code = run_once(model, query, deadline, &to, &lost, err);
    }
    if (full)
        *full = to.full;
    return code;
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
        if (rows->count > 0)
            after = rows->rows[rows->count - 1].cursor;
        part *= 4;
    } while (rows->more && !full && rows->count < page->limit);
    return DBK_OK;
}
