#include "compare_private.h"

#include "sql.h"
#include "statistic.h"
#include "store/watch.h"
#include "table.h"

#include <string.h>

enum { QUERY_MS = 60000, TICK_MS = 200 };
enum plan_column { COLUMNS, STATEMENT };
enum column { KIND, ID, SEQUENCE, DIFFERING, MISSING, EXTRA, CHANGED };
enum statistic_column {
    S_KIND,
    S_ID,
    S_DIFFERING,
    S_HOW,
    S_MISSING,
    S_EXTRA,
    S_CHANGED
};

enum dbk_code compare_explain(const struct pg *pg, enum dbk_code code,
                              struct dbk_error *err)
{
    const char *sqlstate = pg_sqlstate(pg);
    char text[sizeof err->text];

    if (strcmp(sqlstate, "42P01") != 0 && strcmp(sqlstate, "3F000") != 0)
        return code;
    memcpy(text, err->text, sizeof text);
    return dbk_fail(err, DBK_NOT_FOUND,
                    "the read tables are not there, or not whole: %s", text);
}

static enum dbk_code run(struct pg *pg, const char *sql, const struct pg_param *params,
                         int count, int timeout_ms, struct pg_result **result,
                         struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql};

    return pg_run(pg, &statement, params, count, timeout_ms, result, err);
}

static void tell(const struct dbk_compare_options *options, const char *table,
                 const struct pg_result *rows, size_t i)
{
    const struct dbk_difference one = {
        .kind = pg_value(rows, i, KIND).data,
        .table = table,
        .id = pg_value(rows, i, ID).data,
        .sequence = pg_u64(rows, i, SEQUENCE),
        .columns = pg_value(rows, i, DIFFERING).data,
    };

    if (options->difference)
        options->difference(options->context, &one);
}

static void tell_columns(const struct dbk_compare_options *options, const char *table,
                         const char *columns)
{
    const struct dbk_difference one = {
        .kind = "columns", .table = table, .id = "", .columns = columns};

    if (options->difference)
        options->difference(options->context, &one);
}

static void take_rows(const struct pg_result *rows, const char *table,
                      const struct dbk_compare_options *options,
                      struct dbk_compare_result *result)
{
    for (size_t i = 0; i < pg_rows(rows); i++)
        tell(options, table, rows, i);
    if (pg_rows(rows) == 0)
        return;
    result->missing += pg_u64(rows, 0, MISSING);
    result->extra += pg_u64(rows, 0, EXTRA);
    result->changed += pg_u64(rows, 0, CHANGED);
}

/* However long it takes, as long as the watch lets us. */
static enum dbk_code run_watched(struct pg *pg, const char *sql, size_t table,
                                 const struct dbk_watch *watch,
                                 struct pg_result **result, struct dbk_error *err)
{
    enum dbk_code code = pg_launch(pg, sql, err), waited = DBK_TIMEOUT;
    size_t which;

    *result = NULL;
    while (code == DBK_OK && waited == DBK_TIMEOUT) {
        code = dbk_watch_progress(watch, "comparing", "tables", table,
                                  TABLES + STATISTICS, err);
        if (code == DBK_OK)
            waited = pg_wait_any(&pg, 1, TICK_MS, &which, err);
    }
    if (code != DBK_OK || waited != DBK_OK)
        return err->code;
    return pg_conclude(pg, result, err);
}

/* Run a statement that makes another one, and that one, which stands in this column of the
 * first one's row. */
static enum dbk_code run_made(struct pg *pg, const char *sql,
                              const struct pg_param *params, int count, int column,
                              size_t table, const struct dbk_watch *watch,
                              struct pg_result **plan, struct pg_result **rows,
                              struct dbk_error *err)
{
    enum dbk_code code = run(pg, sql, params, count, QUERY_MS, plan, err);

    *rows = NULL;
    if (code == DBK_OK)
        code =
            run_watched(pg, pg_value(*plan, 0, column).data, table, watch, rows, err);
    return code;
}

static enum dbk_code compare_table(struct pg *pg, size_t i, const char *live,
                                   const char *built,
                                   const struct dbk_compare_options *options,
                                   struct dbk_compare_result *result,
                                   struct dbk_error *err)
{
    char number[8];
    const struct pg_param params[] = {
        pg_text(live),
        pg_text(built),
        pg_text(tables[i]->name),
        pg_text(tables[i]->person),
        pg_int8(number, options->most > 0 ? options->most : 1),
        pg_text(tables[i]->anonymous)};
    struct pg_result *plan = NULL, *rows = NULL;
    enum dbk_code code = run_made(pg, sql_compare_statement, params, 6, STATEMENT, i,
                                  &options->watch, &plan, &rows, err);

