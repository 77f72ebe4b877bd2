/* The answer to a long poll. */
#include "feed_private.h"
#include "store/clock.h"

#define PAGE_BYTES (64u << 10) /* of a page's records, so that many can wait */

enum { TAKE_MS = 10000 }; /* how long the client may need to take it */

/* Render what there is. *last receives the last one; where nothing can be read it is as if
 * nothing had come: whoever asks again is told why. */
static enum dbk_code render_page(struct feed *feed, const struct stream *stream,
                                 uint64_t *last, struct dbk_error *err)
{
    const struct stream_poll *poll = &stream->poll;
    struct response *rs = &feed->answer;
    struct dbk_batch *batch = &feed->batch;
    struct dbk_record record;
    size_t limit = (size_t)poll->limit;

    response_clear(rs);
    rs->body.zone = poll->zone;
    log_page_begin(rs, poll->form);
    *last = stream->at;
    if (dbk_log_read(feed->options.log, stream->at, limit, PAGE_BYTES, batch, err) !=
            DBK_OK ||
        !feed_look(feed))
        dbk_batch_clear(batch);
    for (size_t i = 0; i < batch->count; i++) {
        if (log_page_read(batch, i, &record, err) != DBK_OK)
            break;
        record.withheld =
            !stream->shows_all &&
            dbk_restricted_says(&feed->withheld, feed->options.log, &record);
        log_page_record(&rs->body, &record, poll->form, i == 0, feed->source);
        *last = batch->entries[i].sequence;
    }
    dbk_batch_clear(batch);
    return log_page_end(rs, poll->form,
                        *last > stream->at ? DETAILS_OK : LOG_PAGE_NOTHING, err);
}

void feed_poll_answer(struct feed *feed, struct stream *stream, int64_t now)
{
    struct dbk_render *out = &stream->out;
    const struct stream_poll *poll = &stream->poll;
    struct response *rs = &feed->answer;
    struct dbk_error err;
    uint64_t last;

    stream->state = STREAM_ENDING;
    stream->end_by = now + TAKE_MS;
    if (render_page(feed, stream, &last, &err) != DBK_OK) {
        stream->state = STREAM_GONE;
        return;
    }
    dbk_render_raw(out, poll->head.text, poll->head.length);
    if (poll->links || (last > stream->at && last < feed->head)) {
        dbk_render_raw(out, poll->link.text, poll->link.length);
        dbk_render_number(out, last);
        dbk_render_text(out, ">; rel=\"next\"\r\n");
    }
    dbk_render_text(out, "Content-Length: ");
    dbk_render_number(out, rs->body.length);
    dbk_render_text(out, "\r\n\r\n");
    dbk_render_raw(out, rs->body.text, rs->body.length);
    if (dbk_render_code(out) != DBK_OK || dbk_render_code(&poll->head) != DBK_OK)
        stream->state = STREAM_GONE;
    response_trim(rs);
    stream->at = last;
    stream_flush(stream);
}
