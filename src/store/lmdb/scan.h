/* scan.h - goes through all records of a log inside one transaction.
 *
 * Private to the store: for checking and repairing, where the records and the indexes must
 * be of one moment.
 */
#ifndef DBK_STORE_SCAN_H
#define DBK_STORE_SCAN_H

#include "environment.h"
#include "store/record.h"

#include <stdint.h>

struct lmdb_scan {
    MDB_cursor *cursor;
    uint64_t sequence; /* of the item at hand */
    uint64_t missing;  /* how many sequences before it are not there */
    struct dbk_record record;
    const char *bytes; /* of the record; borrowed until the next step */
    size_t length;
    const char *wrong;      /* why there is no record at hand; NULL: there is one */
    struct dbk_error error; /* private: wrong may point into it */
};

/* After sequence `after`. An LMDB code. */
int lmdb_scan_begin(struct lmdb_scan *scan, MDB_txn *txn,
                    const struct environment *environment, uint64_t after);
/* 0, MDB_NOTFOUND past the last, or another LMDB code. */
int lmdb_scan_next(struct lmdb_scan *scan);
void lmdb_scan_end(struct lmdb_scan *scan);

#endif
