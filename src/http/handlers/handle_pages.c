/* What people look at: GET /, /docs with its files, /openapi.json. All of it lies in the
 * program; none of it asks another host for anything. */
#include "docs.h"
#include "etag.h"
#include "handlers.h"
#include "page.h"
#include "request.h"
#include "response.h"

#include <string.h>

#define HTML "text/html; charset=utf-8"

/* The viewer sets styles on its elements and shows icons from data: addresses. */
#define CONTENT_POLICY                                                                 \
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "     \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static enum dbk_code answer(const struct request *rq, struct response *rs,
                            const char *type, const char *bytes, size_t size)
{
    char tag[ETAG_MAX];

    etag_format(tag, 0, (struct dbk_slice){bytes, size});
    rs->cache_control = "no-cache";
    response_header(rs, "Content-Security-Policy", "%s", CONTENT_POLICY);
    response_header(rs, "Referrer-Policy", "no-referrer");
    response_header(rs, "X-Frame-Options",
                    "DENY"); /* as frame-ancestors, for old ones */
    rs->content_type = type;
    rs->fixed = (struct dbk_slice){bytes, size};
    response_tag(rs, rq, tag);
    return DBK_OK;
}

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
    return answer(rq, rs, HTML, page_index_html, page_index_html_size);
}

enum dbk_code handle_docs(struct request *rq, struct response *rs,
                          struct dbk_error *err)
{
    (void)err;
    return answer(rq, rs, docs_page.type, docs_page.bytes, *docs_page.size);
}

enum dbk_code handle_docs_file(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    for (const struct docs_file *file = docs_files; file->name; file++) {
        if (strcmp(file->name, rq->match.file) == 0)
            return answer(rq, rs, file->type, file->bytes, *file->size);
    }
    return dbk_fail(err, DBK_NOT_FOUND, "There is no such file");
}

enum dbk_code handle_openapi(struct request *rq, struct response *rs,
                             struct dbk_error *err)
{
    (void)err;
    return answer(rq, rs, "application/json", page_openapi_json,
                  page_openapi_json_size);
}
