/* lost.h - keys that the ring has destroyed, and no record says so.
 *
 * Private to the store. So it is in a log that was put back to an earlier state, beside the
 * newer ring: when its indexes are made anew nobody can tell any more whose an anonymous id was,
 * nor therefore name its key when the person is erased again. An older ring would bring its
 * events back. So the numbers are kept, and the next erasure, of whomever, takes them into its
 * record. They are in person_alias (identity.h), under nobody's id and the number (big-endian,
 * then zeroes): the number, u64.
 *
 * What no ring ever held is left out: daybook reseal and import --without-keys destroy the first
 * numbers, DBK_KEYS_FORGOTTEN at a time, before they are of any use.
 */
#ifndef DBK_STORE_LOST_H
#define DBK_STORE_LOST_H

#include "environment.h"

/* Of a sealed log. Each returns 0, LMDB_INDEX_DAMAGED or another LMDB code. */

/* The ring has destroyed this key, of a record that is indexed. */
int lost_note(MDB_txn *txn, const struct environment *environment, uint64_t number);

/* At most max of them; *count receives how many. */
int lost_numbers(MDB_txn *txn, const struct environment *environment, uint64_t *numbers,
                 size_t max, size_t *count);

/* A record says of these that they are destroyed: 8 bytes each, big-endian. */
int lost_told(MDB_txn *txn, const struct environment *environment,
              struct dbk_slice keys);

/* Whether a key of person_alias is of one of them. */
bool lost_is(MDB_val key);

#endif
