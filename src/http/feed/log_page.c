#include "log_page.h"

#include "cloud_event.h"
#include "render_record.h"
#include "response_stream.h"
#include "worker.h"

#include <inttypes.h>
#include <stdio.h>

enum log_form log_page_wanted(const struct request *rq, const char *cloud)
{
    struct accept json = request_accept(rq, "application/json");
    struct accept lines = request_accept(rq, NDJSON_MEDIA);
    bool wants_lines = accept_prefers(lines, json);

    if (cloud && accept_prefers(request_accept(rq, cloud), wants_lines ? lines : json))
        return LOG_CLOUD;
    return wants_lines ? LOG_LINES : LOG_JSON;
}

void log_page_begin(struct response *rs, enum log_form form)
{
    switch (form) {
    case LOG_JSON:
        response_begin(rs);
        dbk_render_text(&rs->body, "[");
        break;
    case LOG_LINES:
        rs->content_type = NDJSON_MEDIA;
        break;
    case LOG_CLOUD:
        rs->content_type = CLOUD_EVENT_BATCH_MEDIA;
        dbk_render_text(&rs->body, "[");
        break;
    }
}

void log_page_record(struct dbk_render *out, const struct dbk_record *record,
                     enum log_form form, bool first, const char *source)
{
    if (form != LOG_LINES && !first)
        dbk_render_raw(out, ",", 1);
    if (form == LOG_CLOUD)
        cloud_event_render(out, record, source);
    else
        render_record_shown(out, record);
    if (form == LOG_LINES)
        dbk_render_text(out, "\n");
}

enum dbk_code log_page_end(struct response *rs, enum log_form form, const char *details,
                           struct dbk_error *err)
{
    rs->status = 200;
    if (form != LOG_LINES)
        dbk_render_text(&rs->body, "]");
    if (form == LOG_JSON)
        return response_end(rs, 200, details, err);
    if (dbk_render_code(&rs->body) != DBK_OK)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the answer");
    return DBK_OK;
}

enum dbk_code log_page_read(const struct dbk_batch *batch, size_t i,
                            struct dbk_record *record, struct dbk_error *err)
{
    enum dbk_code code = dbk_batch_record(batch, i, record, err);

    return dbk_record_lacks_key(code, record) ? DBK_OK : code;
}

enum dbk_code log_page_unreadable(struct request *rq, uint64_t sequence,
                                  const struct dbk_error *err)
{
    char *text = rq->worker->unavailable;

    snprintf(text, sizeof rq->worker->unavailable,
             "Record %" PRIu64 " cannot be read, and the server's log has the reason; "
             "what is behind it is read with after=%" PRIu64,
             sequence, sequence);
    rq->unreadable = text;
    return err->code;
}

static enum dbk_code stream(struct request *rq, struct response *rs, enum log_form form,
                            const struct log_pieces *pieces, const char *details,
                            struct dbk_error *err)
{
    response_stream_begin(rs, rq, 200);
    while (response_stream_piece(rs, rq) && pieces->more(pieces->context)) {
        if (pieces->render(rq, &rs->body, pieces->context, err) != DBK_OK) {
            response_stream_break(rs, err);
            return DBK_OK;
        }
    }
    if (log_page_end(rs, form, details, err) != DBK_OK)
        response_stream_break(rs, err);
    response_stream_end(rs, rq);
    return DBK_OK;
}

enum dbk_code log_page_send(struct request *rq, struct response *rs, enum log_form form,
                            const struct log_pieces *pieces, const char *details,
                            struct dbk_error *err)
{
    log_page_begin(rs, form);
    if (pieces->more(pieces->context) &&
        pieces->render(rq, &rs->body, pieces->context, err) != DBK_OK)
        return err->code;
    if (pieces->more(pieces->context))
        return stream(rq, rs, form, pieces, details, err);
    return log_page_end(rs, form, details, err);
}
