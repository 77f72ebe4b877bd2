/* rules.h - may this command be? What deciding asks of the indexes.
 *
 * A command is checked whole before any of it is written, so a refusal leaves nothing
 * to take back. Private to the store; used inside the writer's transaction. What is asked for
 * each kind of record: rules_person.h, rules_alias.h, rules_event.h, rules_forget.h.
 */
#ifndef DBK_STORE_RULES_H
#define DBK_STORE_RULES_H

#include "rules_plan.h"

/* Whether plan->command may be appended. If not, its verdict says why, or plan->rc is
 * set. Whether the id of an event.recorded that stands alone is new is not looked at:
 * index_add_event tells it, and rules_refuse_event says it. */
bool rules_check(struct rules_plan *plan, struct decide_turn *turn);

/* Whether the command's i-th record comes to nothing. */
bool rules_is_skipped(const struct rules_plan *plan, size_t i);

#endif
