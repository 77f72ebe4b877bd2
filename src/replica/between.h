/* between.h - what others sent into the stream between a leader's place and what it ships. */
#ifndef DBK_REPLICA_BETWEEN_H
#define DBK_REPLICA_BETWEEN_H

#include "replica_private.h"

/* Keep, in the transaction of what was shipped to `offset`, what lies in the stream from `next`
 * on: tokens, which no leader sends. False: something else is there as well, or it could not be
 * read soon; then nothing is kept. By whoever ships. */
bool between_keep(struct dbk_replica *replica, struct dbk_apply *apply, int64_t next,
                  int64_t offset);

/* dbk-tail: tell of what was kept so, once it is committed. */
void between_tell(struct dbk_replica *replica);

#endif
