/* producer.h - sends messages, one after the other, each once.
 *
 * Idempotent, acknowledged by all replicas in sync, without transactions. Used by one thread
 * at a time.
 */
#ifndef DBK_REPLICA_PRODUCER_H
#define DBK_REPLICA_PRODUCER_H

#include "message.h"

#include <stdatomic.h>

struct producer;

/* DBK_INVALID, DBK_NO_MEMORY. Waits for no broker. */
enum dbk_code producer_create(const struct dbk_replica_options *options,
                              struct producer **producer, struct dbk_error *err);

/* What is still on its way may arrive or not, and is not tried again. NULL is fine. */
void producer_destroy(struct producer *producer);

/* Begin to send. DBK_UNAVAILABLE: librdkafka refuses it, nothing is sent. DBK_NO_MEMORY,
 * DBK_TOO_LARGE. */
enum dbk_code producer_send(struct producer *producer, const struct message *message,
                            struct dbk_error *err);

struct delivery {
    bool arrived;   /* at this offset, and will stay */
    bool refused;   /* a broker said so, and what it says is why */
    int64_t offset; /* of what arrived */
    char why[256];  /* of what did not */
};

/* Whether it is known what came of the last one that was sent; waits up to so long. */
bool producer_delivered(struct producer *producer, int wait_ms, struct delivery *out);

/* Both: DBK_OK with the offset; DBK_UNAVAILABLE: surely not sent; DBK_IN_DOUBT, also where
 * *stop becomes true. Bounded by CONF_SEND_MS and a little. stop may be NULL. */
enum dbk_code producer_send_wait(struct producer *producer,
                                 const struct message *message, const atomic_bool *stop,
                                 int64_t *offset, struct dbk_error *err);

#endif
