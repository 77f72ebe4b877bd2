#include "relay_end.h"

#include "conf.h"
#include "offset.h"
#include "refusal.h"
#include "store/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far before the end of a partition is looked at first; a transaction's marker takes an
 * offset, too, and shows no message. */
enum { LOOK_BACK = 8, LOOK_FACTOR = 16, POLL_MS = 100 };

/* One look at the topic. */
struct look {
    rd_kafka_t *handle;
    const char *topic;
    char log[DBK_UUID_TEXT + 1];
    dbk_deadline deadline;
    uint64_t sequence; /* the highest yet */
    bool found;        /* a message, in some partition */
    bool lost;         /* some partition had messages that are deleted */
    struct refusal refusal;
};

static enum dbk_code unavailable(const struct look *look, rd_kafka_resp_err_t rc,
                                 struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNAVAILABLE, "the brokers do not answer: %s",
                    refusal_why(look->handle, rc));
}

static bool read_number(const void *value, size_t size, uint64_t *out)
{
    const char *text = value;

    *out = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || size > 19)
            return false;
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    }
    return size > 0;
}

static enum dbk_code take(struct look *look, const rd_kafka_message_t *message,
                          struct dbk_error *err)
{
    rd_kafka_headers_t *headers = NULL;
    const void *sequence, *log;
    size_t sequence_size, log_size;
    uint64_t number;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, RELAY_SEQUENCE, &sequence, &sequence_size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, RELAY_LOG, &log, &log_size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        !read_number(sequence, sequence_size, &number))
        return dbk_fail(err, DBK_CONFLICT,
                        "the topic %s has messages that no relay has sent: give it a "
                        "topic of its own",
                        look->topic);
    if (log_size != DBK_UUID_TEXT || memcmp(log, look->log, log_size) != 0)
        return dbk_fail(
            err, DBK_CONFLICT,
            "the topic %s has messages of the log %.*s, and this is %s: give "
            "it a topic of its own",
            look->topic, (int)log_size, (const char *)log, look->log);
    look->found = true;
    if (number > look->sequence)
        look->sequence = number;
    return DBK_OK;
}

static enum dbk_code seek(struct look *look, int32_t partition, int64_t offset,
                          struct dbk_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t rc;

    rd_kafka_topic_partition_list_add(list, look->topic, partition)->offset = offset;
    rc = rd_kafka_assign(look->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rc == RD_KAFKA_RESP_ERR_NO_ERROR ? DBK_OK : unavailable(look, rc, err);
}

/* Read from here to the end of the partition; *any whether a message came. */
static enum dbk_code read_on(struct look *look, int32_t partition, int64_t from,
                             bool *any, struct dbk_error *err)
{
    enum dbk_code code = seek(look, partition, from, err);
    bool ended = false;

    *any = false;
    while (code == DBK_OK && !ended) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(look->handle, POLL_MS);

        if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = take(look, message, err);
            *any = true;
        } else if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ended = true;
        } else if (dbk_deadline_left(look->deadline) == 0) {
            code = unavailable(
                look, message ? message->err : RD_KAFKA_RESP_ERR__TIMED_OUT, err);
        }
        if (message)
            rd_kafka_message_destroy(message);
    }
    return code;
}

static enum dbk_code look_at(struct look *look, int32_t partition,
                             struct dbk_error *err)
{
    int64_t low, high, back = LOOK_BACK;
    rd_kafka_resp_err_t rc =
        offset_ask(look->handle, look->topic, partition, RD_KAFKA_OFFSET_BEGINNING,
                   dbk_deadline_left(look->deadline) + 1, &low);
    bool any = false;

    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = offset_ask(look->handle, look->topic, partition, RD_KAFKA_OFFSET_END,
                        dbk_deadline_left(look->deadline) + 1, &high);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unavailable(look, rc, err);
    look->lost = look->lost || low > 0;
    for (int64_t from = high; from > low && !any; back *= LOOK_FACTOR) {
        from = high - back > low ? high - back : low;
        if (read_on(look, partition, from, &any, err) != DBK_OK)
            return err->code;
    }
    return DBK_OK;
}

static enum dbk_code count_partitions(struct look *look, int32_t *count,
                                      struct dbk_error *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(look->handle, look->topic, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t rc;

    if (!topic)
        return dbk_fail(err, DBK_INVALID, "\"%.100s\" can be no topic", look->topic);
    rc = rd_kafka_metadata(look->handle, 0, topic, &metadata,
                           dbk_deadline_left(look->deadline) + 1);
    rd_kafka_topic_destroy(topic);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unavailable(look, rc, err);
    *count = metadata->topic_cnt == 1 &&
                     metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR
                 ? metadata->topics[0].partition_cnt
                 : 0;
    rd_kafka_metadata_destroy(metadata);
    if (*count > 0)
        return DBK_OK;
    return dbk_fail(
        err, DBK_NOT_FOUND,
        "the brokers have no topic %s: make it, with as many partitions and "
        "replicas as its readers want",
        look->topic);
}

static enum dbk_code look_at_all(struct look *look, struct dbk_error *err)
{
    int32_t count;

    if (count_partitions(look, &count, err) != DBK_OK)
        return err->code;
    for (int32_t i = 0; i < count; i++) {
        if (look_at(look, i, err) != DBK_OK)
            return err->code;
    }
    if (look->found || !look->lost) /* what was begun and not committed is nothing */
        return DBK_OK;
    return dbk_fail(
        err, DBK_CONFLICT,
        "all messages of the topic %s are deleted, so where to go on is not "
        "known: name another one, or make it anew",
        look->topic);
}

static enum dbk_code open_reader(const struct dbk_relay_options *options,
                                 struct look *look, struct dbk_error *err)
{
    const struct dbk_replica_options reader = {.brokers = options->brokers,
                                               .topic = options->topic,
                                               .properties = options->properties};
    rd_kafka_conf_t *conf;
    char why[256];

    if (conf_create(&reader, CONF_LOOK, &conf, err) != DBK_OK)
        return err->code;
    rd_kafka_conf_set(conf, "isolation.level", "read_committed", why, sizeof why);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    refusal_keep(conf, &look->refusal);
    if (conf_handle(RD_KAFKA_CONSUMER, conf, &look->handle, err) != DBK_OK)
        return err->code;
    rd_kafka_poll_set_consumer(look->handle);
    return DBK_OK;
}

enum dbk_code relay_end_find(const struct dbk_relay_options *options,
                             const struct dbk_uuid *store_id, int timeout_ms,
                             uint64_t *sequence, struct dbk_error *err)
{
    struct look look = {.topic = options->topic,
                        .deadline = dbk_deadline_in(timeout_ms)};
    enum dbk_code code = open_reader(options, &look, err);

    if (code != DBK_OK)
        return code;
    dbk_uuid_format(store_id, look.log);
    code = look_at_all(&look, err);
    rd_kafka_destroy_flags(look.handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    *sequence = look.sequence;
    return code;
}
