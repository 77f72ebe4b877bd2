/* The thread of the feed: it takes turns, and in each gives every stream what it lacks
 * (feed_give.c). */
#include "feed_private.h"
#include "store/clock.h"

#include <sys/epoll.h>
#include <sys/resource.h>

enum {
    TURN_MS = 10,   /* between two turns; what comes meanwhile goes out together */
    REST_MS = 250,  /* the longest rest */
    LOOK_MS = 1000, /* between two looks whether tokens hold */
    STOP_MS = 200,  /* how long who is ended may need while the server stops */
    NICE =
        1, /* requests go first; but whoever waits for a lock of ours must not wait long */
    EVENTS = 64,
};
#define STOPPING                                                                       \
    "The server is stopping; connect again with Last-Event-ID, and nothing is missing"
#define REVOKED "The access token does not hold any more"
#define CROWDED                                                                        \
    "All places for streams are taken, your address has the most, and another wants "  \
    "one"
#define REPLACED                                                                       \
    "The log was replaced by another, or put back to an earlier state: begin anew"

static void serve(struct feed *feed, struct stream *stream, int64_t now)
{
    if (stream->state == STREAM_OPEN && atomic_load(&stream->crowded) &&
        !stream->poll.waits)
        stream_end(stream, "crowded", CROWDED, now + FEED_LEAVE_MS);
    if (stream_is_open(stream)) {
        feed_give(feed, stream, now);
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
            stream_end(one, "token", REVOKED, now + FEED_LEAVE_MS);
    }
}

/* The ring goes where the foremost stream is: all others come to meet it. */
static void place_ring(struct feed *feed)
{
    uint64_t foremost = 0;

    for (unsigned i = 0; i < feed->list_count; i++) {
        const struct stream *one = feed->list[i];
        if (stream_is_open(one) && one->at + 1 > foremost)
            foremost = one->at + 1;
    }
    if (foremost == 0 && ring_bytes(feed->ring) > 0)
        ring_clear(feed->ring, 1);
    if (foremost <= ring_next(feed->ring))
        return;
    ring_clear(feed->ring, foremost);
    feed_none_is_live(feed);
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
        if (stream_is_open(one))
            has |= feed_wants(one);
        wanted = wanted || (stream_takes_more(one) && one->at + 1 == next);
    }
    if (!wanted || feed->head < next)
        return;
    code = ring_fill(feed->ring, feed->options.log, has, feed->source, &added, &err);
    if (code != DBK_DAMAGED && code != DBK_UNSUPPORTED)
        return; /* else it is tried again */
    for (unsigned i = 0; i < feed->list_count; i++) {
        if (stream_is_open(feed->list[i]) && feed->list[i]->at + 1 == next)
            stream_end(feed->list[i], "unreadable", err.text, now + FEED_LEAVE_MS);
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
        end_all(feed, "replaced", REPLACED, now + FEED_LEAVE_MS);
        ring_clear(feed->ring, 1);
        feed->knows = false;
        if (dbk_log_head(log, &head, &err) == DBK_OK)
            feed->head = head;
    }
    feed->mark = feed->head;
    if (feed->mark > 0 &&
        dbk_log_checksum(log, feed->mark, &feed->mark_checksum, &err) != DBK_OK)
        feed->mark = 0;
}

static void look(struct feed *feed, int64_t now)
{
    feed_look(feed); /* where it fails, it is looked again for each stream */
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
        if (stream_takes_more(feed->list[i]) && feed->list[i]->at < feed->head)
            return true;
    }
    return false;
}

/* It rests for twice as long as a turn took, so that streams, however many, cost a third of a
 * processor at most; what comes meanwhile is sent in larger pieces, which cost less. */
int64_t feed_turn(struct feed *feed)
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
            turn = feed_turn(feed);
    }
    stop(feed);
    return NULL;
}
