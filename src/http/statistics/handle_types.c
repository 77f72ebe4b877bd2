/* GET /events/types: which types of events there are. */
#include "handlers.h"
#include "statistics_answer.h"

#define LIMIT_DEFAULT 1000

struct types {
    struct dbk_render *body;
    bool first;
};

static void put(void *context, const struct dbk_type_row *row)
{
    struct types *types = context;
    struct dbk_render *body = types->body;

    dbk_render_text(body, types->first ? "{\"event_type\":" : ",{\"event_type\":");
    types->first = false;
    dbk_render_string(body, row->event_type);
    dbk_render_text(body, ",\"count\":");
    dbk_render_number(body, row->events);
    dbk_render_text(body, ",\"first\":");
    dbk_render_timestamp(body, row->first);
    dbk_render_text(body, ",\"last\":");
    dbk_render_timestamp(body, row->last);
    dbk_render_text(body, "}");
}

enum dbk_code handle_types(struct request *rq, struct response *rs,
                           struct dbk_error *err)
{
    struct types types = {.body = &rs->body, .first = true};
    struct statistics statistics;
    uint64_t limit = LIMIT_DEFAULT;

    params_unsigned(&rq->params, "limit", 1, DBK_TYPES_MAX, &limit, &rq->fields);
    if (statistics_begin(rq, rs, NULL, &statistics, err) != DBK_OK)
        return err->code;
    response_begin(rs);
    dbk_render_text(&rs->body, "[");
    if (dbk_read_types(rq->service->model, &statistics.asker, (unsigned)limit, put,
                       &types, err) != DBK_OK)
        return statistics_fail(rq, "limit", "it comes to more than 10000 rows", err);
    dbk_render_text(&rs->body, "]");
    return statistics_end(rq, rs, &statistics, err);
}
