#include "offset.h"

#include "store/clock.h"

static rd_kafka_resp_err_t ask(rd_kafka_t *handle, const char *topic, int32_t partition,
                               int64_t which, int timeout_ms, int64_t *out)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *one =
        rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t rc;

    one->offset = which;
    rc = rd_kafka_offsets_for_times(handle, list, timeout_ms);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = one->err;
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR && one->offset < 0)
        rc = RD_KAFKA_RESP_ERR__TIMED_OUT;
    *out = one->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

/* Another broker may lead the partition by now. librdkafka would go on asking the one that did,
 * for minutes: of its own accord it looks again for topics alone that a handle has, not for
 * those that were named in a call (2.0 at least). */
static void look_again(rd_kafka_t *handle, const char *topic, int timeout_ms)
{
    rd_kafka_topic_t *known = rd_kafka_topic_new(handle, topic, NULL);
    const struct rd_kafka_metadata *metadata;

    if (!known)
        return;
    if (rd_kafka_metadata(handle, 0, known, &metadata, timeout_ms) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(known);
}

rd_kafka_resp_err_t offset_ask(rd_kafka_t *handle, const char *topic, int32_t partition,
                               int64_t which, int timeout_ms, int64_t *out)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    rd_kafka_resp_err_t rc = /* some time is left to look in, also where none answers */
        ask(handle, topic, partition, which, timeout_ms - timeout_ms / 4, out);

    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        return rc;
    look_again(handle, topic, dbk_deadline_left(deadline) + 1);
    if (dbk_deadline_left(deadline) == 0)
        return rc;
    return ask(handle, topic, partition, which, dbk_deadline_left(deadline), out);
}
