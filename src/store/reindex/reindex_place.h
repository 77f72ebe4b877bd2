/* reindex_place.h - where a record is, while the indexes are made of the log.
 *
 * Private to the store. What adds one returns 0 or an LMDB code; place->wrong says why no log
 * that was decided well has the record here, and nothing is changed then.
 */
#ifndef DBK_STORE_REINDEX_PLACE_H
#define DBK_STORE_REINDEX_PLACE_H

#include "environment.h"
#include "store/record.h"

/* What a record is applied to. */
struct reindex_place {
    MDB_txn *txn;
    const struct environment *environment;
    const struct dbk_record *record;
    const char *wrong; /* NULL: nothing */
};

/* Returns 0. */
static inline int reindex_wrong(struct reindex_place *place, const char *why)
{
    place->wrong = why;
    return 0;
}

#endif
