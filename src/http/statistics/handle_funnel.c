/* GET /events/funnel: who did one thing after the other. */
#include "handlers.h"
#include "statistics_answer.h"
#include "statistics_params.h"

#include <stdio.h>

/* Of the first step's persons, from 0 to 1, with six digits behind the point, rounded: so
 * that it reads the same wherever it is worked out. */
static void put_share(struct dbk_render *body, uint64_t persons, uint64_t of)
{
    char text[32];

    snprintf(text, sizeof text, "%.6f", of ? (double)persons / (double)of : 0.0);
    dbk_render_text(body, text);
}

static void put_steps(struct dbk_render *body, const struct dbk_funnel_query *query,
                      const uint64_t *persons)
{
    dbk_render_text(body, "{\"within_seconds\":");
    dbk_render_number(body, (uint64_t)(query->within_us / 1000000));
    dbk_render_text(body, ",\"steps\":[");
    for (size_t k = 0; k < query->steps_count; k++) {
        dbk_render_text(body, k ? ",{\"event_type\":" : "{\"event_type\":");
        dbk_render_string(body, query->steps[k]);
        dbk_render_text(body, ",\"persons\":");
        dbk_render_number(body, persons[k]);
        dbk_render_text(body, ",\"share\":");
        put_share(body, persons[k], persons[0]);
        dbk_render_text(body, "}");
    }
    dbk_render_text(body, "]}");
}

enum dbk_code handle_funnel(struct request *rq, struct response *rs,
                            struct dbk_error *err)
{
    struct dbk_funnel_query query = {.steps_count = 0};
    uint64_t persons[DBK_FUNNEL_STEPS_MAX];
    struct statistics statistics;
    struct type_list steps;

    statistics_params_types(&rq->params, "steps", DBK_FUNNEL_STEPS_MIN,
                            DBK_FUNNEL_STEPS_MAX, &steps, &rq->fields);
    statistics_params_within(&rq->params, &query.within_us, &rq->fields);
    statistics_params_range(&rq->params, NULL, &query.range, &rq->fields);
    if (statistics_begin(rq, rs, NULL, &statistics, err) != DBK_OK)
        return err->code;
    query.asker = &statistics.asker;
    query.steps_count = steps.count;
    for (size_t k = 0; k < steps.count; k++)
        query.steps[k] = steps.types[k];
    if (dbk_read_funnel(rq->service->model, &query, persons, err) != DBK_OK)
        return statistics_fail(rq, "steps", "too many", err);
    response_begin(rs);
    put_steps(&rs->body, &query, persons);
    return statistics_end(rq, rs, &statistics, err);
}
