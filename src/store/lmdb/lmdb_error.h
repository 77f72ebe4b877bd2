/* lmdb_error.h - what LMDB and the system failed with, in words.
 *
 * Private to the store. Thread-safe.
 */
#ifndef DBK_STORE_LMDB_ERROR_H
#define DBK_STORE_LMDB_ERROR_H

#include "store/error.h"

#include <lmdb.h>

/* Beside LMDB's own codes: a value of the indexes is not of their shape. Unlike
 * MDB_CORRUPTED it leaves the transaction usable: only who asks for this value is
 * concerned. */
#define LMDB_INDEX_DAMAGED (-31000)

/* And: the file has no name any more. What is written to it is gone with the process. */
#define LMDB_FILE_REMOVED (-31001)

/* And, of what is sealed: its key is not in the ring; its slot there is damaged; it was erased.
 * Each concerns only who asks, as LMDB_INDEX_DAMAGED, and so does a record that is damaged. */
#define LMDB_KEY_MISSING (-31002)
#define LMDB_KEY_DAMAGED (-31003)
#define LMDB_KEY_ERASED (-31004)
#define LMDB_RECORD_DAMAGED (-31005)

/* And: the ring is not here, or cannot be read. Concerns all: the transaction is to be aborted. */
#define LMDB_KEYS_AWAY (-31006)

/* Turn such a code, LMDB's or the system's, into a failure: "doing: why". A full disk,
 * which LMDB reports as EIO, is told from a broken one by asking the file system. env may
 * be NULL. */
enum dbk_code lmdb_fail(struct dbk_error *err, MDB_env *env, int rc, const char *doing);

#endif
