/* apply.h - messages of the stream become the log, by dbk-tail. */
#ifndef DBK_REPLICA_APPLY_H
#define DBK_REPLICA_APPLY_H

#include "replica_private.h"

#define APPLY_MESSAGES 1000

/* Apply them, in as few transactions as may be. What they bring the role is done, too.
 *
 * DBK_MOVED     the log is not where the messages begin: to be read again from its place
 * DBK_CONFLICT, DBK_DAMAGED, DBK_UNSUPPORTED  the stream is not this log's: err says why
 * any other     the log cannot take it now
 */
enum dbk_code apply_messages(struct dbk_replica *replica, rd_kafka_message_t **messages,
                             size_t count, struct dbk_error *err);

#endif
