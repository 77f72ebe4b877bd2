#include "rejoin.h"

#include "rule.h"
#include "stream.h"

#include <inttypes.h>

enum { ASK_MS = 1000, READ_MS = 1500 };

/* Whether the brokers have a stream of this log at all. One that was made anew, empty or
 * another log's, is not written into: all of its own nodes would halt at that. */
static bool is_ours(struct dbk_replica *replica)
{
    struct message message;
    struct stream *stream;
    struct dbk_error err;
    int64_t begin, end, offset;
    bool ours;

    if (stream_open(&replica->options, &stream, &err) != DBK_OK)
        return false;
    ours = stream_bounds(stream, ASK_MS, &begin, &end, &err) == DBK_OK && begin < end &&
           stream_seek(stream, begin, &err) == DBK_OK &&
           stream_next(stream, READ_MS, &offset, &message, &err) == DBK_OK &&
           dbk_uuid_equal(&message.store_id, &replica->store_id);
    stream_close(stream);
    return ours;
}

void rejoin_alarm(struct dbk_replica *replica)
{
    struct message message = replica_message(replica, MESSAGE_OPENING);
    struct producer *producer = NULL;
    struct dbk_error err = {0};
    int64_t offset;

    if (replica->alarmed || !is_ours(replica))
        return;
    replica->alarmed = true;
    message.reseed = replica_place(replica).reseed;
    if (dbk_log_head(replica->log, &message.first, &err) != DBK_OK ||
        message.first == 0 ||
        dbk_log_checksum(replica->log, message.first, &message.before, &err) !=
            DBK_OK ||
        producer_create(&replica->options, &producer, &err) != DBK_OK ||
        producer_send_wait(producer, &message, &replica->stopping, &offset, &err) !=
            DBK_OK)
        replica_say(replica, "cluster: could not tell the other nodes: %s", err.text);
    producer_destroy(producer);
}

/* The latest opening that put it right, as whoever wrote last knows. */
static bool latest_reseed(struct stream *stream, int64_t *reseed)
{
    struct message message;
    struct dbk_error err;
    int64_t begin, end, offset;

    if (stream_bounds(stream, ASK_MS, &begin, &end, &err) != DBK_OK || end <= begin ||
        stream_seek(stream, end - 1, &err) != DBK_OK ||
        stream_next(stream, READ_MS, &offset, &message, &err) != DBK_OK)
        return false;
    *reseed = message.reseeds ? offset : message.reseed;
    return *reseed >= begin;
}

static bool fits(struct dbk_replica *replica, int64_t offset,
                 const struct message *message)
{
    struct rule_log log = {.place = replica_place(replica)};
    uint32_t asked = 0;

    if (!dbk_uuid_equal(&message->store_id, &replica->store_id) ||
        dbk_log_head(replica->log, &log.head, NULL) != DBK_OK)
        return false;
    if (log.head > 0 &&
        dbk_log_checksum(replica->log, log.head, &log.checksum, NULL) != DBK_OK)
        return false;
    if (message->first > 0 && message->first <= log.head &&
        dbk_log_checksum(replica->log, message->first, &asked, NULL) != DBK_OK)
        return false;
    return rule_rejoins(&log, offset, message, asked);
}

static bool follow_from(struct dbk_replica *replica, int64_t offset)
{
    /* Not the epoch that was known: its offset may be another's opening by now. */
    const struct dbk_place place = {offset, -1, replica_place(replica).reseed};
    struct dbk_error err;

    if (dbk_log_put_place(replica->log, &place, &err) != DBK_OK) {
        replica_say(replica, "cluster: could not follow again: %s", err.text);
        return false;
    }
    pthread_mutex_lock(&replica->mutex);
    replica->status.place = place;
    replica->status.state = DBK_REPLICA_FOLLOWS;
    replica->status.why[0] = '\0';
    replica->caught_up = false;
    replica->seen_opening = -1;
    pthread_mutex_unlock(&replica->mutex);
    replica->alarmed = false;
    replica_say(replica,
                "cluster: the stream was put right at offset %" PRId64
                ", follows again",
                offset);
    return true;
}

bool rejoin_try(struct dbk_replica *replica)
{
    struct stream *stream;
    struct message message;
    struct dbk_error err;
    int64_t reseed, offset;
    bool again = false;

    if (stream_open(&replica->options, &stream, &err) != DBK_OK)
        return false;
    if (latest_reseed(stream, &reseed) && reseed > replica_place(replica).reseed &&
        stream_seek(stream, reseed, &err) == DBK_OK &&
        stream_next(stream, READ_MS, &offset, &message, &err) == DBK_OK)
        again = fits(replica, offset, &message) && follow_from(replica, offset);
    stream_close(stream);
    return again;
}
