/* join.h - whether a log is one that the stream goes on from. */
#ifndef DBK_REPLICA_JOIN_H
#define DBK_REPLICA_JOIN_H

#include "replica_private.h"
#include "stream.h"

/* The place of a log; one without gets it where it is what the stream began with: then brokers
 * are asked. DBK_CONFLICT: it is not; err says what to do. DBK_UNAVAILABLE, DBK_NOT_FOUND. */
enum dbk_code join_stream(struct dbk_log *log,
                          const struct dbk_replica_options *options,
                          struct dbk_place *place, struct dbk_error *err);

/* The first message that the brokers have which tells of records: tokens and hand-overs do not.
 * DBK_NOT_FOUND: there was none ever. DBK_MOVED: they keep none of those that there were. */
enum dbk_code join_first(const struct dbk_replica_options *options,
                         struct stream *stream, dbk_deadline deadline, int64_t *offset,
                         struct message *message, struct dbk_error *err);

/* Which of the log's records are before such a message: those up to this. */
uint64_t join_before(const struct message *message);

#endif
