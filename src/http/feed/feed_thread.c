/* The thread of the feed: it takes turns, and in each gives every stream what it lacks, as
 * far as its socket takes it. */
#include "feed_private.h"
#include "store/clock.h"
#include "store/metrics.h"
#include "withheld.h"

#include <sys/epoll.h>
#include <sys/resource.h>

enum {
    TURN_MS = 10,    /* between two turns; what comes meanwhile goes out together */
    REST_MS = 250,   /* the longest rest */
    LOOK_MS = 1000,  /* between two looks whether tokens hold */
    LEAVE_MS = 5000, /* how long one that is ended may need to take the last event */
    STOP_MS = 200,   /* the same while the server stops */
    NICE =
        1, /* requests go first; but whoever waits for a lock of ours must not wait long */
    EVENTS = 64,
    BLOCKS = 64,
    PIECE_RECORDS = 500, /* of the log, in a turn of who is behind the ring */
};
#define PIECE_BYTES (64u << 10)

#define SLOW                                                                           \
    "You took less than there was for too long; connect again with Last-Event-ID, "    \
    "and "                                                                             \
    "nothing is missing"
#define STOPPING                                                                       \
    "The server is stopping; connect again with Last-Event-ID, and nothing is missing"
#define REVOKED "The access token does not hold any more"
#define CROWDED                                                                        \
    "All places for streams are taken, your address has the most, and another wants "  \
    "one"
#define REPLACED                                                                       \
    "The log was replaced by another, or put back to an earlier state: begin anew"

static unsigned wants(const struct feed *feed, const struct stream *stream)
{
    bool hides_some = !stream->shows_all && feed->withheld.count > 0;

    return RING_HAS_FORM(stream->form) |
           (stream->filter.has_person || hides_some ? RING_HAS_OWNER : 0);
}

/* It is a stream, and may be given more. */
static bool is_open(const struct stream *stream)
{
    return stream->state == STREAM_OPEN && !stream->poll.waits;
}

static bool takes_more(const struct stream *stream)
{
    return is_open(stream) && !stream->blocked && stream->out_at == stream->out.length;
}

static void end_slow(struct stream *stream, int64_t now)
{
    dbk_metric_add(DBK_METRIC_STREAMS_DROPPED, 1);
    stream_end(stream, "slow", SLOW, now + LEAVE_MS);
}

/* A piece of the log itself. */
static void take_from_log(struct feed *feed, struct stream *stream, int64_t now)
{
    struct dbk_batch *batch = &feed->batch;
    struct dbk_record record;
    struct dbk_error err;
    struct seen seen;

    if (dbk_log_read(feed->options.log, stream->at, PIECE_RECORDS, PIECE_BYTES, batch,
                     &err) != DBK_OK)
        return; /* later */
    for (size_t i = 0; i < batch->count; i++) {
        if (dbk_batch_record(batch, i, &record, &err) != DBK_OK) {
            if (i == 0)
                stream_end(stream, "unreadable", err.text, now + LEAVE_MS);
            break;
        }
        seen_look(feed->options.log, &record, stream->filter.has_person, &seen);
        record.withheld = !stream->shows_all &&
                          withheld_says(feed->options.log, &feed->withheld, &record);
        if (record.withheld)
            seen.event_type.length = 0;
        if (filter_lets(&stream->filter, &seen))
            sse_record(&stream->out, &record, stream->form, feed->source);
        stream->at = batch->entries[i].sequence;
    }
    if (dbk_render_code(&stream->out) != DBK_OK)
        stream->state = STREAM_GONE;
    stream_flush(stream);
}

/* Whether what the record says of its person is not for the stream. */
static bool hides(const struct feed *feed, const struct stream *stream,
                  const struct seen *seen)
{
    return !stream->shows_all && (dbk_restricted_has(&feed->withheld, &seen->person) ||
                                  dbk_restricted_has(&feed->withheld, &seen->owner));
}

