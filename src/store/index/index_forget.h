/* index_forget.h - brings indexes that were away from their ring up to it.
 *
 * A backup that is added to has in its indexes persons whose keys were destroyed since: of them
 * nobody can read any more what is to be taken out when the record comes that erases them.
 * Private to the store.
 */
#ifndef DBK_STORE_INDEX_FORGET_H
#define DBK_STORE_INDEX_FORGET_H

#include "environment.h"

/* Let the indexes say of each person whose key the ring has destroyed what they would, had they
 * been made anew by that ring: erased, with no e-mail, external id or alias. Looks at all of
 * them. Where the log is not sealed, nothing is done. 0, ENOMEM, or what LMDB says. */
int index_forget(MDB_txn *txn, const struct environment *environment);

/* Drop the e-mail and the external id of this person alone, whose key is destroyed, so that
 * nobody can read any more what they were: looks at all there are. As index_forget. */
int index_forget_tags(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_uuid *person);

#endif
