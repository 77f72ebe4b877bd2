/* GET /events/stats: how many events, by time. */
#include "handlers.h"
#include "statistics_answer.h"
#include "statistics_params.h"
#include "whose.h"

struct stats {
    struct dbk_stats_query query;
    char zone[ZONE_MAX + 1];
    struct type_list types;
    enum whose whose;
    struct dbk_uuid person;

    struct dbk_render *body;
    bool first;
};

static enum dbk_code read_query(struct request *rq, struct stats *stats,
                                struct dbk_error *err)
{
    static const char *const no_or_yes[] = {"false", "true", NULL};
    static const char *const groups[] = {"type", NULL};
    struct dbk_stats_query *query = &stats->query;
    const struct params *params = &rq->params;

    *query = (struct dbk_stats_query){.by = DBK_BY_DAY, .zone = stats->zone};
    statistics_params_by(params, true, &query->by, &rq->fields);
    statistics_params_zone(params, stats->zone, &rq->fields);
    statistics_params_range(params, stats->zone, &query->range, &rq->fields);
    statistics_params_types(params, "type", 0, DBK_FILTER_TYPES_MAX, &stats->types,
                            &rq->fields);
    query->unique = params_choice(params, "unique", no_or_yes, &rq->fields) == 1;
    query->by_type = params_choice(params, "group", groups, &rq->fields) == 0;
    query->types_count = stats->types.count;
    for (size_t i = 0; i < stats->types.count; i++)
        query->types[i] = stats->types.types[i];
    if (whose_asked(rq, &stats->whose, &stats->person, err) != DBK_OK)
        return err->code;
    if (stats->whose == WHOSE_ONE)
        query->person_id = &stats->person;
    return DBK_OK;
}

static void put(void *context, const struct dbk_stats_row *row)
{
    struct stats *stats = context;
    struct dbk_render *body = stats->body;

    dbk_render_text(body, stats->first ? "{\"from\":" : ",{\"from\":");
    stats->first = false;
    dbk_render_timestamp(body, row->from);
    if (stats->query.by_type) {
        dbk_render_text(body, ",\"event_type\":");
        dbk_render_string(body, row->event_type);
    }
    dbk_render_text(body, ",\"count\":");
    dbk_render_number(body, row->events);
    if (stats->query.unique) {
        dbk_render_text(body, ",\"persons\":");
        dbk_render_number(body, row->persons);
    }
    dbk_render_text(body, "}");
}

enum dbk_code handle_stats(struct request *rq, struct response *rs,
                           struct dbk_error *err)
{
    struct stats stats = {.body = &rs->body, .first = true};
    struct statistics statistics;

    if (read_query(rq, &stats, err) != DBK_OK)
        return err->code;
    if (statistics_begin(rq, rs, stats.query.person_id, &statistics, err) != DBK_OK)
        return err->code;
    stats.query.asker = &statistics.asker;
    response_begin(rs);
    dbk_render_text(&rs->body, "[");
    if (dbk_read_stats(rq->service->model, &stats.query, put, &stats, err) != DBK_OK)
        return statistics_fail(rq, "by",
                               "it comes to more than 10000 rows: ask for longer "
                               "buckets, or for less with since, until or type",
                               err);
    dbk_render_text(&rs->body, "]");
    return statistics_end(rq, rs, &statistics, err);
}