static void take_from_ring(struct feed *feed, struct stream *stream, int64_t now)
{
    uint64_t next = ring_next(feed->ring), sequences[BLOCKS];
    struct iovec blocks[BLOCKS];

    while (takes_more(stream) && stream->at + 1 < next) {
        uint64_t at = stream->at;
        size_t count = 0, put;
        bool hidden = false;
        while (count < BLOCKS && at + 1 < next) {
            const struct ring_entry *entry = ring_entry(feed->ring, at + 1);
            struct dbk_slice frame = entry->frames[stream->form];
            hidden = hides(feed, stream, &entry->seen);
            if (hidden)
                break;
            at++;
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
        if (hidden && put == count && takes_more(stream)) {
            take_from_log(feed, stream, now); /* as this one may see it */
            return;
        }
    }
}

static void give(struct feed *feed, struct stream *stream, int64_t now)
{
    bool behind = stream->at + 1 < ring_first(feed->ring, wants(feed, stream));

    if (now >= stream->heartbeat_at) {
        sse_heartbeat(&stream->out, stream->at);
        stream->heartbeat_at = now + FEED_HEARTBEAT_MS;
    }
    if (stream_flush(stream) && !stream->blocked) {
        if (behind)
            take_from_log(feed, stream, now);
        else
            take_from_ring(feed, stream, now);
        stream->live = !behind;
    } else if (behind && stream->live) {
        end_slow(stream, now); /* the ring has moved past it */
    }
    if (stream->state == STREAM_OPEN && stream_is_slow(stream, now))
        end_slow(stream, now);
}

static void serve(struct feed *feed, struct stream *stream, int64_t now)
{
    if (stream->state == STREAM_OPEN && atomic_load(&stream->crowded) &&
        !stream->poll.waits)
        stream_end(stream, "crowded", CROWDED, now + LEAVE_MS);
    if (is_open(stream)) {
        give(feed, stream, now);
    } else if (stream->state == STREAM_OPEN) {
        if (feed->head > stream->at || now >= stream->poll.until ||
            atomic_load(&stream->crowded))
            feed_poll_answer(feed, stream, now);
    } else if (stream->state == STREAM_ENDING) {
        stream_flush(stream);
        if (now >= stream->end_by)
            stream->state = STREAM_GONE;
    }
}

/* Of a poll nothing is told: it has no answer any more. */
static void look_at_tokens(struct feed *feed, int64_t now)
{
    for (unsigned i = 0; i < feed->list_count; i++) {
        struct stream *one = feed->list[i];
        if (one->state != STREAM_OPEN ||
            access_holds(feed->options.access, one->bears ? one->hash : NULL,
                         DBK_SCOPE_AUDIT))
            continue;
        if (one->poll.waits)
            one->state = STREAM_GONE;
        else
            stream_end(one, "token", REVOKED, now + LEAVE_MS);
    }
}

/* The ring goes where the foremost stream is: all others come to meet it. */
static void place_ring(struct feed *feed)
{
    uint64_t foremost = 0;

    for (unsigned i = 0; i < feed->list_count; i++) {
        const struct stream *one = feed->list[i];
        if (is_open(one) && one->at + 1 > foremost)
            foremost = one->at + 1;
    }
    if (foremost == 0 && ring_bytes(feed->ring) > 0)
        ring_clear(feed->ring, 1);
    if (foremost <= ring_next(feed->ring))
        return;
    ring_clear(feed->ring, foremost);
    for (unsigned i = 0; i < feed->list_count; i++)
        feed->list[i]->live = false;
}

/* Add to the ring where a stream has taken all of it. */
static void fill_ring(struct feed *feed, int64_t now)
{
    uint64_t next = ring_next(feed->ring);
    unsigned has = 0;
    bool wanted = false;
    struct dbk_error err;
    enum dbk_code code;
    size_t added;

    for (unsigned i = 0; i < feed->list_count; i++) {
        const struct stream *one = feed->list[i];
        if (is_open(one))
            has |= wants(feed, one);
        wanted = wanted || (takes_more(one) && one->at + 1 == next);
    }
    if (!wanted || feed->head < next)
        return;
    code = ring_fill(feed->ring, feed->options.log, has, feed->source, &added, &err);
    if (code != DBK_DAMAGED && code != DBK_UNSUPPORTED)
        return; /* else it is tried again */
    for (unsigned i = 0; i < feed->list_count; i++) {
        if (is_open(feed->list[i]) && feed->list[i]->at + 1 == next)
            stream_end(feed->list[i], "unreadable", err.text, now + LEAVE_MS);
    }
}

static void end_all(struct feed *feed, const char *reason, const char *details,
                    int64_t by)
{
    for (unsigned i = 0; i < feed->list_count; i++) {
        struct stream *one = feed->list[i];
        if (one->state == STREAM_OPEN && one->poll.waits)
            feed_poll_answer(feed, one, by);
        else
            stream_end(one, reason, details, by);
    }
}

/* Whether what was sent is still what the log has. */
static void look_at_history(struct feed *feed, int64_t now)
{
    struct dbk_log *log = feed->options.log;
    struct dbk_error err;
    uint64_t head;

    if (feed->mark > 0 && dbk_log_check_history(log, feed->mark, feed->mark_checksum,
                                                &err) == DBK_MOVED) {
        end_all(feed, "replaced", REPLACED, now + LEAVE_MS);
        ring_clear(feed->ring, 1);
        if (dbk_log_head(log, &head, &err) == DBK_OK)
            feed->head = head;
    }
    feed->mark = feed->head;
    if (feed->mark > 0 &&
        dbk_log_checksum(log, feed->mark, &feed->mark_checksum, &err) != DBK_OK)
        feed->mark = 0;
}

/* Where the log does not tell it stays as it was. */
static void look_who_is_restricted(struct feed *feed)
{
    struct dbk_restricted now = {0};

    if (dbk_log_restricted_all(feed->options.log, &now, NULL) != DBK_OK)
        return;
    dbk_restricted_finish(&feed->withheld);
    feed->withheld = now;
}

static void look(struct feed *feed, int64_t now)
{
    uint64_t head;

    if (dbk_log_head(feed->options.log, &head, NULL) == DBK_OK && head > feed->head)
        feed->head = head;
    look_who_is_restricted(feed);
    if (now - feed->looked_at < LOOK_MS)
        return;
    feed->looked_at = now;
    look_at_tokens(feed, now);
    look_at_history(feed, now);
}

static void sweep(struct feed *feed)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < feed->list_count; i++) {
        if (feed->list[i]->state == STREAM_GONE)
            feed_leave(feed, feed->list[i]);
        else
            feed->list[kept++] = feed->list[i];
    }
    feed->list_count = kept;
}

