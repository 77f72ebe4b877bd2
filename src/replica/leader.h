/* leader.h - how a node comes to lead, leads, and lets go: a step at a time, by dbk-tail. */
#ifndef DBK_REPLICA_LEADER_H
#define DBK_REPLICA_LEADER_H

#include "replica_private.h"

/* Whatever is to be done now. Between two lots of messages. */
void leader_step(struct dbk_replica *replica);

/* While it waits for its opening, or its own messages, reading is not to wait long. */
bool leader_hurries(const struct dbk_replica *replica);

/* Messages have an opening that is not its own: before they are applied. */
void leader_deposed(struct dbk_replica *replica);

/* An opening was applied, or a hand-over to the node of this name. */
void leader_opened(struct dbk_replica *replica, int64_t offset);
void leader_handed(struct dbk_replica *replica, struct dbk_slice node);

/* Tell whose shipping was in doubt, where it is known by now. */
void leader_settle(struct dbk_replica *replica);

/* It cannot go on: err says why. */
void leader_halt(struct dbk_replica *replica, const struct dbk_error *err);

/* The replica stops. */
void leader_end(struct dbk_replica *replica);

#endif
