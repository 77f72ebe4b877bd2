/* members.h - logs that are copies of one another, and a stream made by hand: an array of
 * messages, which nodes append to and apply by the reader's rule. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "scratch_log.h"
#include "store/replicated.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

struct message {
    bool opening; /* else a batch */
    int64_t epoch;
    uint64_t first;
    uint32_t count, before;
    char *body, *keys;
    size_t length, keys_length;
};

/* Safe between threads; what is in it stays. */
struct stream {
    pthread_mutex_t mutex;
    struct message *messages;
    int64_t count, size;
};

/* What a ship does: one character each, then "." for ever.
 *   . it lands               U it is not sent
 *   L it lands, in doubt     l it does not, in doubt
 *   N another has opened     D it lands, and whoever ships dies
 *   d whoever ships dies before */
struct node {
    struct scratch s;
    struct stream *stream;
    const char *script, *confirms;
    int ships, confirmed;
    atomic_int lost;
    size_t largest;    /* of the bodies that were shipped */
    atomic_bool *gate; /* a ship waits until it is open; NULL: it is */
    uint64_t voids;
};

static inline void stream_init(struct stream *stream)
{
    memset(stream, 0, sizeof *stream);
    pthread_mutex_init(&stream->mutex, NULL);
}

static inline void stream_finish(struct stream *stream)
{
    for (int64_t i = 0; i < stream->count; i++) {
        free(stream->messages[i].body);
        free(stream->messages[i].keys);
    }
    free(stream->messages);
    pthread_mutex_destroy(&stream->mutex);
}

/* With the mutex held. */
static inline int64_t stream_add(struct stream *stream, struct message message)
{
    if (stream->count == stream->size) {
        stream->size = stream->size ? 2 * stream->size : 64;
        stream->messages =
            realloc(stream->messages, (size_t)stream->size * sizeof *stream->messages);
    }
    stream->messages[stream->count] = message;
    return stream->count++;
}

static inline int64_t stream_open(struct stream *stream)
{
    int64_t epoch;

    pthread_mutex_lock(&stream->mutex);
    epoch = stream_add(stream, (struct message){.opening = true});
    pthread_mutex_unlock(&stream->mutex);
    return epoch;
}

static inline int64_t stream_end(struct stream *stream)
{
    int64_t end;

    pthread_mutex_lock(&stream->mutex);
    end = stream->count;
    pthread_mutex_unlock(&stream->mutex);
    return end;
}

/* Whether nothing but what is void by then lies from this offset on. With the mutex held. */
static inline bool stream_is_quiet(const struct stream *stream, int64_t from)
{
    for (int64_t i = from; i < stream->count; i++) {
        if (stream->messages[i].opening)
            return false;
    }
    return true;
}

static inline void land(struct stream *stream, const struct dbk_shipment *shipment,
                        int64_t epoch)
{
    struct message message = {.epoch = epoch,
                              .first = shipment->first,
                              .count = shipment->count,
                              .before = shipment->before,
                              .length = shipment->body.length,
                              .keys_length = shipment->keys.length};

    if (message.keys_length > 0) {
        message.keys = malloc(message.keys_length);
        memcpy(message.keys, shipment->keys.data, message.keys_length);
    }
    message.body = malloc(message.length ? message.length : 1);
    memcpy(message.body, shipment->body.data, message.length);
    stream_add(stream, message);
}

static inline char next_of(const char **script)
{
    return *script && **script ? *(*script)++ : '.';
}

static inline enum dbk_code node_ship(void *context,
                                      const struct dbk_shipment *shipment,
                                      const struct dbk_place *at,
                                      struct dbk_place *after, struct dbk_error *err)
{
    struct node *node = context;
    struct stream *stream = node->stream;
    char what = next_of(&node->script);
    enum dbk_code code = DBK_OK;

    node->ships++;
    if (shipment->body.length > node->largest)
        node->largest = shipment->body.length;
    while (node->gate && !atomic_load(node->gate))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (what == 'd')
        _exit(0);
    if (what == 'U')
        return dbk_fail(err, DBK_UNAVAILABLE, "the stream is away");
    pthread_mutex_lock(&stream->mutex);
    if (what == 'N' || !stream_is_quiet(stream, at->next)) {
        if (what != 'N' && what != 'l') /* it arrives, and is void for everybody */
            land(stream, shipment, at->epoch);
        code = dbk_fail(err, DBK_NOT_LEADER, "another has opened");
    } else if (what != 'l') {
        land(stream, shipment, at->epoch);
    }
    *after = (struct dbk_place){stream->count, at->epoch, at->reseed};
    pthread_mutex_unlock(&stream->mutex);
    if (what == 'D')
        _exit(0);
    if (what == 'L' || what == 'l')
        return dbk_fail(err, DBK_IN_DOUBT, "no answer in time");
    return code;
}

