/* relay.h - the log, a message a record, in a topic for others. */
#ifndef DBK_REPLICA_RELAY_H
#define DBK_REPLICA_RELAY_H

#include "store/error.h"
#include "store/log.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_relay_options {
    const char *brokers, *topic;
    const char *properties; /* a file of librdkafka's properties, or NULL */
    const char *name;       /* the transactional id: one relay of a name at a time */
    bool follow;            /* go on when the end is reached */
    unsigned batch;         /* records a transaction, at most; 0: 8,192 */
    int linger_ms;          /* how long fewer may wait for more; 0: 200 */
    /* Write the record as others read it, malloc'd, and the same of its key, which is what
     * keeps it in order with others. */
    enum dbk_code (*render)(void *context, const struct dbk_record *record, char **text,
                            size_t *length, struct dbk_slice *key,
                            struct dbk_error *err);
    void *render_context;
    struct dbk_watch watch; /* how far it is; to stop */
};

/* Send all that the topic does not have yet, each record once for whoever reads what is
 * committed. It begins behind the last message of the topic, whose header "sequence" tells.
 * *sent receives how many.
 *
 * DBK_UNAVAILABLE  no broker; what was sent is whole
 * DBK_UNSUPPORTED  the brokers refuse the password in the properties, or TLS fails
 * DBK_INVALID      librdkafka refuses the properties
 * DBK_NOT_FOUND    no such topic
 * DBK_CONFLICT     another of this name has begun; or the topic is ahead of the log
 * DBK_INTERRUPTED
 */
enum dbk_code dbk_relay_run(struct dbk_log *log,
                            const struct dbk_relay_options *options, uint64_t *sent,
                            struct dbk_error *err);

#endif
