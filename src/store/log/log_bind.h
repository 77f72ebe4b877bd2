/* log_bind.h - a ring is held against the log that it is opened with. Private to the store. */
#ifndef DBK_STORE_LOG_BIND_H
#define DBK_STORE_LOG_BIND_H

#include "environment.h"

/* Hold the ring of the environment against the log's first record, and bind it to that where
 * it is bound to none yet (bound: dbk_keys_state's). Such a one must open what the log has
 * sealed. An empty log is fine.
 *
 * DBK_CONFLICT  it is the ring of another log, or of none
 * DBK_IO, DBK_NO_MEMORY, DBK_NO_ROOM, DBK_KEYS_AWAY */
enum dbk_code log_bind(const struct environment *environment, MDB_txn *txn, bool bound,
                       struct dbk_error *err);

/* The same, and that it has all keys that the log names, without binding it.
 *
 * DBK_CONFLICT   it is the ring of another log, or of none
 * DBK_KEYS_AWAY  it ends before, or cannot be read
 * DBK_IO, DBK_NO_MEMORY */
enum dbk_code log_bind_check(const struct environment *environment, MDB_txn *txn,
                             struct dbk_error *err);

#endif
