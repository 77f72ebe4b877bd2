/* refusal.h - why brokers let a handle in no more: the password, TLS, or nobody listens.
 *
 * librdkafka tries again for ever, and whoever waits hears only that the time is up. What it
 * tells beside that is kept here, for who asks.
 */
#ifndef DBK_REPLICA_REFUSAL_H
#define DBK_REPLICA_REFUSAL_H

#include <librdkafka/rdkafka.h>

#include <stdbool.h>

/* Of a handle, which it must outlive; zeroed. */
struct refusal {
    bool certain; /* another try will not be let in either */
    char text[384];
};

/* Have the handle that is made of conf keep its own here, and nothing else as its opaque. */
void refusal_keep(rd_kafka_conf_t *conf, struct refusal *refusal);

/* Why a call ended with rc, in words: what was kept where that tells more. Only for a handle
 * with a refusal, in the thread that polls it. Borrowed, until the next call. */
const char *refusal_why(rd_kafka_t *handle, rd_kafka_resp_err_t rc);

/* Whether it is no use to wait; as refusal_why. */
bool refusal_is_certain(rd_kafka_t *handle);

/* It was let in. */
void refusal_clear(struct refusal *refusal);

#endif
