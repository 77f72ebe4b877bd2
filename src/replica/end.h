/* end.h - where the stream ends, now. */
#ifndef DBK_REPLICA_END_H
#define DBK_REPLICA_END_H

#include "replica_private.h"

/* Ask the brokers, within timeout_ms. DBK_UNAVAILABLE. */
enum dbk_code end_ask(struct dbk_replica *replica, int timeout_ms, int64_t *end,
                      struct dbk_error *err);

/* Ask, and note whether the log has all there was. */
void end_look(struct dbk_replica *replica);

#endif
