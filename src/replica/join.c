#include "join.h"

#include "rule.h"

#include <inttypes.h>

enum { ANSWER_MS = 10000 };

static bool tells_of_records(const struct message *message)
{
    return message->type != MESSAGE_TOKENS && message->type != MESSAGE_HAND_OVER;
}

uint64_t join_before(const struct message *message)
{
    return message->type == MESSAGE_BATCH ? message->first - 1 : message->first;
}

static enum dbk_code keep_nothing(const struct dbk_replica_options *options,
                                  struct dbk_error *err)
{
    return dbk_fail(err, DBK_MOVED,
                    "the brokers keep nothing of the topic %s any more (its "
                    "retention): restore a backup of another node, with --member",
                    options->topic);
}

enum dbk_code join_first(const struct dbk_replica_options *options,
                         struct stream *stream, dbk_deadline deadline, int64_t *offset,
                         struct message *message, struct dbk_error *err)
{
    int64_t begin, end;

    if (stream_bounds(stream, dbk_deadline_left(deadline) + 1, &begin, &end, err) !=
        DBK_OK)
        return err->code;
    if (end == 0)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "the topic %s is empty: `daybook cluster init` begins it",
                        options->topic);
    if (begin == end)
        return keep_nothing(options, err);
    if (stream_seek(stream, begin, err) != DBK_OK)
        return err->code;
    do {
        if (stream_next(stream, dbk_deadline_left(deadline) + 1, offset, message,
                        err) != DBK_OK)
            return err->code == DBK_TIMEOUT
                       ? dbk_fail(err, DBK_UNAVAILABLE, "%s", err->text)
                       : err->code;
        if (tells_of_records(message))
            return DBK_OK;
    } while (*offset + 1 < end);
    return keep_nothing(options, err);
}

static enum dbk_code refuse(struct dbk_error *err, uint64_t head,
                            const struct message *message)
{
    return dbk_fail(
        err, DBK_CONFLICT,
        "this log ends with record %" PRIu64
        ", and the stream begins behind record %" PRIu64
        " of it: it is no copy that can go on from there. Restore a backup of "
        "another node, with --member",
        head, join_before(message));
}

static enum dbk_code check_log(struct dbk_log *log, int64_t offset,
                               const struct message *message, struct dbk_error *err)
{
    struct dbk_uuid id = dbk_log_store_id(log);
    uint32_t checksum = 0;
    uint64_t head;

    if (!dbk_uuid_equal(&id, &message->store_id))
        return dbk_fail(
            err, DBK_CONFLICT,
            "the topic is another log's: this one was made anew, or elsewhere. "
            "Restore a backup of another node, with --member, or begin with "
            "an empty directory");
    if (offset == 0 && (message->keys.length > 0) != dbk_log_is_sealed(log))
        return dbk_fail(
            err, DBK_CONFLICT,
            "the other nodes' log is %s, and this one is %s: begin with an empty data "
            "directory, or a backup of another node, with --member",
            message->keys.length > 0 ? "sealed" : "not sealed",
            message->keys.length > 0 ? "not" : "sealed");
    if (dbk_log_head(log, &head, err) != DBK_OK)
        return err->code;
    if (head > 0 && dbk_log_checksum(log, head, &checksum, err) != DBK_OK)
        return err->code;
    if (offset != 0 || message->type != MESSAGE_GENESIS || message->first != head ||
        message->before != checksum)
        return refuse(err, head, message);
    return DBK_OK;
}

static enum dbk_code join(struct dbk_log *log,
                          const struct dbk_replica_options *options,
                          struct stream *stream, struct dbk_place *place,
                          struct dbk_error *err)
{
    struct message message;
    int64_t offset;

    if (join_first(options, stream, dbk_deadline_in(ANSWER_MS), &offset, &message,
                   err) != DBK_OK ||
        check_log(log, offset, &message, err) != DBK_OK)
        return err->code;
    *place = (struct dbk_place){offset + 1, -1, -1};
    return dbk_log_put_place(log, place, err);
}

enum dbk_code join_stream(struct dbk_log *log,
                          const struct dbk_replica_options *options,
                          struct dbk_place *place, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_place(log, place, err);
    struct stream *stream;

    if (code != DBK_NOT_FOUND)
        return code;
    *err = (struct dbk_error){0};
    code = stream_open(options, &stream, err);
    if (code != DBK_OK)
        return code;
    code = join(log, options, stream, place, err);
    stream_close(stream);
    return code;
}
