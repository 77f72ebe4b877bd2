#include "load_indexes.h"

#include "sql.h"
#include "statistic.h"
#include "store/watch.h"
#include "table.h"

#include <assert.h>

enum { QUERY_MS = 60000, TICK_MS = 200, TOGETHER_MAX = 4 };
enum { ATTACH_MS = 14 * 24 * 60 * 60 * 1000 }; /* a foreign key reads its whole table */
enum column { DROP, CREATE, ATTACH };

static const char *const phase = "making indexes";

static enum dbk_code read_all(struct load_indexes *indexes, struct pg *pg,
                              struct dbk_error *err)
{
    static const struct pg_statement read = {NULL, sql_load_indexes};
    struct pg_param param;
    struct pg_array names;
    enum dbk_code code;

    pg_array_init(&names, PG_TEXT);
    for (size_t t = 0; t < TABLES; t++)
        pg_array_text(&names, dbk_slice(tables[t]->name));
    for (size_t i = 0; i < STATISTICS; i++)
        pg_array_text(&names, dbk_slice(statistics[i].name));
    code = pg_array_param(&names, &param, err);
    if (code == DBK_OK)
        code = pg_run(pg, &read, &param, 1, QUERY_MS, &indexes->rows, err);
    pg_array_finish(&names);
    return code;
}

enum dbk_code load_indexes_drop(struct load_indexes *indexes, struct pg *pg,
                                struct dbk_error *err)
{
    enum dbk_code code = pg_begin(pg, QUERY_MS, err);

    if (code == DBK_OK)
        code = pg_check_place(pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = read_all(indexes, pg, err);
    for (size_t i = 0; code == DBK_OK && i < pg_rows(indexes->rows); i++)
        code = pg_script(pg, pg_value(indexes->rows, i, DROP).data, QUERY_MS, err);
    return code == DBK_OK ? pg_commit(pg, QUERY_MS, err) : code;
}

void load_indexes_finish(struct load_indexes *indexes)
{
    pg_clear(indexes->rows);
    indexes->rows = NULL;
}

/* Indexes under way. */
struct making {
    const struct load_indexes *indexes;
    struct pg *const *pgs;
    size_t count;
    struct pg *busy[TOGETHER_MAX]; /* NULL: idle */
    size_t busy_count, next, done;
};

/* The next that is an index of its own; the number of rows where there is none. */
static void skip_to_index(struct making *making)
{
    while (making->next < pg_rows(making->indexes->rows) &&
           pg_null(making->indexes->rows, making->next, CREATE))
        making->next++;
}

static enum dbk_code launch_on(struct making *making, size_t i, struct dbk_error *err)
{
    const char *sql = pg_value(making->indexes->rows, making->next, CREATE).data;

    assert(!making->busy[i]); /* a connection has one statement under way */
    making->next++;
    making->busy[i] = making->pgs[i];
    making->busy_count++;
    return pg_launch(making->pgs[i], sql, err);
}

static enum dbk_code launch_all(struct making *making, size_t *at,
                                struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < making->count && code == DBK_OK; i++) {
        skip_to_index(making);
        if (making->busy[i] || making->next == pg_rows(making->indexes->rows))
            continue;
        *at = i;
        code = launch_on(making, i, err);
    }
    return code;
}

static enum dbk_code take_one(struct making *making, size_t *at, struct dbk_error *err)
{
    size_t which;
    enum dbk_code code = pg_wait_any(making->busy, making->count, TICK_MS, &which, err);

    if (code == DBK_TIMEOUT)
        return DBK_OK;
    if (code != DBK_OK)
        return code;
    assert(making->busy_count > 0 && making->busy[which]);
    *at = which;
    making->busy[which] = NULL;
    making->busy_count--;
    making->done++;
    return pg_conclude(making->pgs[which], NULL, err);
}

static enum dbk_code make_all(struct making *making, const struct dbk_watch *watch,
                              size_t *at, struct dbk_error *err)
{
    enum dbk_code code = launch_all(making, at, err);

    while (code == DBK_OK && making->busy_count > 0) {
        code = dbk_watch_progress(watch, phase, "indexes", making->done,
                                  pg_rows(making->indexes->rows), err);
        if (code == DBK_OK)
            code = take_one(making, at, err);
        if (code == DBK_OK)
            code = launch_all(making, at, err);
    }
    return code;
}

enum dbk_code load_indexes_create(const struct load_indexes *indexes,
                                  struct pg *const *pgs, size_t count,
                                  const struct dbk_watch *watch, size_t *at,
                                  struct dbk_error *err)
{
    struct making making = {.indexes = indexes, .pgs = pgs, .count = count};
    enum dbk_code code;

    assert(0 < count && count <= TOGETHER_MAX);
    code = make_all(&making, watch, at, err);

    for (size_t i = pg_rows(indexes->rows); code == DBK_OK && i > 0; i--) {
        *at = 0;
        if (!pg_null(indexes->rows, i - 1, ATTACH))
            code = pg_script(pgs[0], pg_value(indexes->rows, i - 1, ATTACH).data,
                             ATTACH_MS, err);
    }
    return code;
}
