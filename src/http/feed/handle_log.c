/* GET /log, GET /log/{sequence}: the records themselves, straight from the log, so they
 * are answered while PostgreSQL is away. As JSON, a record a line (NDJSON), or CloudEvents;
 * one also as the bytes that the log keeps.
 * With wait=S and nothing behind `after`, the connection waits for a record in the feed. */
#include "cloud_event.h"
#include "feed.h"
#include "handlers.h"
#include "list.h"
#include "log_page.h"
#include "logged.h"
#include "request.h"
#include "response.h"
#include "store/clock.h"
#include "withheld.h"
#include "worker.h"

#include <assert.h>
#include <inttypes.h>

#define PIECE_RECORDS 1000

struct log_page {
    uint64_t after; /* of the last record rendered */
    uint64_t last;  /* the page ends with this one */
    uint64_t limit;
    uint64_t wait_s;
    bool from_head; /* so the client does not know where it begins: a link tells it */
    enum log_form form;
    bool first; /* nothing is rendered yet */
    char source[CLOUD_EVENT_SOURCE_MAX];
};

static bool has_more(const void *context)
{
    const struct log_page *page = context;

    return page->after < page->last;
}

static enum dbk_code render_piece(struct request *rq, struct dbk_render *out,
                                  void *context, struct dbk_error *err)
{
    struct log_page *page = context;
    struct dbk_batch *batch = &rq->worker->batch;
    uint64_t left = page->last - page->after;
    size_t records = left < PIECE_RECORDS ? (size_t)left : PIECE_RECORDS;
    const struct dbk_restricted *withheld;
    struct dbk_record record;

    /* Who was told that somebody is restricted must find that no page shows the person. */
    if (dbk_log_read(rq->service->log, page->after, records, LOG_PIECE_BYTES, batch,
                     err) != DBK_OK ||
        withheld_all(rq, &withheld, err) != DBK_OK)
        return err->code;
    if (batch->count == 0)
        return dbk_fail(err, DBK_DAMAGED, "the log ends before record %" PRIu64,
                        page->last);
    for (size_t i = 0; i < batch->count; i++) {
        if (log_page_read(batch, i, &record, err) != DBK_OK)
            return log_page_unreadable(rq, batch->entries[i].sequence, err);
        record.withheld = dbk_restricted_says(withheld, rq->service->log, &record);
        log_page_record(out, &record, page->form, page->first, page->source);
        page->first = false;
        page->after = batch->entries[i].sequence; /* whatever it says of itself */
    }
    return DBK_OK;
}

static void name_source(const struct request *rq, char source[CLOUD_EVENT_SOURCE_MAX])
{
    struct dbk_uuid store_id = dbk_log_store_id(rq->service->log);

    cloud_event_source(&store_id, source);
}

/* after=head begins now, as in GET /log/stream. */
static void read_params(struct request *rq, struct log_page *page)
{
    struct dbk_slice after;

    page->limit = LIST_LIMIT_DEFAULT;
    page->from_head = params_text(&rq->params, "after", &after) &&
                      dbk_slice_equal(after, dbk_slice("head"));
    params_unsigned(&rq->params, "limit", 1, LIST_LIMIT_MAX, &page->limit, &rq->fields);
    if (!page->from_head)
        params_unsigned(&rq->params, "after", 0, INT64_MAX, &page->after, &rq->fields);
    params_unsigned(&rq->params, "wait", 0, FEED_WAIT_MAX_S, &page->wait_s,
                    &rq->fields);
}

/* Sequences have no gaps, so where a page ends is known before it is read. */
static enum dbk_code open_page(struct request *rq, struct response *rs,
                               struct log_page *page, uint64_t *head,
                               struct dbk_error *err)
{
    *page = (struct log_page){.first = true};
    read_params(rq, page);
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    if (dbk_log_head(rq->service->log, head, err) != DBK_OK)
        return err->code;
    response_header(rs, "Vary", "Accept");
    name_source(rq, page->source);
    page->form = log_page_wanted(rq, CLOUD_EVENT_BATCH_MEDIA);
    if (page->from_head)
        page->after = *head;
    page->last = page->after >= *head                 ? page->after
                 : *head - page->after <= page->limit ? *head
                                                      : page->after + page->limit;
    assert(page->after <= page->last && page->last - page->after <= page->limit);
    return DBK_OK;
}

/* The link to what follows, up to its number, which is not known yet. */
static void keep_link(const struct request *rq, struct response *rs,
                      struct dbk_render *out)
{
    size_t before = rs->head.length, end = sizeof "0>; rel=\"next\"\r\n" - 1;

    list_link_next(rq, rs, 0);
    if (rs->head.length >= before + end)
        dbk_render_raw(out, rs->head.text + before, rs->head.length - before - end);
    rs->head.length = before;
}

static enum dbk_code wait_for_record(struct request *rq, struct response *rs,
                                     const struct log_page *page, uint64_t head,
                                     struct dbk_error *err)
{
    struct stream *stream;

