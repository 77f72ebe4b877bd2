/* GET /log/stream: the log as server-sent events, from a record on and without end. */
#include "cloud_event.h"
#include "feed.h"
#include "handlers.h"
#include "request.h"
#include "response.h"

#include <inttypes.h>

/* A number as the sequences of records are written, without a sign or blanks. */
static bool read_sequence(struct dbk_slice text, uint64_t *out)
{
    *out = 0;
    if (text.length == 0 || text.length > 18)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

/* Where it begins: what an EventSource brings when it connects again goes before the
 * address, which stays the same. */
static enum dbk_code read_after(struct request *rq, uint64_t head, uint64_t *after,
                                struct dbk_error *err)
{
    const char *last = request_header(rq, "Last-Event-ID");
    struct dbk_slice text;

    *after = 0;
    if (params_text(&rq->params, "after", &text)) {
        if (dbk_slice_equal(text, dbk_slice("head")))
            *after = head;
        else if (!read_sequence(text, after))
            params_wrong(&rq->fields, dbk_slice("after"),
                         "a sequence number is needed, or head");
    }
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    if (last && *last && !read_sequence(dbk_slice(last), after))
        return dbk_fail(err, DBK_INVALID,
                        "The header Last-Event-ID is no sequence number");
    if (*after > head)
        return dbk_fail(err, DBK_CONFLICT,
                        "Record %" PRIu64 " is not there: this log ends at %" PRIu64,
                        *after, head);
    return DBK_OK;
}

/* An EventSource cannot say what it accepts, so the query can, too. */
static enum form read_form(struct request *rq, bool zone)
{
    static const char *const formats[] = {"record", "cloudevents", NULL};
    int asked = params_choice(&rq->params, "format", formats, &rq->fields);
    struct accept named = request_accept(rq, CLOUD_EVENT_MEDIA);
    bool cloud =
        asked == 1 || (asked < 0 && named.range == ACCEPT_NAMED && named.weight > 0);

    if (cloud)
        return zone ? FORM_CLOUD_ZONE : FORM_CLOUD;
    return zone ? FORM_RECORD_ZONE : FORM_RECORD;
}

static enum dbk_code read_wish(struct request *rq, struct response *rs,
                               struct stream *stream, struct dbk_error *err)
{
    uint64_t head;

    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK ||
        filter_read(&rq->params, &stream->filter, &rq->fields, err) != DBK_OK)
        return err->code;
    stream->form = read_form(rq, rs->body.zone);
    return read_after(rq, head, &stream->at, err);
}

static enum dbk_code answer(struct request *rq, struct response *rs,
                            struct stream *stream, struct dbk_error *err)
{
    if (read_wish(rq, rs, stream, err) != DBK_OK)
        return err->code;
    rs->content_type = SSE_MEDIA;
    response_header_text(rs, "Vary", "Accept");
    response_header_text(rs, "X-Accel-Buffering", "no"); /* nginx's */
    if (!rq->match.head)
        return feed_take(rq->service->feed, rq, rs, stream, err);
    rs->status = 200;
    rs->sent = true;
    response_render_head(rs, rq, "");
    response_flush(rs, rq);
    return DBK_OK;
}

enum dbk_code handle_stream(struct request *rq, struct response *rs,
                            struct dbk_error *err)
{
    struct stream *stream = stream_create();
    enum dbk_code code;

    if (!stream)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a stream");
    code = answer(rq, rs, stream, err);
    if (code != DBK_OK || !rq->taken_over)
        stream_destroy(stream);
    return code;
}