/* Whether a stream could take more now. */
static bool has_more(const struct feed *feed)
{
    for (unsigned i = 0; i < feed->list_count; i++) {
        if (takes_more(feed->list[i]) && feed->list[i]->at < feed->head)
            return true;
    }
    return false;
}

/* Returns when the next is due. It rests for twice as long as a turn took, so that streams,
 * however many, cost a third of a processor at most; what comes meanwhile is sent in larger
 * pieces, which cost less. */
static int64_t take_turn(struct feed *feed)
{
    int64_t began = dbk_clock_ms(), took, rest;

    look(feed, began);
    place_ring(feed);
    fill_ring(feed, began);
    for (unsigned i = 0; i < feed->list_count; i++)
        serve(feed, feed->list[i], began);
    sweep(feed);
    took = dbk_clock_ms() - began;
    if (took < 1)
        took = 1;
    rest = 2 * took < REST_MS ? 2 * took : REST_MS;
    if (rest < TURN_MS && !has_more(feed))
        rest = TURN_MS;
    return began + took + rest;
}

static void begin(struct feed *feed, struct stream *stream)
{
    struct epoll_event event = {.events = EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = stream};

    if (epoll_ctl(feed->epoll, EPOLL_CTL_ADD, stream->fd, &event) != 0)
        stream->state = STREAM_GONE;
    stream->heartbeat_at = dbk_clock_ms() + FEED_HEARTBEAT_MS;
    if (!stream->poll.waits)
        sse_begin(&stream->out, stream->at);
    feed->list[feed->list_count++] = stream;
}

static void begin_all(struct feed *feed)
{
    struct stream *next;

    for (struct stream *one = feed_come(feed); one; one = next) {
        next = one->next_come;
        begin(feed, one);
    }
}

static void wait_for_events(struct feed *feed, int ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(feed->epoll, events, EVENTS, ms);

    for (int i = 0; i < count; i++) {
        struct stream *stream = events[i].data.ptr;
        if (!stream)
            continue; /* some have come, or it is to stop */
        if (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            stream->state = STREAM_GONE;
        if (events[i].events & EPOLLOUT)
            stream->blocked = false;
    }
}

static void stop(struct feed *feed)
{
    dbk_deadline until = dbk_deadline_in(STOP_MS);

    begin_all(feed);
    end_all(feed, "stopping", STOPPING, until);
    for (sweep(feed); feed->list_count > 0 && dbk_deadline_left(until) > 0;
         sweep(feed)) {
        wait_for_events(feed, dbk_deadline_left(until));
        for (unsigned i = 0; i < feed->list_count; i++)
            stream_flush(feed->list[i]);
    }
    for (unsigned i = 0; i < feed->list_count; i++)
        feed->list[i]->state = STREAM_GONE;
    sweep(feed);
}

void *feed_run(void *argument)
{
    struct feed *feed = argument;
    int64_t turn = 0;

    setpriority(PRIO_PROCESS, 0, NICE); /* on Linux, of this thread alone */
    while (!atomic_load(&feed->stopping)) {
        wait_for_events(feed, feed->list_count == 0 ? -1 : dbk_deadline_left(turn));
        begin_all(feed);
        if (feed->list_count == 0)
            ring_clear(feed->ring, 1);
        else if (dbk_clock_ms() >= turn)
            turn = take_turn(feed);
    }
    stop(feed);
    return NULL;
}