    if (page->after > head)
        return dbk_fail(err, DBK_CONFLICT,
                        "Record %" PRIu64 " is not there: this log ends at %" PRIu64,
                        page->after, head);
    stream = stream_create();
    if (!stream)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a request that waits");
    stream->at = page->after;
    stream->poll.waits = true;
    stream->poll.limit = page->limit;
    stream->poll.until = dbk_clock_ms() + (int64_t)page->wait_s * 1000;
    stream->poll.form = page->form;
    stream->poll.zone = rs->body.zone;
    stream->poll.links = page->from_head;
    keep_link(rq, rs, &stream->poll.link);
    log_page_begin(rs, page->form); /* what it is called */
    if (feed_take(rq->service->feed, rq, rs, stream, err) == DBK_OK)
        return DBK_OK;
    stream_destroy(stream);
    return err->code;
}

enum dbk_code handle_list_log(struct request *rq, struct response *rs,
                              struct dbk_error *err)
{
    struct log_page page;
    const struct log_pieces pieces = {has_more, render_piece, &page};
    enum dbk_code code;
    uint64_t head;

    if (open_page(rq, rs, &page, &head, err) != DBK_OK)
        return err->code;
    if (page.wait_s > 0 && page.after >= head && !rq->match.head) {
        code = wait_for_record(rq, rs, &page, head, err);
    } else {
        if (page.last < head || page.from_head)
            list_link_next(rq, rs, page.last);
        code = log_page_send(rq, rs, page.form, &pieces,
                             has_more(&page) ? DETAILS_OK : LOG_PAGE_NOTHING, err);
    }
    return code;
}

/* Whether it is wanted as the log keeps it: the very bytes that are hashed. */
static bool wants_bytes(const struct request *rq, const char *else_type)
{
    return accept_prefers(request_accept(rq, RECORD_MEDIA),
                          request_accept(rq, else_type));
}

static const char *media_of(enum log_form form)
{
    switch (form) {
    case LOG_JSON:
        return "application/json";
    case LOG_LINES:
        return NDJSON_MEDIA;
    case LOG_CLOUD:
        return CLOUD_EVENT_MEDIA;
    }
    return "";
}

/* Whatever they say, also where this version cannot read it. */
static enum dbk_code answer_bytes(const struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    struct dbk_batch *batch = &rq->worker->batch;
    uint64_t sequence = rq->match.sequence;

    if (dbk_log_read(rq->service->log, sequence - 1, 1, DBK_RECORD_MAX, batch, err) !=
        DBK_OK)
        return err->code;
    if (batch->count == 0)
        return dbk_fail(err, DBK_NOT_FOUND, "The log has no record %" PRIu64 " yet",
                        sequence);
    if (batch->entries[0].length == 0)
        return dbk_fail(err, DBK_DAMAGED, "record %" PRIu64 ": its checksum is wrong",
                        sequence);
    rs->content_type = RECORD_MEDIA;
    dbk_render_raw(&rs->body, batch->bytes + batch->entries[0].offset,
                   batch->entries[0].length);
    rs->status = 200;
    return dbk_render_code(&rs->body) == DBK_OK
               ? DBK_OK
               : dbk_fail(err, DBK_NO_MEMORY, "no memory for a record");
}

/* Of whom it says something that this request is not to be told: then *withheld is set. */
static enum dbk_code look_whether_withheld(const struct request *rq, bool *withheld,
                                           struct dbk_error *err)
{
    const struct dbk_restricted *all;
    struct dbk_record record = {.format = 0};
    enum dbk_code code = withheld_all(rq, &all, err);

    *withheld = false;
    if (code == DBK_OK && all->count > 0) {
        code = logged_read(rq, rq->match.sequence, &record, 1, err);
        code = dbk_record_lacks_key(code, &record) ? DBK_OK : code;
        *withheld =
            code == DBK_OK && dbk_restricted_says(all, rq->service->log, &record);
    }
    return code;
}

enum dbk_code handle_get_record(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    enum log_form form = log_page_wanted(rq, CLOUD_EVENT_MEDIA);
    char source[CLOUD_EVENT_SOURCE_MAX];
    struct dbk_record record = {.format = 0};
    enum dbk_code code;
    bool withheld;

    response_header(rs, "Vary", "Accept");
    if (look_whether_withheld(rq, &withheld, err) != DBK_OK)
        return err->code;
    if (wants_bytes(rq, media_of(form)))
        return withheld ? withheld_refuse(rq, err) : answer_bytes(rq, rs, err);
    code = logged_read(rq, rq->match.sequence, &record, 1, err);
    if (code != DBK_OK && !dbk_record_lacks_key(code, &record))
        return code;
    record.withheld = withheld;
    if (form == LOG_JSON)
        response_begin(rs);
    else
        rs->content_type = media_of(form);
    name_source(rq, source);
    log_page_record(&rs->body, &record, form, true, source);
    if (form == LOG_JSON)
        return response_end(rs, 200, DETAILS_OK, err);
    rs->status = 200;
    return DBK_OK;
}
