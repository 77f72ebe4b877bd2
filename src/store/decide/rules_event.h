/* rules_event.h - may an event be recorded, or deleted?
 *
 * Private to the store. Each returns false where the command is refused or spoiled.
 */
#ifndef DBK_STORE_RULES_EVENT_H
#define DBK_STORE_RULES_EVENT_H

#include "rules_plan.h"

bool rules_check_recorded(struct rules_plan *plan, struct decide_turn *turn,
                          const struct command_entry *entry);

/* plan->event and plan->owner tell where it is, and whose. */
bool rules_check_event_deleted(struct rules_plan *plan, const struct decide_turn *turn);

/* What index_add_event returned for it was not 0; known as it has it. */
void rules_refuse_event(struct rules_plan *plan, const struct decide_turn *turn,
                        const struct dbk_uuid *id, int rc,
                        const struct dbk_event_state *known);

#endif
