/* election.h - the thread that is in the group of those who may lead, and tells of this node. */
#ifndef DBK_REPLICA_ELECTION_H
#define DBK_REPLICA_ELECTION_H

#include "replica_private.h"

void *election_run(void *replica);

#endif
