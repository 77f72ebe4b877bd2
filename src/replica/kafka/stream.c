#include "stream.h"

#include "offset.h"
#include "refusal.h"

#include "store/clock.h"

#include <inttypes.h>
#include <stdlib.h>

struct stream {
    const char *topic;
    rd_kafka_t *handle;
    rd_kafka_message_t *last;
    struct refusal refusal;
};

enum dbk_code stream_open(const struct dbk_replica_options *options,
                          struct stream **out, struct dbk_error *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    rd_kafka_conf_t *conf;
    enum dbk_code code;

    if (!stream)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a reader");
    stream->topic = options->topic;
    code = conf_create(options, CONF_LOOK, &conf, err);
    if (code == DBK_OK) {
        refusal_keep(conf, &stream->refusal);
        code = conf_handle(RD_KAFKA_CONSUMER, conf, &stream->handle, err);
    }
    if (code == DBK_OK) {
        rd_kafka_poll_set_consumer(stream->handle);
        *out = stream;
    } else {
        free(stream);
    }
    return code;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    if (stream->last)
        rd_kafka_message_destroy(stream->last);
    rd_kafka_destroy_flags(stream->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(stream);
}

rd_kafka_t *stream_handle(struct stream *stream)
{
    return stream->handle;
}

enum dbk_code stream_bounds(struct stream *stream, int timeout_ms, int64_t *begin,
                            int64_t *end, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    rd_kafka_resp_err_t rc =
        offset_ask(stream->handle, stream->topic, 0, RD_KAFKA_OFFSET_BEGINNING,
                   dbk_deadline_left(deadline) + 1, begin);

    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = offset_ask(stream->handle, stream->topic, 0, RD_KAFKA_OFFSET_END,
                        dbk_deadline_left(deadline) + 1, end);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        return DBK_OK;
    if (rc == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        rc == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
        rc == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "the brokers have no topic %s: `daybook cluster init` makes it",
                        stream->topic);
    return dbk_fail(err, DBK_UNAVAILABLE, "the brokers do not answer: %s",
                    refusal_why(stream->handle, rc));
}

enum dbk_code stream_seek(struct stream *stream, int64_t offset, struct dbk_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t rc;

    rd_kafka_topic_partition_list_add(list, stream->topic, 0)->offset = offset;
    rc = rd_kafka_assign(stream->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        return DBK_OK;
    return dbk_fail(err, DBK_INTERNAL, "librdkafka: %s", rd_kafka_err2str(rc));
}

static enum dbk_code failure(const rd_kafka_message_t *message, struct dbk_error *err)
{
    bool gone = message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;

    return dbk_fail(err, gone ? DBK_NOT_FOUND : DBK_UNAVAILABLE, "read the stream: %s",
                    rd_kafka_message_errstr(message));
}

enum dbk_code stream_next(struct stream *stream, int timeout_ms, int64_t *offset,
                          struct message *message, struct dbk_error *err)
{
    if (stream->last)
        rd_kafka_message_destroy(stream->last);
    stream->last = rd_kafka_consumer_poll(stream->handle, timeout_ms);
    if (!stream->last)
        return dbk_fail(err, DBK_TIMEOUT, "the brokers sent nothing within %d ms",
                        timeout_ms);
    if (stream->last->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return failure(stream->last, err);
    *offset = stream->last->offset;
    if (message_decode(stream->last->payload, stream->last->len, message, err) !=
        DBK_OK)
        return dbk_wrap(err, "the message at offset %" PRId64, *offset);
    return DBK_OK;
}
