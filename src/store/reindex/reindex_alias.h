/* reindex_alias.h - what a person.aliased or person.unaliased implies.
 *
 * Private to the store. Errors as reindex_place.h.
 */
#ifndef DBK_STORE_REINDEX_ALIAS_H
#define DBK_STORE_REINDEX_ALIAS_H

#include "reindex_place.h"

int reindex_alias(struct reindex_place *place);

#endif
