/* restricted.h - which persons are restricted, as the log says it.
 *
 * Private to the store. They can be made again from the log.
 *
 *   restricted  person id -> sequence u64 (little-endian) of the person.restricted
 *
 * A person.unrestricted takes the entry away, and nothing else does: what is held of a person
 * who was deleted, or erased, meanwhile stays as it was. Most logs have none.
 */
#ifndef DBK_STORE_RESTRICTED_H
#define DBK_STORE_RESTRICTED_H

#include "environment.h"

/* Each returns 0, LMDB_INDEX_DAMAGED or another LMDB code. */

/* *since: by which record; 0: the person is not. */
int restricted_get(MDB_txn *txn, const struct environment *environment,
                   const struct dbk_uuid *person, uint64_t *since);
int restricted_put(MDB_txn *txn, const struct environment *environment,
                   const struct dbk_uuid *person, uint64_t sequence);
int restricted_drop(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *person);

/* How many there are, and the ids of at most max of them, in their order. */
int restricted_count(MDB_txn *txn, const struct environment *environment,
                     size_t *count);
int restricted_list(MDB_txn *txn, const struct environment *environment, size_t max,
                    struct dbk_uuid *list, size_t *count);

#endif
