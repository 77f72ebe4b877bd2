/* rejoin.h - what is done where the brokers have lost what was acknowledged. */
#ifndef DBK_REPLICA_REJOIN_H
#define DBK_REPLICA_REJOIN_H

#include "replica_private.h"

/* This log has more than the stream: send an opening that says so, once, so that the others do
 * not go on without it, but halt. */
void rejoin_alarm(struct dbk_replica *replica);

/* Whether the stream was put right since, behind what this log has: then it follows again,
 * from there. */
bool rejoin_try(struct dbk_replica *replica);

#endif
