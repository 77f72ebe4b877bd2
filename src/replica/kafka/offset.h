/* offset.h - where a partition begins and ends. */
#ifndef DBK_REPLICA_OFFSET_H
#define DBK_REPLICA_OFFSET_H

#include <librdkafka/rdkafka.h>

#include <stdint.h>

/* Ask the brokers for the offset that `which` stands for, RD_KAFKA_OFFSET_BEGINNING or
 * RD_KAFKA_OFFSET_END, within timeout_ms. For rd_kafka_query_watermark_offsets waits for as
 * long as a partition's leader is away, whatever it is told. Any thread. */
rd_kafka_resp_err_t offset_ask(rd_kafka_t *handle, const char *topic, int32_t partition,
                               int64_t which, int timeout_ms, int64_t *out);

#endif
