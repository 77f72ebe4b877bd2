/* rules_alias.h - whose may an anonymous id be, and by what must a person be known?
 *
 * Private to the store. Each returns false where the command is refused or spoiled.
 */
#ifndef DBK_STORE_RULES_ALIAS_H
#define DBK_STORE_RULES_ALIAS_H

#include "rules_plan.h"

/* alone: nobody has looked for plan->person yet. */
bool rules_check_aliased(struct rules_plan *plan, const struct decide_turn *turn,
                         bool alone);
bool rules_check_unaliased(struct rules_plan *plan, const struct decide_turn *turn);

/* Of a new event: nobody has to be looked for but whose the anonymous id is, plan->owner, and the
 * number of its key. */
bool rules_check_anonymous(struct rules_plan *plan, struct decide_turn *turn);

/* Whether plan->person, as it is going to be, is known by something. */
bool rules_check_known(struct rules_plan *plan);

#endif
