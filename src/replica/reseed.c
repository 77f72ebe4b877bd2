/* dbk_replica_reseed: the stream is put right by a log that has what the brokers have lost. */
#include "join.h"
#include "rule.h"
#include "stream.h"

#include "producer.h"
#include "store/clock.h"
#include "store/keys_share.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 10000, MEMBERS_MS = 5000, BATCH_BYTES = 4 << 20 };

struct reseed {
    struct dbk_log *log;
    const struct dbk_replica_options *options;
    struct dbk_uuid store_id;
    struct dbk_place place; /* of the log */
    uint64_t head;
    int64_t end;          /* of the stream */
    struct rule_log read; /* what a copy would be that had read all of it */
    bool stuck;           /* none can read to its end */
    struct dbk_apply *apply;
};

/* No node may have more than this one, also of those that are down. */
static enum dbk_code check_members(const struct reseed *reseed, struct dbk_error *err)
{
    struct dbk_replica_members members;
    enum dbk_code code =
        dbk_replica_members(reseed->options, MEMBERS_MS, &members, err);

    if (code != DBK_OK)
        return reseed->options->unsafe ? DBK_OK : code;
    for (size_t i = 0; i < members.count && code == DBK_OK; i++)
        if (members.list[i].head > reseed->head)
            code = dbk_fail(err, DBK_CONFLICT,
                            "the node %s has records up to %" PRIu64
                            ", and this one up to %" PRIu64 ": reseed there",
                            members.list[i].node, members.list[i].head, reseed->head);
    dbk_replica_members_finish(&members);
    return code;
}

/* Where reading begins: behind what the first message says was there before it. */
static void begin_at(struct reseed *reseed, int64_t offset,
                     const struct message *message)
{
    reseed->read = (struct rule_log){.place = {offset, message->epoch, message->reseed},
                                     .head = join_before(message),
                                     .checksum = message->before};
}

static enum dbk_code hold_batch(struct reseed *reseed, const struct message *message,
                                struct dbk_error *err)
{
    uint64_t last = message->first + message->count - 1;

    if (last > reseed->head)
        return dbk_fail(err, DBK_CONFLICT,
                        "the stream has records up to %" PRIu64
                        " and more, and this log ends at %" PRIu64
                        ": it is not the one that has the most",
                        last, reseed->head);
    if (dbk_apply_compare(reseed->apply, message->first, message->count, message->body,
                          err) != DBK_OK)
        return dbk_wrap(err, "the stream has another record than this log");
    if (last > reseed->read.head)
        reseed->read.head = last;
    return DBK_OK;
}

static enum dbk_code checksum_of(struct reseed *reseed, uint64_t sequence,
                                 uint32_t *checksum, struct dbk_error *err)
{
    *checksum = 0;
    if (sequence == 0 || sequence > reseed->head)
        return DBK_OK;
    return dbk_log_checksum(reseed->log, sequence, checksum, err);
}

/* What none can read as a copy, nobody wrote behind: it is passed over. */
static enum dbk_code read_message(struct reseed *reseed, int64_t offset,
                                  const struct message *message, struct dbk_error *err)
{
    struct rule_answer answer;
    uint32_t asked;

    if (!message_is_of(message, offset, &reseed->store_id))
        return dbk_fail(err, DBK_CONFLICT, "the topic is another log's");
    reseed->read.place.next = offset;
    if (checksum_of(reseed, rule_asks(&reseed->read, offset, message), &asked, err) !=
        DBK_OK)
        return err->code;
    answer = rule_read(&reseed->read, offset, message, asked);
    if (answer.verdict == RULE_HALT) {
        reseed->stuck = true;
        return DBK_OK;
    }
    if ((answer.verdict == RULE_APPEND || answer.verdict == RULE_OVERLAP) &&
        hold_batch(reseed, message, err) != DBK_OK)
        return err->code;
    if (answer.verdict == RULE_OPEN && message->reseeds)
        reseed->stuck = false;
    reseed->read.place = answer.place;
    return checksum_of(reseed, reseed->read.head, &reseed->read.checksum, err);
}

static enum dbk_code read_stream(struct reseed *reseed, struct stream *stream,
                                 struct dbk_error *err)
{
    struct message message;
    int64_t begin, offset;
    enum dbk_code code;

    if (stream_bounds(stream, ANSWER_MS, &begin, &reseed->end, err) != DBK_OK)
        return err->code;
    code = join_first(reseed->options, stream, dbk_deadline_in(ANSWER_MS), &offset,
                      &message, err);
    if (code == DBK_NOT_FOUND || code == DBK_MOVED)
        /* all is gone: it begins anew with all there is */
        return dbk_fail(err, DBK_NOT_FOUND,
                        "the topic is empty: take the log's place away by `daybook "
                        "restore`, and begin anew by `daybook cluster init`");
    if (code != DBK_OK)
        return code;
    begin_at(reseed, offset, &message);
    for (;;) {
        if (read_message(reseed, offset, &message, err) != DBK_OK)
            return err->code;
        if (offset + 1 >= reseed->end)
            return DBK_OK;
        if (stream_next(stream, ANSWER_MS, &offset, &message, err) != DBK_OK)
            return err->code;
    }
}

