/* person_state.h - how records change what is known of a person.
 *
 * Private to the store: deciding uses it before the record is written, rebuilding the
 * indexes after.
 */
#ifndef DBK_STORE_PERSON_STATE_H
#define DBK_STORE_PERSON_STATE_H

#include "store/command.h"

/* The person as person.created makes it; version is left 0. */
void person_state_begin(struct dbk_person_state *state, const struct dbk_record *record,
                        dbk_timestamp recorded_at);

/* Take over the fields that are there; true when any of them differs. */
bool person_state_change(struct dbk_person_state *state,
                         const struct dbk_person_fields *fields);

/* The person deleted: the texts go, nothing will ask for them again, and a person may
 * have wanted to be forgotten. */
void person_state_forget(struct dbk_person_state *state);

#endif
