/* identity_private.h - what the parts of identity.h share. */
#ifndef DBK_STORE_IDENTITY_PRIVATE_H
#define DBK_STORE_IDENTITY_PRIVATE_H

#include "identity.h"

struct person_alias_key {
    struct dbk_uuid person;
    struct identity_key alias;
};

_Static_assert(sizeof(struct person_alias_key) == 48, "as it is on disk");

/* An anonymous id becomes nobody's: what is left of it is that those events are gone, and the
 * number of its key, unless there is neither. */
int identity_leave(MDB_txn *txn, const struct environment *environment,
                   const struct identity_key *place, uint64_t gone, uint64_t number);

#endif
