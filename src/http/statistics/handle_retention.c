/* GET /events/retention: who came back. */
#include "handlers.h"
#include "statistics_answer.h"
#include "statistics_params.h"

struct retention {
    struct dbk_render *body;
    bool first;
};

static void put(void *context, const struct dbk_cohort *cohort)
{
    struct retention *retention = context;
    struct dbk_render *body = retention->body;

    dbk_render_text(body, retention->first ? "{\"from\":" : ",{\"from\":");
    retention->first = false;
    dbk_render_timestamp(body, cohort->from);
    dbk_render_text(body, ",\"persons\":");
    dbk_render_number(body, cohort->persons);
    dbk_render_text(body, ",\"returned\":[");
    for (size_t k = 0; k < cohort->count; k++) {
        if (k > 0)
            dbk_render_text(body, ",");
        dbk_render_number(body, cohort->returned[k]);
    }
    dbk_render_text(body, "]}");
}

enum dbk_code handle_retention(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    struct retention retention = {.body = &rs->body, .first = true};
    struct dbk_retention_query query = {.by = DBK_BY_WEEK};
    struct statistics statistics;
    char zone[ZONE_MAX + 1];

    statistics_params_type(&rq->params, "first", &query.first, &rq->fields);
    statistics_params_type(&rq->params, "then", &query.then, &rq->fields);
    statistics_params_by(&rq->params, false, &query.by, &rq->fields);
    statistics_params_zone(&rq->params, zone, &rq->fields);
    statistics_params_range(&rq->params, zone, &query.range, &rq->fields);
    if (statistics_begin(rq, rs, NULL, &statistics, err) != DBK_OK)
        return err->code;
    query.zone = zone;
    query.asker = &statistics.asker;
    response_begin(rs);
    dbk_render_text(&rs->body, "[");
    if (dbk_read_retention(rq->service->model, &query, put, &retention, err) != DBK_OK)
        return statistics_fail(rq, "by",
                               "there are more than 100 cohorts: ask for longer ones, "
                               "or for fewer with since and until",
                               err);
    dbk_render_text(&rs->body, "]");
    return statistics_end(rq, rs, &statistics, err);
}
