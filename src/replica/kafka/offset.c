#include "offset.h"

rd_kafka_resp_err_t offset_ask(rd_kafka_t *handle, const char *topic, int32_t partition,
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
