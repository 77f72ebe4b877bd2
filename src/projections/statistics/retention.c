/* Who came back. */
#include "projections/statistics.h"
#include "sql.h"
#include "statistics_ask.h"

#define PARAMS 8

enum { FROM, PERSONS, LAST, BEHIND, CAME_BACK };

static bool begins_cohort(const struct pg_result *result, size_t row)
{
    return row == 0 || pg_binary_timestamp(result, row, FROM) !=
                           pg_binary_timestamp(result, row - 1, FROM);
}

static size_t count_cohorts(const struct pg_result *result)
{
    size_t count = 0;

    for (size_t row = 0; row < pg_rows(result); row++)
        count += begins_cohort(result, row);
    return count;
}

static void cohort_begin(struct dbk_cohort *cohort, const struct pg_result *result,
                         size_t row)
{
    int64_t last = pg_null(result, row, LAST) ? 0 : pg_binary_int8(result, row, LAST);

    *cohort = (struct dbk_cohort){
        .from = pg_binary_timestamp(result, row, FROM),
        .persons = (uint64_t)pg_binary_int8(result, row, PERSONS),
    };
    if (last < 0)
        last = 0;
    cohort->count =
        last < DBK_RETENTION_MAX ? (size_t)last + 1 : (size_t)DBK_RETENTION_MAX;
}

static void visit_all(const struct pg_result *result, dbk_cohort_visit *visit,
                      void *context)
{
    struct dbk_cohort cohort = {0};

    for (size_t row = 0; row < pg_rows(result); row++) {
        if (begins_cohort(result, row)) {
            if (row > 0)
                visit(context, &cohort);
            cohort_begin(&cohort, result, row);
        }
        if (!pg_null(result, row, BEHIND)) {
            int64_t behind = pg_binary_int8(result, row, BEHIND);
            if (behind >= 0 && behind < DBK_RETENTION_MAX)
                cohort.returned[behind] =
                    (uint64_t)pg_binary_int8(result, row, CAME_BACK);
        }
    }
    if (pg_rows(result) > 0)
        visit(context, &cohort);
}

enum dbk_code dbk_read_retention(struct dbk_read_model *model,
                                 const struct dbk_retention_query *query,
                                 dbk_cohort_visit *visit, void *context,
                                 struct dbk_error *err)
{
    static const struct pg_statement statement = {"retention", sql_retention};
    char since[8], until[8], buckets[8], cohorts[8];
    struct pg_param params[PARAMS] = {
        pg_bytes(query->first),
        pg_bytes(query->then),
        statistics_unit(query->by),
        pg_text(query->zone),
        [6] = pg_int8(buckets, DBK_RETENTION_MAX),
        [7] = pg_int8(cohorts, DBK_RETENTION_MAX + 1),
    };
    struct statistics_ask ask = {.asker = query->asker,
                                 .zone = query->zone,
                                 .range = &query->range,
                                 .since = since,
                                 .until = until,
                                 .statement = &statement,
                                 .params = params,
                                 .count = PARAMS,
                                 .rows_max =
                                     (DBK_RETENTION_MAX + 1) * DBK_RETENTION_MAX};
    enum dbk_code code;

    statistics_range(&query->range, since, until, &params[4]);
    code = statistics_ask(model, &ask, err);
    if (code != DBK_OK)
        return code;
    if (count_cohorts(ask.result) > DBK_RETENTION_MAX)
        code = dbk_fail(err, DBK_TOO_LARGE, "More than %d cohorts", DBK_RETENTION_MAX);
    else
        visit_all(ask.result, visit, context);
    pg_clear(ask.result);
    return code;
}
