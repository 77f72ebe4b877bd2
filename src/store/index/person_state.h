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

/* Take over the fields that are there, in the record at that sequence; true when any of them
 * differs but properties, which are only in the log. */
bool person_state_change(struct dbk_person_state *state,
                         const struct dbk_person_fields *fields, uint64_t sequence);

/* Whether there is something to know the person by: e-mail and both names, or an external
 * id, or so many anonymous ids, beside those that the state counts. */
bool person_state_is_known(const struct dbk_person_state *state, unsigned aliases);

/* The person deleted: the texts go, nothing will ask for them again, and a person may
 * have wanted to be forgotten. */
void person_state_forget(struct dbk_person_state *state);

#endif
