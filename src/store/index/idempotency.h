/* idempotency.h - keys that make a submission happen at most once.
 *
 * Private to the store; used inside the writer's transaction.
 *
 *   idempotency  hash of whose it is and the key (32) -> request hash (32), expiry i64,
 *                and for each command code u64, first_sequence u64, sequence u64,
 *                recorded_at i64 (native)
 *
 * A code has OTHERWISE added where it came to that, and HOLDER where it was refused for what
 * another has: that id is in the place of first_sequence and recorded_at, which a refusal
 * has not.
 *
 * Versions before hashed the key alone. Such entries are honoured until they expire, for
 * whoever has written the records that they answer for.
 *
 * Expired keys go a few at a time, whenever a new one comes: so their number stays in
 * proportion, and no write ever pays for many.
 */
#ifndef DBK_STORE_IDEMPOTENCY_H
#define DBK_STORE_IDEMPOTENCY_H

#include "environment.h"
#include "store/log.h"

enum idempotency_state {
    IDEMPOTENCY_NEW,
    IDEMPOTENCY_KNOWN,
    IDEMPOTENCY_OTHER_REQUEST
};

/* Look the key up; when it is known with this request the commands get their first
 * verdicts. An LMDB code. */
int idempotency_find(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_idempotency *idempotency, dbk_timestamp now,
                     struct dbk_command *const *commands, size_t count,
                     enum idempotency_state *state);

/* Keep the verdicts under the key. An LMDB code. */
int idempotency_keep(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_idempotency *idempotency, dbk_timestamp now,
                     struct dbk_command *const *commands, size_t count);

/* Look at a few keys from *place on (any 32 bytes), drop those expired, and move on. */
int idempotency_sweep(MDB_txn *txn, const struct environment *environment,
                      dbk_timestamp now, uint8_t place[32]);

/* The last sequence that the verdicts of an entry name; false: not of the shape above. */
bool idempotency_reaches(MDB_val key, MDB_val value, uint64_t *sequence);

#endif
