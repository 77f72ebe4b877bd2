/* GET /events, GET /events/{id}. */
#include "etag.h"
#include "handlers.h"
#include "list.h"
#include "logged.h"
#include "render_logged.h"
#include "request.h"
#include "response.h"
#include "whose.h"
#include "withheld.h"
#include "worker.h"

#include <assert.h>

/* What GET /events asks for. */
struct search {
    struct dbk_event_filter filter;
    enum whose whose;
};

static enum dbk_code read_search(struct request *rq, struct search *search,
                                 struct dbk_error *err)
{
    const struct params *params = &rq->params;
    struct dbk_event_filter *filter = &search->filter;

    filter->has_since = params_timestamp(params, "since", &filter->since, &rq->fields);
    filter->has_until = params_timestamp(params, "until", &filter->until, &rq->fields);
    filter->event_types_count =
        params_event_types(params, filter->event_types, &rq->fields);
    whose_anonymous_id(rq, &filter->anonymous_id);
    if (whose_asked(rq, &search->whose, &filter->person_id, err) != DBK_OK)
        return err->code;
    filter->has_person_id = search->whose == WHOSE_ONE;
    /* The index has values by their paths, so none finds empty objects and arrays; of one
     * person or anonymous id they are looked for event by event. */
    if (search->whose != WHOSE_ANYBODY || filter->anonymous_id.length > 0)
        params_object(params, "properties", &filter->properties, &rq->fields);
    else
        params_contained(params, "properties", &filter->properties, &rq->fields);
    return DBK_OK;
}

static enum dbk_code read_page(struct dbk_read_model *model,
                               const struct dbk_page *page, const void *context,
                               struct dbk_rows *rows, struct dbk_error *err)
{
    return dbk_read_events(model, page, context, rows, err);
}

static enum dbk_code count_rows(struct dbk_read_model *model, const void *context,
                                bool exact, struct dbk_count *count,
                                struct dbk_error *err)
{
    return dbk_count_events(model, context, exact, count, err);
}

enum dbk_code handle_list_events(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    static_assert(PARAMS_REPEATED_MAX <= DBK_FILTER_TYPES_MAX, "each is looked for");
    struct search search = {0};
    const struct dbk_restricted *withheld;
    struct list list = {.read = read_page,
                        .count = count_rows,
                        .of = DBK_SET_ASIDE_EVENTS,
                        .context = &search.filter,
                        .nothing =
                            "The request was successful, and no events match it"};

    if (read_search(rq, &search, err) != DBK_OK ||
        withheld_all(rq, &withheld, err) != DBK_OK)
        return err->code;
    search.filter.without = withheld->list;
    search.filter.without_count = withheld->count;
    list.of_nobody = search.whose == WHOSE_NOBODY ||
                     (search.whose == WHOSE_ONE &&
                      dbk_restricted_has(withheld, &search.filter.person_id));
    list.of_person = search.whose == WHOSE_ANYBODY ? NULL : &search.filter.person_id;
    list_params(rq, &list);
    return list_answer(rq, rs, &list, err);
}

/* The log has each event by its id, and is never behind: so this waits for no tables, and
 * is answered while PostgreSQL is away. The tag is that of the event, which never changes;
 * where it is shown in another form, or whose it is can change, it is of the text, too. */
enum dbk_code handle_get_event(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    unsigned shown = rq->worker->rows.shown;
    uint64_t head, sequence;
    struct dbk_record event;
    struct dbk_slice json = {NULL, 0};
    char tag[ETAG_MAX];
    size_t at;

    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK ||
        logged_event(rq, &rq->match.id, &event, &sequence, err) != DBK_OK ||
        withheld_check(rq, &event.person_id, err) != DBK_OK)
        return err->code;
    response_header_number(rs, "Daybook-Projected-Sequence", head);
    response_begin(rs);
    at = rs->body.length;
    if (!render_stored_event(&rs->body, &event, shown))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for an event");
    if (shown || rs->body.zone || event.anonymous_id.length > 0)
        json = (struct dbk_slice){rs->body.text + at, rs->body.length - at};
    etag_format(tag, sequence, json);
    rs->cache_control = "private, no-cache";
    if (response_tag(rs, rq, tag))
        return DBK_OK;
    return response_end(rs, 200, DETAILS_OK, err);
}