static enum dbk_code read_whole(struct reseed *reseed, struct dbk_error *err)
{
    struct dbk_place place;
    struct stream *stream;
    uint32_t checksum;
    uint64_t head;
    enum dbk_code code = stream_open(reseed->options, &stream, err);

    if (code != DBK_OK)
        return code;
    /* Only to hold records against: nothing is appended. */
    code =
        dbk_log_apply_begin(reseed->log, &reseed->apply, &place, &head, &checksum, err);
    if (code == DBK_OK) {
        code = read_stream(reseed, stream, err);
        dbk_apply_abort(reseed->apply);
    }
    stream_close(stream);
    if (code == DBK_OK && !reseed->stuck && reseed->read.head == reseed->head &&
        reseed->place.next <= reseed->end)
        return dbk_fail(err, DBK_MOVED, "the stream has all that this log has");
    return code;
}

static enum dbk_code send_one(struct producer *producer, const struct message *message,
                              int64_t *offset, struct dbk_error *err)
{
    int64_t due = *offset + 1;

    if (producer_send_wait(producer, message, NULL, offset, err) != DBK_OK)
        return err->code;
    if (*offset != due)
        return dbk_fail(err, DBK_CONFLICT,
                        "another node writes into the stream: stop all of them, and "
                        "reseed again");
    return DBK_OK;
}

/* All keys: which of them the stream lacks nobody knows, and those that a copy has used stay. */
static enum dbk_code send_keys(struct reseed *reseed, struct producer *producer,
                               struct message message, int64_t *offset,
                               struct dbk_error *err)
{
    uint64_t shared = 1;
    enum dbk_code code = DBK_OK;

    if (!dbk_log_is_sealed(reseed->log))
        return DBK_OK;
    message.first = reseed->read.head + 1;
    for (uint64_t first = 1; code == DBK_OK && first <= shared;
         first += DBK_PARCEL_MOST) {
        char *bytes;

        code = dbk_log_parcel(reseed->log, first, DBK_PARCEL_MOST, &bytes,
                              &message.keys.length, &shared, err);
        message.keys.data = bytes;
        if (code == DBK_OK)
            code = send_one(producer, &message, offset, err);
        free(bytes);
    }
    return code;
}

/* The records that the stream lacks, as batches of the epoch at *offset, where the last one
 * comes to. */
static enum dbk_code send_records(struct reseed *reseed, struct producer *producer,
                                  struct message message, int64_t *offset,
                                  struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    uint64_t after = reseed->read.head;
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && after < reseed->head) {
        struct dbk_shipment shipment;

        code =
            dbk_log_shipment(reseed->log, after, BATCH_BYTES, &batch, &shipment, err);
        if (code != DBK_OK || shipment.count == 0)
            break;
        message.first = shipment.first;
        message.count = shipment.count;
        message.before = shipment.before;
        message.body = shipment.body;
        code = send_one(producer, &message, offset, err);
        after += shipment.count;
    }
    dbk_batch_finish(&batch);
    return code;
}

static enum dbk_code send_tail(struct reseed *reseed, struct producer *producer,
                               struct dbk_error *err)
{
    struct message message = {.type = MESSAGE_OPENING,
                              .reseeds = true,
                              .epoch = -1,
                              .store_id = reseed->store_id,
                              .first = reseed->read.head,
                              .before = reseed->read.checksum,
                              .reseed = reseed->read.place.reseed,
                              .node = dbk_slice(reseed->options->node),
                              .url = dbk_slice(reseed->options->url)};
    int64_t offset = reseed->end - 1, opening;

    if (send_one(producer, &message, &offset, err) != DBK_OK)
        return err->code;
    opening = offset;
    message.type = MESSAGE_BATCH;
    message.reseeds = false;
    message.epoch = message.reseed = opening;
    message.url = (struct dbk_slice){NULL, 0};
    if (send_keys(reseed, producer, message, &offset, err) != DBK_OK ||
        send_records(reseed, producer, message, &offset, err) != DBK_OK)
        return err->code;
    reseed->place = (struct dbk_place){offset + 1, opening, opening};
    return dbk_log_put_place(reseed->log, &reseed->place, err);
}

static enum dbk_code put_right(struct reseed *reseed, struct dbk_error *err)
{
    struct producer *producer;
    enum dbk_code code;

    if (dbk_log_place(reseed->log, &reseed->place, err) != DBK_OK ||
        dbk_log_head(reseed->log, &reseed->head, err) != DBK_OK ||
        check_members(reseed, err) != DBK_OK || read_whole(reseed, err) != DBK_OK)
        return err->code;
    code = producer_create(reseed->options, &producer, err);
    if (code != DBK_OK)
        return code;
    code = send_tail(reseed, producer, err);
    producer_destroy(producer);
    return code;
}

enum dbk_code dbk_replica_reseed(struct dbk_log *log,
                                 const struct dbk_replica_options *options,
                                 uint64_t *sent, struct dbk_error *err)
{
    struct reseed reseed = {
        .log = log, .options = options, .store_id = dbk_log_store_id(log)};
    struct dbk_error why = {0};
    enum dbk_code code = put_right(&reseed, &why);

    if (code != DBK_OK)
        return dbk_fail(err, code, "%s", why.text);
    *sent = reseed.head - reseed.read.head;
    return DBK_OK;
}
