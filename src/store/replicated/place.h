/* place.h - where in the stream a log is, in its own file (store/replicated.h).
 *
 * In the database meta: "place" -> next i64, epoch i64, reseed i64, little-endian; and under
 * "kept." and a name what else the copies share. A log with a place says so in its format, too
 * (ENVIRONMENT_MEMBER), so that programs which know nothing of places leave it alone.
 *
 * Private to the store.
 */
#ifndef DBK_STORE_PLACE_H
#define DBK_STORE_PLACE_H

#include "environment.h"
#include "store/replicated.h"

bool place_is_right(const struct dbk_place *place);
bool place_equal(const struct dbk_place *a, const struct dbk_place *b);

/* Inside txn. 0, MDB_NOTFOUND (it has none), MDB_CORRUPTED (not of the shape above) or another
 * LMDB code. */
int place_get(MDB_txn *txn, const struct environment *environment,
              struct dbk_place *out);

/* Inside a write transaction: put it, or take it away, and what else is kept with it. An LMDB
 * code. */
int place_put(MDB_txn *txn, const struct environment *environment,
              const struct dbk_place *place);
int place_drop(MDB_txn *txn, const struct environment *environment);

/* What else is kept, under a name of at most 32 characters. An LMDB code; MDB_BAD_VALSIZE: no
 * such name can be. The value is in the map, as long as nothing is written. */
int place_keep(MDB_txn *txn, const struct environment *environment, const char *name,
               struct dbk_slice bytes);
int place_kept(MDB_txn *txn, const struct environment *environment, const char *name,
               MDB_val *value);

/* Whether two logs are at the same place, or have none both. An LMDB code. */
int place_differs(MDB_txn *a, const struct environment *a_environment, MDB_txn *b,
                  const struct environment *b_environment, bool *differs);

/* For checking a log: *has_one, and *wrong is why what it says cannot be, or NULL. An LMDB
 * code. */
int place_check(MDB_txn *txn, const struct environment *environment,
                struct dbk_place *out, bool *has_one, const char **wrong);

/* Give the one log the place of the other, and what it keeps; or none, where the other has
 * none. *changed: it was not so. An LMDB code. */
int place_copy(MDB_txn *from, const struct environment *from_environment, MDB_txn *to,
               const struct environment *to_environment, bool *changed);

#endif
