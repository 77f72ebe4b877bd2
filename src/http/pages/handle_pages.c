/* What people look at: GET /, /docs with its files, /openapi.json. All of it lies in the
 * program; none of it asks another host for anything. */
#include "docs.h"
#include "handlers.h"
#include "page.h"
#include "request.h"
#include "response.h"

/* The viewer sets styles on its elements and shows icons from data: addresses. */
#define CONTENT_POLICY                                                                 \
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "     \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct page_file first_page = {NULL, PAGE_HTML, page_index_html,
                                            &page_index_html_size};
static const struct page_file document = {NULL, "application/json", page_openapi_json,
                                          &page_openapi_json_size};

static enum dbk_code index_json(struct response *rs, struct dbk_error *err)
{
    response_begin(rs);
    dbk_render_text(&rs->body,
                    "{\"name\":\"Daybook\",\"version\":\"" DAYBOOK_VERSION "\","
                    "\"docs\":\"/docs\",\"openapi\":\"/openapi.json\","
                    "\"persons\":\"/persons\",\"events\":\"/events\","
                    "\"log\":\"/log\",\"health\":\"/health\"}");
    return response_end(rs, 200, DETAILS_OK, err);
}

enum dbk_code handle_index(struct request *rq, struct response *rs,
                           struct dbk_error *err)
{
    struct accept json = request_accept(rq, "application/json");
    struct accept html = request_accept(rq, "text/html");

    response_header(rs, "Vary", "Accept");
    if (accept_prefers(json, html) && !accept_prefers(html, json))
        return index_json(rs, err);
    return page_answer(rq, rs, CONTENT_POLICY, &first_page);
}

enum dbk_code handle_docs(struct request *rq, struct response *rs,
                          struct dbk_error *err)
{
    (void)err;
    return page_answer(rq, rs, CONTENT_POLICY, &docs_page);
}

enum dbk_code handle_docs_file(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    return page_answer_file(rq, rs, CONTENT_POLICY, docs_files, err);
}

enum dbk_code handle_openapi(struct request *rq, struct response *rs,
                             struct dbk_error *err)
{
    (void)err;
    return page_answer(rq, rs, CONTENT_POLICY, &document);
}
