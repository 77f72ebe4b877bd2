#include "feed_private.h"

#include "guard.h"
#include "store/durable.h"
#include "store/thread.h"
#include "tap.h"

#include <civetweb.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void free_feed(struct feed *feed)
{
    if (feed->wakes >= 0)
        close(feed->wakes);
    if (feed->epoll >= 0)
        close(feed->epoll);
    pthread_mutex_destroy(&feed->mutex);
    ring_destroy(feed->ring);
    dbk_restricted_finish(&feed->withheld);
    dbk_batch_finish(&feed->batch);
    response_finish(&feed->answer);
    free(feed->list);
    free(feed->buckets);
    free(feed);
}

static struct feed *make(const struct feed_options *options)
{
    struct feed *feed = calloc(1, sizeof *feed);
    struct dbk_uuid store_id = dbk_log_store_id(options->log);

    if (!feed)
        return NULL;
    feed->options = *options;
    cloud_event_source(&store_id, feed->source);
    pthread_mutex_init(&feed->mutex, NULL);
    response_init(&feed->answer);
    feed->wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    feed->epoll = epoll_create1(EPOLL_CLOEXEC);
    feed->ring = ring_create(FEED_RING_BYTES);
    feed->list_size = FEED_CONNECTIONS_MAX(options->streams_max);
    feed->list = calloc(feed->list_size + 1, sizeof *feed->list);
    feed->buckets = calloc(feed->list_size + 1, sizeof *feed->buckets);
    return feed;
}

static bool watches(struct feed *feed)
{
    struct epoll_event event = {.events = EPOLLIN};

    return feed->wakes >= 0 && feed->epoll >= 0 &&
           epoll_ctl(feed->epoll, EPOLL_CTL_ADD, feed->wakes, &event) == 0;
}

enum dbk_code feed_create(const struct feed_options *options, struct feed **feed,
                          struct dbk_error *err)
{
    struct feed *made = make(options);

    *feed = NULL;
    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for streams");
    if (!watches(made))
        dbk_system_fail(err, "watch", "the streams");
    else if (!made->ring || !made->list || !made->buckets)
        dbk_fail(err, DBK_NO_MEMORY, "no memory for streams");
    else if (dbk_thread_start(&made->thread, "dbk-streams", feed_run, made, err) ==
             DBK_OK)
        *feed = made;
    if (!*feed) {
        free_feed(made);
        return err->code;
    }
    made->started = true;
    return DBK_OK;
}

static void wake(struct feed *feed)
{
    uint64_t one = 1;
    ssize_t written = write(feed->wakes, &one, sizeof one);

    (void)written; /* where it is full it is awake */
}

void feed_stop(struct feed *feed)
{
    if (!feed || !feed->started)
        return;
    pthread_mutex_lock(&feed->mutex);
    feed->closed = true;
    pthread_mutex_unlock(&feed->mutex);
    atomic_store(&feed->stopping, true);
    wake(feed);
    pthread_join(feed->thread, NULL);
    feed->started = false;
}

/* Those that were handed over when the thread had ended. */
static void leave_all(struct feed *feed)
{
    struct stream *next;

    for (struct stream *one = feed_come(feed); one; one = next) {
        next = one->next_come;
        feed_leave(feed, one);
    }
}

void feed_destroy(struct feed *feed)
{
    if (!feed)
        return;
    feed_stop(feed);
    leave_all(feed);
    free_feed(feed);
}

/* Knuth's multiplicative hash: addresses that are neighbours fall apart. */
static struct stream **bucket_of(struct feed *feed, uint32_t address)
{
    return &feed->buckets[address * UINT32_C(2654435761) % (feed->list_size + 1)];
}

/* Count the places of each address in its newest stream, which comes first; those that must
 * leave already have none. */
static void count_places(struct feed *feed)
{
    memset(feed->buckets, 0, (feed->list_size + 1) * sizeof *feed->buckets);
    for (struct stream *one = feed->all; one; one = one->next_of_all) {
        struct stream **bucket = bucket_of(feed, one->address), *newest = *bucket;

        one->places = 0;
        if (atomic_load(&one->crowded))
            continue;
        while (newest && newest->address != one->address)
            newest = newest->next_in_bucket;
        if (newest) {
            newest->places++;
            continue;
        }
        one->places = 1;
        one->next_in_bucket = *bucket;
        *bucket = one;
    }
}

struct stream *feed_find_crowded(struct feed *feed, uint32_t address)
{
    unsigned bound = feed->options.streams_max - feed->options.streams_max / 4;
    struct stream *one = feed->all;

    if (feed->options.address_max == 0)
        return NULL;
    if (feed->options.address_max < bound)
        bound = feed->options.address_max;
    count_places(feed);
    while (one && (one->address == address || one->places <= bound))
        one = one->next_of_all;
    return one;
}