    if (code == DBK_OK && pg_value(plan, 0, COLUMNS).length > 0) {
        tell_columns(options, tables[i]->name, pg_value(plan, 0, COLUMNS).data);
        result->columns++;
    }
    if (code == DBK_OK)
        take_rows(rows, tables[i]->name, options, result);
    pg_clear(plan);
    pg_clear(rows);
    return code == DBK_OK ? DBK_OK : compare_explain(pg, code, err);
}

static void take_statistics(const struct pg_result *rows, const char *table,
                            const struct dbk_compare_options *options,
                            struct dbk_compare_result *result)
{
    for (size_t i = 0; i < pg_rows(rows) && options->difference; i++) {
        const struct dbk_difference one = {
            .kind = pg_value(rows, i, S_KIND).data,
            .table = table,
            .id = pg_value(rows, i, S_ID).data,
            .columns = pg_value(rows, i, S_DIFFERING).data,
            .how = pg_value(rows, i, S_HOW).data,
        };

        options->difference(options->context, &one);
    }
    if (pg_rows(rows) > 0)
        result->statistics += pg_u64(rows, 0, S_MISSING) + pg_u64(rows, 0, S_EXTRA) +
                              pg_u64(rows, 0, S_CHANGED);
}

static enum dbk_code compare_statistic(struct pg *pg, size_t i, const char *live,
                                       const char *right_events,
                                       const struct dbk_compare_options *options,
                                       struct dbk_compare_result *result,
                                       struct dbk_error *err)
{
    char number[8];
    const struct pg_param params[] = {
        pg_text(live),
        pg_int8(number, options->most > 0 ? options->most : 1),
        pg_text(right_events),
        pg_text(statistics[i].name),
        pg_text(statistics[i].unit),
        pg_text(statistics[i].told)};
    struct pg_result *plan = NULL, *rows = NULL;
    enum dbk_code code = run_made(pg, sql_compare_counted, params, 6, 0, TABLES + i,
                                  &options->watch, &plan, &rows, err);

    if (code == DBK_OK)
        take_statistics(rows, statistics[i].name, options, result);
    pg_clear(plan);
    pg_clear(rows);
    return code == DBK_OK ? DBK_OK : compare_explain(pg, code, err);
}

static enum dbk_code count(struct pg *pg, const char *live, const char *built,
                           const struct dbk_watch *watch,
                           struct dbk_compare_result *result, struct dbk_error *err)
{
    const struct pg_param params[] = {pg_text(live), pg_text(built)};
    struct pg_result *rows = NULL, *plan = NULL, *aside = NULL;
    enum dbk_code code = run_watched(pg, sql_compare_counts, 0, watch, &rows, err);

    if (code == DBK_OK)
        code = run_made(pg, sql_compare_quarantined, params, 2, 0, 0, watch, &plan,
                        &aside, err);
    if (code == DBK_OK) {
        result->persons = pg_u64(rows, 0, 0);
        result->events = pg_u64(rows, 0, 1);
        result->quarantined = pg_u64(aside, 0, 0);
    }
    pg_clear(rows);
    pg_clear(plan);
    pg_clear(aside);
    return code == DBK_OK ? DBK_OK : compare_explain(pg, code, err);
}

static enum dbk_code compare_statistics(struct pg *pg, const char *live,
                                        const char *built,
                                        const struct dbk_compare_options *options,
                                        struct dbk_compare_result *result,
                                        struct dbk_error *err)
{
    const struct pg_param params[] = {pg_text(live), pg_text(built)};
    struct pg_result *right = NULL;
    enum dbk_code code =
        run(pg, sql_compare_right_events, params, 2, QUERY_MS, &right, err);

    for (size_t i = 0; i < STATISTICS && code == DBK_OK; i++)
        code = compare_statistic(pg, i, live, pg_value(right, 0, 0).data, options,
                                 result, err);
    pg_clear(right);
    return code;
}

enum dbk_code compare_rows(struct pg *pg, const char *live, const char *built,
                           const struct dbk_compare_options *options,
                           struct dbk_compare_result *result, struct dbk_error *err)
{
    enum dbk_code code = count(pg, live, built, &options->watch, result, err);

    for (size_t i = 0; i < TABLES && code == DBK_OK; i++)
        code = compare_table(pg, i, live, built, options, result, err);
    if (code == DBK_OK)
        code = compare_statistics(pg, live, built, options, result, err);
    return code;
}
