/* GET /log, GET /log/{sequence}: the records themselves, straight from the log, so they
 * are answered while PostgreSQL is away. As JSON, or a record a line (NDJSON). */
#include "handlers.h"
#include "list.h"
#include "logged.h"
#include "render_record.h"
#include "request.h"
#include "response.h"
#include "response_stream.h"
#include "worker.h"

#include <assert.h>
#include <inttypes.h>

#define NDJSON "application/x-ndjson"
#define PIECE_RECORDS 1000
#define PIECE_BYTES (128u << 10)

struct log_page {
    uint64_t after; /* of the last record rendered */
    uint64_t last;  /* the page ends with this one */
    bool lines;
    bool first; /* nothing is rendered yet */
};

static bool wants_lines(const struct request *rq)
{
    return accept_prefers(request_accept(rq, NDJSON),
                          request_accept(rq, "application/json"));
}

static void render_one(const struct dbk_record *record, struct log_page *page,
                       struct dbk_render *out)
{
    if (!page->lines && !page->first)
        dbk_render_raw(out, ",", 1);
    render_record_shown(out, record);
    if (page->lines)
        dbk_render_raw(out, "\n", 1);
    page->first = false;
}

static enum dbk_code render_piece(const struct request *rq, struct log_page *page,
                                  struct dbk_render *out, struct dbk_error *err)
{
    struct dbk_batch *batch = &rq->worker->batch;
    uint64_t left = page->last - page->after;
    size_t records = left < PIECE_RECORDS ? (size_t)left : PIECE_RECORDS;
    struct dbk_record record;

    if (dbk_log_read(rq->service->log, page->after, records, PIECE_BYTES, batch, err) !=
        DBK_OK)
        return err->code;
    if (batch->count == 0)
        return dbk_fail(err, DBK_DAMAGED, "the log ends before record %" PRIu64,
                        page->last);
    for (size_t i = 0; i < batch->count; i++) {
        if (dbk_batch_record(batch, i, &record, err) != DBK_OK)
            return err->code;
        render_one(&record, page, out);
        page->after = batch->entries[i].sequence; /* whatever it says of itself */
    }
    return DBK_OK;
}

static enum dbk_code end_page(struct response *rs, const struct log_page *page,
                              const char *details, struct dbk_error *err)
{
    rs->status = 200;
    if (page->lines)
        return DBK_OK;
    dbk_render_text(&rs->body, "]");
    return response_end(rs, 200, details, err);
}

static enum dbk_code stream(struct request *rq, struct response *rs,
                            struct log_page *page, struct dbk_error *err)
{
    response_stream_begin(rs, rq, 200);
    while (response_stream_piece(rs, rq) && page->after < page->last) {
        if (render_piece(rq, page, &rs->body, err) != DBK_OK) {
            response_stream_break(rs, err);
            return DBK_OK;
        }
    }
    if (end_page(rs, page, DETAILS_OK, err) != DBK_OK)
        response_stream_break(rs, err);
    response_stream_end(rs, rq);
    return DBK_OK;
}

/* Sequences have no gaps, so where a page ends is known before it is read. */
static enum dbk_code open_page(struct request *rq, struct response *rs,
                               struct log_page *page, struct dbk_error *err)
{
    struct list list;
    uint64_t head;

    list_params(rq, &list);
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK)
        return err->code;
    response_header(rs, "Vary", "Accept");
    page->lines = wants_lines(rq);
    page->first = true;
    page->after = list.after;
    page->last = list.after >= head                ? list.after
                 : head - list.after <= list.limit ? head
                                                   : list.after + list.limit;
    assert(page->after <= page->last && page->last - page->after <= list.limit);
    if (page->last < head)
        list_link_next(rq, rs, page->last);
    return DBK_OK;
}

enum dbk_code handle_list_log(struct request *rq, struct response *rs,
                              struct dbk_error *err)
{
    struct log_page page;

    if (open_page(rq, rs, &page, err) != DBK_OK)
        return err->code;
    if (page.lines) {
        rs->content_type = NDJSON;
    } else {
        response_begin(rs);
        dbk_render_text(&rs->body, "[");
    }
    if (page.after < page.last && render_piece(rq, &page, &rs->body, err) != DBK_OK)
        return err->code;
    if (page.after < page.last)
        return stream(rq, rs, &page, err);
    return end_page(rs, &page,
                    page.first ? "The request was successful, and there are no records "
                                 "behind this one"
                               : DETAILS_OK,
                    err);
}

enum dbk_code handle_get_record(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    bool lines = wants_lines(rq);
    struct dbk_record record;

    if (logged_read(rq, rq->match.sequence, &record, 1, err) != DBK_OK)
        return err->code;
    response_header(rs, "Vary", "Accept");
    if (!lines)
        response_begin(rs);
    render_record_shown(&rs->body, &record);
    if (!lines)
        return response_end(rs, 200, DETAILS_OK, err);
    dbk_render_text(&rs->body, "\n");
    rs->content_type = NDJSON;
    rs->status = 200;
    return DBK_OK;
}
