/* GET /events, GET /events/{id}. */
#include "etag.h"
#include "handlers.h"
#include "list.h"
#include "logged.h"
#include "render_logged.h"
#include "request.h"
#include "response.h"

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
                        .of = DBK_SET_ASIDE_EVENTS,
                        .context = &filter,
                        .nothing =
                            "The request was successful, and no events match it"};

    read_filter(rq, &filter);
    list.of_person = filter.has_person_id ? &filter.person_id : NULL;
    list_params(rq, &list);
    return list_answer(rq, rs, &list, err);
}

/* The log has each event by its id, and is never behind: so this waits for no tables, and
 * is answered while PostgreSQL is away. */
enum dbk_code handle_get_event(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    uint64_t head, sequence;
    struct dbk_record event;
    char tag[ETAG_MAX];

    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK ||
        logged_event(rq, &rq->match.id, &event, &sequence, err) != DBK_OK)
        return err->code;
    response_header_number(rs, "Daybook-Projected-Sequence", head);
    etag_format(tag, sequence, (struct dbk_slice){NULL, 0});
    rs->cache_control = "private, no-cache";
    if (response_tag(rs, rq, tag))
        return DBK_OK;
    response_begin(rs);
    if (!render_stored_event(&rs->body, &event))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for an event");
    return response_end(rs, 200, DETAILS_OK, err);
}
