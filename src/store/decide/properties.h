/* properties.h - what a person.updated makes of the person's properties.
 *
 * Private to the store; used inside the writer's transaction. */
#ifndef DBK_STORE_PROPERTIES_H
#define DBK_STORE_PROPERTIES_H

#include "rules_plan.h"

/* Where the command asks for it, make of the properties of `record`, plan->first decoded,
 * what they come to with plan->person's: it is then as it is to be appended, and its slices
 * may point into turn->scratch. *same: they come to what the person has. False: refused, or
 * spoiled. */
bool properties_merge(struct rules_plan *plan, struct decide_turn *turn,
                      struct dbk_record *record, bool *same);

/* Make `record` plan->first, instead of the patch that was drafted. No slice of it is valid
 * afterwards. False: refused. */
bool properties_keep(struct rules_plan *plan, struct decide_turn *turn,
                     const struct dbk_record *record);

#endif
