/* reindex_person.h - what the records of a person imply, but those of aliases.
 *
 * Private to the store. Errors as reindex_place.h.
 */
#ifndef DBK_STORE_REINDEX_PERSON_H
#define DBK_STORE_REINDEX_PERSON_H

#include "reindex_place.h"
#include "store/command.h"

/* A person who is there; wrong is set where not. */
int reindex_find_person(struct reindex_place *place, const struct dbk_uuid *id,
                        struct dbk_person_state *person);

/* In a sealed log a person's records have the person's key. Where not, wrong is set. */
bool reindex_has_its_key(struct reindex_place *place,
                         const struct dbk_person_state *person);

int reindex_created(struct reindex_place *place);

/* person.updated, or person.deleted. */
int reindex_changed(struct reindex_place *place);

int reindex_erased(struct reindex_place *place);

/* person.restricted, or person.unrestricted. */
int reindex_restricted(struct reindex_place *place);

#endif
