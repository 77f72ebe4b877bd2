/* relay_end.h - where a topic that is relayed into has been left. */
#ifndef DBK_REPLICA_RELAY_END_H
#define DBK_REPLICA_RELAY_END_H

#include "replica/relay.h"

/* The headers of each of its messages. */
#define RELAY_SEQUENCE "sequence"
#define RELAY_TYPE "type"
#define RELAY_LOG "log" /* the log's id */

/* The highest sequence among the messages that are committed, of this log; 0: there is none.
 * Each transaction has the records that come next, so it is the last that is there.
 *
 * DBK_NOT_FOUND    no such topic
 * DBK_CONFLICT     it has messages of another log, or of other programs; or its last ones are
 *                  deleted
 * DBK_UNAVAILABLE
 */
enum dbk_code relay_end_find(const struct dbk_relay_options *options,
                             const struct dbk_uuid *store_id, int timeout_ms,
                             uint64_t *sequence, struct dbk_error *err);

#endif
