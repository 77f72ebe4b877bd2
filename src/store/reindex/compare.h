/* compare.h - tells how two logs' indexes differ. Private to the store. */
#ifndef DBK_STORE_COMPARE_H
#define DBK_STORE_COMPARE_H

#include "environment.h"

/* Compare the indexes (all but those of idempotency keys) that are there with those that should be.
 * differs is told each entry that is missing, extra or other. Returns 0 or an LMDB
 * code. */
int compare_indexes(MDB_txn *there, const struct environment *there_environment,
                    MDB_txn *implied, const struct environment *implied_environment,
                    void (*differs)(void *context, const char *text), void *context);

#endif
