/* reindex.h - what a log implies: the indexes, made from its records alone.
 *
 * Private to the store: for verifying, repairing, and filling a log from an export.
 */
#ifndef DBK_STORE_REINDEX_H
#define DBK_STORE_REINDEX_H

#include "environment.h"
#include "store/record.h"

/* Change the indexes as appending this record did. *wrong receives why no log that was
 * decided well has this record here ("its person was never created"), else NULL; nothing
 * is changed then. Returns 0 or an LMDB code. */
int reindex_add(MDB_txn *txn, const struct environment *environment,
                const struct dbk_record *record, const char **wrong);

/* Whether what is wrong with a record is the ring's: its key is missing there, or damaged. */
bool reindex_lacks_key(const struct environment *environment,
                       const struct dbk_record *record);

/* Empty the indexes. An LMDB code. */
int reindex_clear(MDB_txn *txn, const struct environment *environment);

#endif
