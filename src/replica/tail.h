/* tail.h - the thread that reads the stream. */
#ifndef DBK_REPLICA_TAIL_H
#define DBK_REPLICA_TAIL_H

#include "replica_private.h"

void *tail_run(void *replica);

#endif
