/* ship.h - what a leading log appends goes into the stream first. */
#ifndef DBK_REPLICA_SHIP_H
#define DBK_REPLICA_SHIP_H

#include "replica_private.h"

/* The log leads, and ships by the role's producer, which stays until the log follows. */
void ship_begin(struct dbk_replica *replica);

#endif
