/* rules_forget.h - may a person be erased, or the events of a month be forgotten?
 *
 * Private to the store. Each returns false where the command is refused or spoiled; else
 * plan->first is the record with the numbers of all the keys that it destroys.
 */
#ifndef DBK_STORE_RULES_FORGET_H
#define DBK_STORE_RULES_FORGET_H

#include "rules_plan.h"

bool rules_check_erased(struct rules_plan *plan, struct decide_turn *turn);

/* events.expired. The month of now is never due. */
bool rules_check_expired(struct rules_plan *plan, struct decide_turn *turn);

#endif
