/* shared_keys.h - the keys of a sealed log that is one of several copies: all have the same,
 * up to a number that is kept with the log's place, and changes in its transaction.
 *
 * Who leads makes them ahead of their use, and ships them (store/keys_share.h) with what it
 * appends; each copy, the leader too, has them in its ring and on disk before it commits that.
 * So a ring has no key beyond that number but those of a transaction that was killed, which
 * comes again. Nothing here happens where the log is not sealed.
 *
 * Private to the store.
 */
#ifndef DBK_STORE_SHARED_KEYS_H
#define DBK_STORE_SHARED_KEYS_H

#include "log_state.h"

/* Malloc'd, of one shipment; length 0: none go with it. */
struct shared_keys {
    char *bytes;
    size_t length;
};

/* Of a log that gets a place: what its ring has is what all begin with, unless that is kept
 * already. */
enum dbk_code shared_keys_begin(struct dbk_log *log, MDB_txn *txn,
                                struct dbk_error *err);

/* Having the turn to write, of who leads: make the keys that are to go with the shipment, where
 * fewer than DBK_KEYS_AHEAD are left. As dbk_keys_parcel. */
enum dbk_code shared_keys_make(struct dbk_log *log, MDB_txn *txn,
                               struct shared_keys *out, struct dbk_error *err);

/* Take what was shipped into the ring, and say so inside txn. As dbk_keys_take. */
enum dbk_code shared_keys_take(struct dbk_log *log, MDB_txn *txn,
                               struct dbk_slice parcel, struct dbk_error *err);

/* DBK_CONFLICT: the ring is older than the log, which has a place. */
enum dbk_code shared_keys_check(struct dbk_log *log, MDB_txn *txn,
                                struct dbk_error *err);

#endif
