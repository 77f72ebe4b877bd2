/* rules_person.h - may a person be created, changed, deleted, restricted?
 *
 * Private to the store. Each returns false where the command is refused or spoiled; else
 * plan->person is as the record leaves it.
 */
#ifndef DBK_STORE_RULES_PERSON_H
#define DBK_STORE_RULES_PERSON_H

#include "rules_plan.h"

/* Where somebody has the external id of the new person it may be another command. */
bool rules_check_created(struct rules_plan *plan, struct decide_turn *turn);

/* plan->person was found, and plan->first is a person.updated. */
bool rules_check_updated(struct rules_plan *plan, struct decide_turn *turn);

bool rules_check_deleted(struct rules_plan *plan, const struct decide_turn *turn);

/* person.restricted, or person.unrestricted. */
bool rules_check_restricted(struct rules_plan *plan, const struct decide_turn *turn,
                            bool restricts);

#endif
