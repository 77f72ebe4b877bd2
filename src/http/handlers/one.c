#include "one.h"

#include "etag.h"
#include "worker.h"

enum dbk_code one_answer(struct request *rq, struct response *rs, enum tag_kind kind,
                         struct dbk_error *err)
{
    const struct dbk_rows *rows = &rq->worker->rows;
    const struct dbk_row *row = &rows->rows[0];
    struct dbk_slice json = {rows->json.text + row->offset, row->length};
    char tag[ETAG_MAX];

    etag_format(tag, row->version,
                kind == TAG_CONTENT ? json : (struct dbk_slice){NULL, 0});
    response_header_text(rs, "ETag", tag);
    rs->cache_control = "private, no-cache";
    if (etag_if_none_match(request_header(rq, "If-None-Match"), tag)) {
        rs->status = 304;
        return DBK_OK;
    }
    response_begin(rs);
    response_row(rs, json);
    return response_end(rs, 200, DETAILS_OK, err);
}
