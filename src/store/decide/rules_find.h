/* rules_find.h - the person that a command is about.
 *
 * Private to the store. Each returns false where the command is refused or spoiled.
 */
#ifndef DBK_STORE_RULES_FIND_H
#define DBK_STORE_RULES_FIND_H

#include "rules_plan.h"

/* Also of whom the log does not say so, where the ring has no key any more. */
bool rules_is_gone(const struct dbk_person_state *person);

/* Find plan->person: who the command is about, by id or by external id. */
bool rules_find_person(struct rules_plan *plan, const struct decide_turn *turn);

/* Find a person who is there and not deleted. */
bool rules_find_by_id(struct rules_plan *plan, const struct decide_turn *turn,
                      const struct dbk_uuid *id, struct dbk_person_state *out);

/* The same where nothing of it is asked that may be sealed. */
bool rules_look_by_id(struct rules_plan *plan, const struct decide_turn *turn,
                      const struct dbk_uuid *id, struct dbk_person_state *out);

/* Whether plan->person has the version that the command expects, if it expects one. */
bool rules_check_version(struct rules_plan *plan);

/* Have the plan keep what plan->person is known by, before that is changed. */
void rules_keep_old(struct rules_plan *plan);

#endif