static inline enum dbk_code node_confirm(void *context, const struct dbk_place *at,
                                         struct dbk_error *err)
{
    struct node *node = context;
    bool quiet;

    node->confirmed++;
    if (next_of(&node->confirms) == 'U')
        return dbk_fail(err, DBK_UNAVAILABLE, "the stream is away");
    pthread_mutex_lock(&node->stream->mutex);
    quiet = stream_is_quiet(node->stream, at->next);
    pthread_mutex_unlock(&node->stream->mutex);
    return quiet ? DBK_OK : dbk_fail(err, DBK_NOT_LEADER, "another has opened");
}

static inline void node_lost(void *context, const struct dbk_error *why)
{
    struct node *node = context;

    (void)why;
    atomic_fetch_add(&node->lost, 1);
}

static const struct dbk_place at_the_beginning = {.epoch = -1, .reseed = -1};

/* With the ring node->s.keys, where there is one. */
static inline void node_open(struct node *node, struct stream *stream,
                             const struct dbk_uuid *store_id, int held_ms)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                      .store_id = store_id,
                                      .held_ms = held_ms,
                                      .keys = node->s.keys};

    node->stream = stream;
    if (!node->s.dir[0]) {
        strcpy(node->s.dir, "/tmp/daybook-store-XXXXXX");
        assert_non_null(mkdtemp(node->s.dir));
    }
    assert_int_equal(dbk_log_open(node->s.dir, &options, &node->s.log, &node->s.err),
                     DBK_OK);
    assert_int_equal(dbk_log_put_place(node->s.log, &at_the_beginning, &node->s.err),
                     DBK_OK);
}

static inline void node_close(struct node *node)
{
    dbk_log_close(node->s.log);
    scratch_remove(node->s.dir);
}

/* Apply one message by the reader's rule; NULL or what is wrong with it. */
static inline enum dbk_code apply_one(struct node *node, struct dbk_apply *apply,
                                      const struct message *message,
                                      struct dbk_place *place, uint64_t *head,
                                      uint32_t *checksum, struct dbk_error *err)
{
    struct dbk_slice body = {message->body, message->length};
    int64_t offset = place->next++;

    if (message->opening) {
        place->epoch = offset;
        return DBK_OK;
    }
    if (message->epoch < place->epoch) {
        node->voids++;
        return DBK_OK;
    }
    if (message->epoch > place->epoch || message->first != *head + 1 ||
        message->before != *checksum)
        return dbk_fail(err, DBK_DAMAGED, "changed history");
    if (message->keys_length > 0 &&
        dbk_apply_keys(apply, (struct dbk_slice){message->keys, message->keys_length},
                       err) != DBK_OK)
        return err->code;
    return dbk_apply_batch(apply, message->first, message->count, body, head, checksum,
                           err);
}

/* Apply the stream up to an offset, so many messages a transaction; safe in any thread. */
static inline enum dbk_code node_follow(struct node *node, int64_t to, int at_once,
                                        struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_place place = {.next = -1};

    while (code == DBK_OK && place.next < to) {
        struct dbk_apply *apply;
        uint32_t checksum;
        uint64_t head;

        code = dbk_log_apply_begin(node->s.log, &apply, &place, &head, &checksum, err);
        for (int i = 0; code == DBK_OK && i < at_once && place.next < to; i++) {
            struct message message;

            pthread_mutex_lock(&node->stream->mutex);
            message = node->stream->messages[place.next];
            pthread_mutex_unlock(&node->stream->mutex);
            code = apply_one(node, apply, &message, &place, &head, &checksum, err);
        }
        if (code == DBK_OK)
            code = dbk_apply_commit(apply, &place, err);
        else
            dbk_apply_abort(apply);
    }
    return code;
}

static inline void node_catch_up(struct node *node)
{
    if (node_follow(node, stream_end(node->stream), 3, &node->s.err) != DBK_OK)
        fail_msg("%s", node->s.err.text);
}

static inline void node_lead_on(struct node *node)
{
    const struct dbk_shipper shipper = {
        .context = node, .ship = node_ship, .confirm = node_confirm, .lost = node_lost};

    dbk_log_lead(node->s.log, &shipper);
}

/* Open, apply up to that, and lead. */
static inline void node_lead(struct node *node)
{
    stream_open(node->stream);
    node_catch_up(node);
    node_lead_on(node);
}

static inline struct dbk_place place_of(struct node *node)
{
    struct dbk_place place;

    assert_int_equal(dbk_log_place(node->s.log, &place, &node->s.err), DBK_OK);
    return place;
}

static inline uint64_t node_head(struct node *node)
{
    return head_of(&node->s);
}

#endif
