/* GET /admin/quarantine, POST /admin/quarantine/retry: who is set aside, and why; asked of
 * the tables' own rows, as daybook status and daybook retry do. */
#include "admin.h"
#include "handlers.h"
#include "list.h"
#include "response.h"

#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

struct page {
    struct dbk_render *out;
    uint64_t limit, count;
    uint64_t last; /* shown */
    bool more;     /* one came that is beyond the page */
};

static void render_time(struct dbk_render *out, const char *text)
{
    dbk_timestamp at;

    if (dbk_timestamp_parse(text, strlen(text), &at))
        dbk_render_timestamp(out, at);
    else /* beyond the years that a timestamp has */
        dbk_render_string(out, dbk_slice(text));
}

static void render_one(void *context, const struct dbk_quarantined *one)
{
    struct page *page = context;
    struct dbk_render *out = page->out;

    page->more = page->count == page->limit;
    if (page->more)
        return;
    dbk_render_text(out, page->count++ ? ",{\"person_id\":" : "{\"person_id\":");
    if (one->has_person)
        dbk_render_uuid(out, &one->person_id);
    else
        dbk_render_text(out, "null");
    dbk_render_named(out, ",\"anonymous_id\":", dbk_slice(one->anonymous_id));
    dbk_render_text(out, ",\"sequence\":");
    dbk_render_number(out, one->sequence);
    dbk_render_text(out, ",\"reason\":");
    dbk_render_string(out, dbk_slice(one->reason));
    dbk_render_text(out, ",\"quarantined_at\":");
    render_time(out, one->quarantined_at);
    dbk_render_text(out, "}");
    page->last = one->sequence;
}

enum dbk_code handle_list_quarantine(struct request *rq, struct response *rs,
                                     struct dbk_error *err)
{
    struct page page = {.out = &rs->body, .limit = LIMIT_DEFAULT};
    uint64_t after = 0;

    params_unsigned(&rq->params, "limit", 1, LIMIT_MAX, &page.limit, &rq->fields);
    params_unsigned(&rq->params, "after", 0, INT64_MAX, &after, &rq->fields);
    if (params_done(&rq->fields, err) != DBK_OK || admin_reach(rq, err) != DBK_OK)
        return err->code;
    response_begin(rs);
    dbk_render_text(&rs->body, "[");
    if (dbk_quarantine_list(rq->service->options.database, after,
                            (unsigned)page.limit + 1, render_one, &page, err) != DBK_OK)
        return admin_tell(rq, err);
    dbk_render_text(&rs->body, "]");
    if (page.more)
        list_link_next(rq, rs, page.last);
    return response_end(rs, 200,
                        page.count > 0 ? DETAILS_OK
                                       : "The request was successful, and nobody is "
                                         "quarantined",
                        err);
}

enum dbk_code handle_retry_quarantine(struct request *rq, struct response *rs,
                                      struct dbk_error *err)
{
    uint64_t count;

    if (admin_check_page(rq, err) != DBK_OK || admin_reach(rq, err) != DBK_OK)
        return err->code;
    if (dbk_quarantine_retry(rq->service->options.database, &count, err) != DBK_OK)
        return admin_tell(rq, err);
    if (count > 0)
        admin_note(rq, "retry of the quarantined asked for");
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"retried\":");
    dbk_render_number(&rs->body, count);
    dbk_render_text(&rs->body, "}");
    return response_end(rs, 200,
                        count > 0 ? "They are tried again shortly; GET "
                                    "/admin/quarantine tells who is left"
                                  : "The request was successful, and nobody is "
                                    "quarantined",
                        err);
}
