/* GET /persons/{id}/history: what the log has about a person, from an index beside it, so it
 * is answered while PostgreSQL is away. As JSON, or a record a line (NDJSON). */
#include "handlers.h"
#include "list.h"
#include "render_record.h"
#include "request.h"
#include "response.h"
#include "response_stream.h"
#include "store/history.h"
#include "worker.h"

#include <stdlib.h>

#define NDJSON "application/x-ndjson"
#define PIECE_BYTES (128u << 10)
#define LOOK_MAX 100000 /* records that one request looks at, about */

struct history_page {
    struct dbk_history_page found;
    size_t next; /* of those found, to be rendered */
    bool lines;
};

static bool wants_lines(const struct request *rq)
{
    return accept_prefers(request_accept(rq, NDJSON),
                          request_accept(rq, "application/json"));
}

/* The next one that was found. */
static enum dbk_code render_next(const struct request *rq, struct history_page *page,
                                 struct dbk_render *out, struct dbk_error *err)
{
    uint64_t sequence = page->found.sequences[page->next];
    struct dbk_record record;

    if (dbk_log_record(rq->service->log, sequence, &rq->worker->batch, &record, err) !=
        DBK_OK)
        return err->code;
    if (!page->lines && page->next > 0)
        dbk_render_raw(out, ",", 1);
    render_record_shown(out, &record);
    if (page->lines)
        dbk_render_raw(out, "\n", 1);
    page->next++;
    return DBK_OK;
}

static enum dbk_code render_piece(const struct request *rq, struct history_page *page,
                                  struct dbk_render *out, struct dbk_error *err)
{
    while (page->next < page->found.count && out->length < PIECE_BYTES) {
        if (render_next(rq, page, out, err) != DBK_OK)
            return err->code;
    }
    return DBK_OK;
}

static enum dbk_code end_page(struct response *rs, const struct history_page *page,
                              const char *details, struct dbk_error *err)
{
    rs->status = 200;
    if (page->lines)
        return DBK_OK;
    dbk_render_text(&rs->body, "]");
    return response_end(rs, 200, details, err);
}

static enum dbk_code stream(struct request *rq, struct response *rs,
                            struct history_page *page, struct dbk_error *err)
{
    response_stream_begin(rs, rq, 200);
    while (response_stream_piece(rs, rq) && page->next < page->found.count) {
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

static enum dbk_code answer(struct request *rq, struct response *rs,
                            struct history_page *page, struct dbk_error *err)
{
    response_header(rs, "Vary", "Accept");
    if (page->found.more)
        list_link_next(rq, rs, page->found.after);
    if (page->lines) {
        rs->content_type = NDJSON;
    } else {
        response_begin(rs);
        dbk_render_text(&rs->body, "[");
    }
    if (render_piece(rq, page, &rs->body, err) != DBK_OK)
        return err->code;
    if (page->next < page->found.count)
        return stream(rq, rs, page, err);
    return end_page(rs, page,
                    page->found.count > 0
                        ? DETAILS_OK
                        : "The request was successful, and none of the records that "
                          "were looked at is about this person",
                    err);
}

/* Nothing is about who was never made: events need a person. */
static enum dbk_code find(const struct request *rq, struct history_page *page,
                          struct dbk_error *err)
{
    struct dbk_person_records person;
    struct dbk_person_state state;
    enum dbk_code code = dbk_log_person(rq->service->log, &rq->match.id, &state, err);

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "No record is about a person with this id");
    if (code != DBK_OK || dbk_person_records_init(&person, rq->service->log,
                                                  &rq->match.id, err) != DBK_OK)
        return err->code;
    code = dbk_history_find(rq->service->options.history, &person, &page->found, err);
    dbk_person_records_finish(&person);
    return code;
}

enum dbk_code handle_person_history(struct request *rq, struct response *rs,
                                    struct dbk_error *err)
{
    struct history_page page = {.lines = wants_lines(rq)};
    enum dbk_code code;
    struct list list;

    list_params(rq, &list);
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    page.found.after = list.after;
    page.found.limit = list.limit;
    page.found.look_max = LOOK_MAX;
    page.found.sequences = calloc(list.limit, sizeof *page.found.sequences);
    if (!page.found.sequences)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a page");
    code = find(rq, &page, err);
    if (code == DBK_OK)
        code = answer(rq, rs, &page, err);
    free(page.found.sequences);
    return code;
}
