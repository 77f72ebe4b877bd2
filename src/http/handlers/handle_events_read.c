/* GET /events, GET /events/{id}. */
#include "fresh.h"
#include "handlers.h"
#include "lend.h"
#include "list.h"
#include "one.h"
#include "request.h"
#include "response.h"
#include "worker.h"

static void read_filter(struct request *rq, struct dbk_event_filter *filter)
{
    const struct params *params = &rq->params;

    filter->has_person_id =
        params_uuid(params, "person_id", &filter->person_id, &rq->fields);
    filter->has_since = params_timestamp(params, "since", &filter->since, &rq->fields);
    filter->has_until = params_timestamp(params, "until", &filter->until, &rq->fields);
    params_event_type(params, "keyword", &filter->event_type, &rq->fields);
    params_object(params, "properties", &filter->properties, &rq->fields);
}

static enum dbk_code read_page(struct dbk_read_model *model,
                               const struct dbk_page *page, const void *context,
                               struct dbk_rows *rows, struct dbk_error *err)
{
    return dbk_read_events(model, page, context, rows, err);
}

enum dbk_code handle_list_events(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    struct dbk_event_filter filter = {0};
    struct list list = {.read = read_page,
                        .context = &filter,
                        .nothing =
                            "The request was successful, and no events match it"};

    read_filter(rq, &filter);
    list_params(rq, &list);
    return list_answer(rq, rs, &list, err);
}

static enum dbk_code answer_event(struct request *rq, struct response *rs,
                                  enum dbk_code code, struct dbk_error *err)
{
    if (code == DBK_NOT_FOUND)
        return fresh_no_event(rq, &rq->match.id, &rq->fresh, err);
    return code == DBK_OK ? one_answer(rq, rs, TAG_VERSION, err) : code;
}

enum dbk_code handle_get_event(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    struct dbk_read_model *model = rq->service->model;
    struct dbk_rows *rows = &rq->worker->rows;
    struct dbk_look_up *look_up;

    if (fresh_wait(rq, rs, 0, &rq->fresh, err) != DBK_OK)
        return err->code;
    look_up = lend(rq, rs, answer_event);
    if (!look_up)
        return answer_event(rq, rs, dbk_read_event(model, &rq->match.id, rows, err),
                            err);
    dbk_look_up_event(model, &rq->match.id, rows, look_up);
    return DBK_OK;
}
