/* What a stream lacks, of the ring or of the log, as far as its socket takes it. */
#include "feed_private.h"
#include "store/clock.h"
#include "store/metrics.h"

enum {
    BLOCKS = 64,
    PIECE_RECORDS = 500, /* of the log, in a turn of who is behind the ring */
};
#define PIECE_BYTES (64u << 10)

#define SLOW                                                                           \
    "You took less than there was for too long; connect again with Last-Event-ID, "    \
    "and "                                                                             \
    "nothing is missing"

unsigned feed_wants(const struct stream *stream)
{
    return RING_HAS_FORM(stream->form) |
           (stream->filter.has_person ? RING_HAS_OWNER : 0);
}

static void end_slow(struct stream *stream, int64_t now)
{
    dbk_metric_add(DBK_METRIC_STREAMS_DROPPED, 1);
    stream_end(stream, "slow", SLOW, now + FEED_LEAVE_MS);
}

static void render_batch(struct feed *feed, struct stream *stream, int64_t now)
{
    struct dbk_batch *batch = &feed->batch;
    struct dbk_record record;
    struct dbk_error err;
    struct seen seen;

    for (size_t i = 0; i < batch->count; i++) {
        if (log_page_read(batch, i, &record, &err) != DBK_OK) {
            if (i == 0)
                stream_end(stream, "unreadable", err.text, now + FEED_LEAVE_MS);
            break;
        }
        seen_look(feed->options.log, &record, stream->filter.has_person, &seen);
        record.withheld =
            !stream->shows_all &&
            dbk_restricted_says(&feed->withheld, feed->options.log, &record);
        if (record.withheld)
            seen.event_type.length = 0;
        if (filter_lets(&stream->filter, &seen))
            sse_record(&stream->out, &record, stream->form, feed->source);
        stream->at = batch->entries[i].sequence;
    }
}

/* A piece of the log itself, of so many records at most: none that the ring has not, for the
 * ring would have to follow. Who is restricted is looked at when they have been read: who was
 * told that somebody is must find that no stream shows the person. False: there was none. */
static bool take_from_log(struct feed *feed, struct stream *stream, uint64_t records,
                          int64_t now)
{
    uint64_t before = stream->at;

    if (records > PIECE_RECORDS)
        records = PIECE_RECORDS;
    if (dbk_log_read(feed->options.log, stream->at, (size_t)records, PIECE_BYTES,
                     &feed->batch, NULL) == DBK_OK &&
        feed_look(feed))
        render_batch(feed, stream, now);
    dbk_batch_clear(&feed->batch);
    if (dbk_render_code(&stream->out) != DBK_OK)
        stream->state = STREAM_GONE;
    stream_flush(stream);
    return stream->at > before;
}

/* Whether what the record says of its person is not for the stream. Whose an anonymous event
 * is may have changed since it was rendered. */
static bool hides(struct feed *feed, const struct stream *stream, uint64_t sequence)
{
    const struct seen *seen;

    if (stream->shows_all || feed->withheld.count == 0)
        return false;
    seen = ring_ask_owner(feed->ring, feed->options.log, sequence, feed->looked_head);
    return seen->ownerless || dbk_restricted_has(&feed->withheld, &seen->person) ||
           dbk_restricted_has(&feed->withheld, &seen->owner);
}

/* Those up to the first that is hidden. Returns whether all were taken. */
static bool take_shown(struct feed *feed, struct stream *stream)
{
    uint64_t next = ring_next(feed->ring), at = stream->at, sequences[BLOCKS];
    struct iovec blocks[BLOCKS];
    size_t count = 0, put;

    while (count < BLOCKS && at + 1 < next && !hides(feed, stream, at + 1)) {
        const struct ring_entry *entry = ring_entry(feed->ring, ++at);
        struct dbk_slice frame = entry->frames[stream->form];
        if (!filter_lets(&stream->filter, &entry->seen))
            continue;
        blocks[count] = (struct iovec){(void *)frame.data, frame.length};
        sequences[count++] = at;
    }
    put = count > 0 ? stream_put(stream, blocks, count) : 0;
    if (put == count)
        stream->at = at;
    else if (put > 0)
        stream->at = sequences[put - 1];
    return put == count;
}

static uint64_t count_hidden(struct feed *feed, const struct stream *stream)
{
    uint64_t next = ring_next(feed->ring), count = 0;

    while (count < PIECE_RECORDS && stream->at + 1 + count < next &&
           hides(feed, stream, stream->at + 1 + count))
        count++;
    return count;
}

static bool is_behind(const struct feed *feed, const struct stream *stream)
{
    return stream->at + 1 < ring_first(feed->ring, feed_wants(stream));
}

/* What is hidden is taken from the log, as this one may see it. That looks at the log, and may
 * take from the ring what is ahead. */
static void take_from_ring(struct feed *feed, struct stream *stream, int64_t now)
{
    uint64_t hidden;

    while (stream_takes_more(stream) && !is_behind(feed, stream) &&
           stream->at + 1 < ring_next(feed->ring)) {
        if (!take_shown(feed, stream) || !stream_takes_more(stream))
            return;
        hidden = count_hidden(feed, stream);
        if (hidden > 0 && !take_from_log(feed, stream, hidden, now))
            return;
    }
}

void feed_give(struct feed *feed, struct stream *stream, int64_t now)
{
    bool knows = feed_look(feed), behind = is_behind(feed, stream);

    if (now >= stream->heartbeat_at) {
        sse_heartbeat(&stream->out, stream->at);
        stream->heartbeat_at = now + FEED_HEARTBEAT_MS;
    }
    if (stream_flush(stream) && !stream->blocked) {
        if (knows && behind)
            take_from_log(feed, stream, ring_next(feed->ring) - 1 - stream->at, now);
        else if (knows)
            take_from_ring(feed, stream, now);
        stream->live = !behind;
    } else if (behind && stream->live) {
        end_slow(stream, now); /* the ring has moved past it */
    }
    if (stream->state == STREAM_OPEN && stream_is_slow(stream, now))
        end_slow(stream, now);
}
