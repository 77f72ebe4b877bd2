/* topic.h - the two topics, made and looked at by the brokers' administration. */
#ifndef DBK_REPLICA_TOPIC_H
#define DBK_REPLICA_TOPIC_H

#include "stream.h"

/* Make both where they are not there. DBK_UNAVAILABLE; DBK_UNSUPPORTED: the brokers refuse;
 * err says what. */
enum dbk_code topic_create(rd_kafka_t *handle,
                           const struct dbk_replica_options *options,
                           unsigned replication, int timeout_ms, struct dbk_error *err);

/* Whether they keep what was acknowledged. DBK_UNSUPPORTED: err names each setting that does
 * not; DBK_NOT_FOUND, DBK_UNAVAILABLE. */
enum dbk_code topic_check(rd_kafka_t *handle, const struct dbk_replica_options *options,
                          int timeout_ms, struct dbk_error *err);

/* What is wrong with one setting of the stream's topic, added to the text of out; apart for the
 * tests. */
struct topic_faults {
    char text[400];
    size_t length;
};
void topic_judge(const char *name, const char *value, struct topic_faults *out);

#endif
