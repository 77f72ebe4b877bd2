/* How many events by time. */
#include "pg_array.h"
#include "projections/statistics.h"
#include "sql.h"
#include "statistics_ask.h"

#include <string.h>

#define PARAMS_MAX 8
#define HOUR_US INT64_C(3600000000)
#define DAY_US (24 * HOUR_US)

/* A statement and its parameters. */
struct stats {
    struct pg_statement statement;
    struct pg_param params[PARAMS_MAX];
    int count;
    char since[8], until[8], limit[8];
};

static enum dbk_code put_types(struct pg_array *array,
                               const struct dbk_stats_query *query,
                               struct pg_param *param, struct dbk_error *err)
{
    *param = (struct pg_param){NULL, 0, false};
    if (query->types_count == 0)
        return DBK_OK;
    for (size_t i = 0; i < query->types_count; i++)
        pg_array_text(array, query->types[i]);
    return pg_array_param(array, param, err);
}

static void visit_all(const struct pg_result *result, dbk_stats_visit *visit,
                      void *context)
{
    enum { FROM, EVENTS, PERSONS, TYPE };

    for (size_t row = 0; row < pg_rows(result); row++) {
        const struct dbk_stats_row one = {
            .from = pg_binary_timestamp(result, row, FROM),
            .events = (uint64_t)pg_binary_int8(result, row, EVENTS),
            .persons = (uint64_t)pg_binary_int8(result, row, PERSONS),
            .event_type = pg_value(result, row, TYPE),
        };
        visit(context, &one);
    }
}

/* Whether all of it are such stretches of UTC, of which a table has the counts. */
static bool is_of_whole(const struct dbk_stats_query *query, int64_t stretch_us)
{
    return !query->person_id && !query->unique && strcmp(query->zone, "UTC") == 0 &&
           statistics_range_is_whole(&query->range, stretch_us);
}

static bool is_of_days(const struct dbk_stats_query *query)
{
    return query->by != DBK_BY_HOUR && is_of_whole(query, DAY_US);
}

static void choose(struct stats *stats, const struct dbk_stats_query *query,
                   struct pg_param types)
{
    struct pg_param *next = stats->params;

    *next++ = statistics_unit(query->by);
    if (!is_of_whole(query, HOUR_US))
        *next++ = pg_text(query->zone);
    *next++ = types;
    statistics_range(&query->range, stats->since, stats->until, next);
    next += 2;
    *next++ = statistics_flag(query->by_type);
    if (query->person_id) {
        *next++ = pg_uuid(query->person_id);
        stats->statement = (struct pg_statement){"stats_person", sql_stats_person};
    } else if (is_of_days(query)) {
        stats->statement = (struct pg_statement){"stats_days", sql_stats_days};
    } else if (is_of_whole(query, HOUR_US)) {
        stats->statement = (struct pg_statement){"stats_hours", sql_stats_hours};
    } else {
        *next++ = statistics_flag(query->unique);
        stats->statement = (struct pg_statement){"stats", sql_stats};
    }
    *next++ = pg_int8(stats->limit, DBK_STATS_ROWS_MAX + 1);
    stats->count = (int)(next - stats->params);
}

enum dbk_code dbk_read_stats(struct dbk_read_model *model,
                             const struct dbk_stats_query *query,
                             dbk_stats_visit *visit, void *context,
                             struct dbk_error *err)
{
    struct stats stats;
    struct statistics_ask ask = {.asker = query->asker,
                                 .zone = query->zone,
                                 .range = &query->range,
                                 .since = stats.since,
                                 .until = stats.until,
                                 .statement = &stats.statement,
                                 .params = stats.params,
                                 .rows_max = DBK_STATS_ROWS_MAX};
    struct pg_param param;
    struct pg_array types;
    enum dbk_code code;

    pg_array_init(&types, PG_TEXT);
    code = put_types(&types, query, &param, err);
    if (code == DBK_OK) {
        choose(&stats, query, param);
        ask.count = stats.count;
        code = statistics_ask(model, &ask, err);
    }
    pg_array_finish(&types);
    if (code != DBK_OK)
        return code;
    visit_all(ask.result, visit, context);
    pg_clear(ask.result);
    return DBK_OK;
}