/* With the mutex held. */
static void link_stream(struct feed *feed, struct stream *stream)
{
    stream->next_of_all = feed->all;
    stream->link_of_all = &feed->all;
    if (feed->all)
        feed->all->link_of_all = &stream->next_of_all;
    feed->all = stream;
    feed->count++;
}

static void leave(struct feed *feed, struct stream *stream)
{
    pthread_mutex_lock(&feed->mutex);
    *stream->link_of_all = stream->next_of_all;
    if (stream->next_of_all)
        stream->next_of_all->link_of_all = stream->link_of_all;
    feed->count--;
    pthread_mutex_unlock(&feed->mutex);
}

static enum dbk_code enter(struct feed *feed, struct request *rq, struct stream *stream,
                           struct dbk_error *err)
{
    struct stream *crowded = NULL;

    pthread_mutex_lock(&feed->mutex);
    if (feed->closed) {
        rq->unavailable = "The server is stopping; try again shortly";
    } else if (feed->count >= feed->options.streams_max) {
        if (feed->count < feed->list_size) /* who must leave may take its time */
            crowded = feed_find_crowded(feed, stream->address);
        if (!crowded)
            rq->unavailable = "As many streams and waiting requests are open as may be "
                              "(STREAMS_MAX); close some, or try again later";
    }
    if (crowded)
        atomic_store(&crowded->crowded, true);
    if (!rq->unavailable)
        link_stream(feed, stream);
    pthread_mutex_unlock(&feed->mutex);
    return rq->unavailable ? dbk_fail(err, DBK_UNAVAILABLE, "no place for a stream")
                           : DBK_OK;
}

static enum dbk_code take_socket(struct feed *feed, struct stream *stream,
                                 struct dbk_error *err)
{
    stream->fd = tap_take_over();
    if (stream->fd < 0)
        return dbk_system_fail(err, "take over", "a connection");
    if (!parked_add(feed->options.parked, stream->fd)) {
        close(stream->fd); /* not shut down: the failure is to be answered */
        stream->fd = -1;
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a stream");
    }
    stream_prepare(stream);
    return DBK_OK;
}

static void send_head(struct request *rq, struct response *rs, struct stream *stream)
{
    rs->status = 200;
    rs->close = true;
    rs->sent = true;
    response_render_head(rs, rq, "");
    if (stream->poll.waits) { /* its length is not known yet */
        dbk_render_raw(&stream->poll.head, rs->wire.text, rs->wire.length - 2);
        dbk_render_clear(&rs->wire);
    } else {
        response_flush(rs, rq);
    }
}

static void hand_over(struct feed *feed, struct stream *stream)
{
    pthread_mutex_lock(&feed->mutex);
    stream->next_come = feed->come;
    feed->come = stream;
    pthread_mutex_unlock(&feed->mutex);
    wake(feed);
}

enum dbk_code feed_take(struct feed *feed, struct request *rq, struct response *rs,
                        struct stream *stream, struct dbk_error *err)
{
    char client[CLIENT_ADDRESS_TEXT];

    request_client(rq, client);
    stream->address = client_address_key(client);
    stream->bears = *rq->actor;
    stream->shows_all = (rq->scopes & DBK_SCOPE_ADMIN) != 0;
    memcpy(stream->hash, rq->use.hash, sizeof stream->hash);
    if (enter(feed, rq, stream, err) != DBK_OK)
        return err->code;
    if (take_socket(feed, stream, err) != DBK_OK) {
        leave(feed, stream);
        return err->code;
    }
    send_head(rq, rs, stream);
    stream->access = access_later_keep(rq, rs->status);
    rq->taken_over = true;
    guard_end(rq->guarded);
    rq->guarded = NULL;
    mg_set_user_connection_data(rq->connection, NULL);
    hand_over(feed, stream);
    return DBK_OK;
}

void feed_leave(struct feed *feed, struct stream *stream)
{
    epoll_ctl(feed->epoll, EPOLL_CTL_DEL, stream->fd, NULL);
    parked_remove(feed->options.parked, stream->fd);
    leave(feed, stream);
    access_later_tell(stream->access, stream->sent, stream->reason);
    stream->access = NULL;
    stream_destroy(stream);
}

struct stream *feed_come(struct feed *feed)
{
    struct stream *come;
    uint64_t count;
    ssize_t got = read(feed->wakes, &count, sizeof count);

    (void)got; /* nothing is fine */
    pthread_mutex_lock(&feed->mutex);
    come = feed->come;
    feed->come = NULL;
    pthread_mutex_unlock(&feed->mutex);
    return come;
}

unsigned feed_streams(struct feed *feed)
{
    unsigned count;

    pthread_mutex_lock(&feed->mutex);
    count = feed->count;
    pthread_mutex_unlock(&feed->mutex);
    return count;
}
