/* environment_meta.h - what a log says of itself: its format, its id, its marks.
 *
 * Private to the store. Each is inside the transaction it is given, and returns an LMDB code.
 */
#ifndef DBK_STORE_ENVIRONMENT_META_H
#define DBK_STORE_ENVIRONMENT_META_H

#include "environment.h"

/* MDB_NOTFOUND, or MDB_CORRUPTED where it has another length. */
int environment_get_meta(MDB_txn *txn, MDB_dbi meta, const char *name, void *out,
                         size_t length);
int environment_put_meta(MDB_txn *txn, MDB_dbi meta, const char *name,
                         const void *bytes, size_t length);

/* What a sealed log keeps of its keys. All of it follows from the log. */
#define ENVIRONMENT_KEY "key" /* the highest number that a record names */
#define ENVIRONMENT_ERASED                                                             \
    "erased" /* the sequence of the last person.erased or events.expired */
#define ENVIRONMENT_MONTHS "months"   /* see months.h; and this: */
#define ENVIRONMENT_EXPIRED "expired" /* the sequence up to which all events are */
#define ENVIRONMENT_FORGOTTEN                                                          \
    "forgotten" /* so many numbers from 1 on are known to be destroyed: see lost.h */

/* 0 where there is none. An LMDB code. */
int environment_get_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t *number);
int environment_put_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t number);

/* Give the log another id, inside txn. An LMDB code. */
int environment_put_store_id(MDB_txn *txn, const struct environment *environment,
                             const struct dbk_uuid *store_id);

/* Say inside txn that the log has records of this format, where it does not yet. An LMDB
 * code. */
int environment_need_format(MDB_txn *txn, const struct environment *environment,
                            unsigned format);

/* Whether the log says that it has a place; and say so, inside txn. An LMDB code. */
int environment_get_member(MDB_txn *txn, const struct environment *environment,
                           bool *member);
int environment_set_member(MDB_txn *txn, const struct environment *environment,
                           bool member);

#endif
