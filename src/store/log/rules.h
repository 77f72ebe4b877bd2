/* rules.h - may this command be? What deciding asks of the indexes.
 *
 * A command is checked whole before any of it is written, so a refusal leaves nothing
 * to take back. Private to the store; used inside the writer's transaction.
 */
#ifndef DBK_STORE_RULES_H
#define DBK_STORE_RULES_H

#include "command_private.h"
#include "decide.h"
#include "store/log.h"

/* What checking learned, for writing. */
struct rules_plan {
    struct dbk_command *command;
    int rc; /* the LMDB code that spoiled the transaction, or 0 */
    bool email_changes;
    bool nothing_changes;              /* person.updated to what it is already */
    char old_email[DBK_EMAIL_MAX + 1]; /* "" for a new person */
    struct dbk_person_state person; /* as the first record leaves it, where that is of a
                                       person; its version is the old one */
    struct dbk_event_state event;   /* event.deleted: where the event is */
};

/* Begin a plan: nothing is known yet. Its person and event are left as they are, for
 * they are large, and most commands have no use for them. */
void rules_plan_begin(struct rules_plan *plan, struct dbk_command *command);

/* Whether plan->command may be appended. If not, its verdict says why, or plan->rc is
 * set. Whether the id of an event.recorded that stands alone is new is not looked at:
 * index_add_event tells it. */
bool rules_check(struct rules_plan *plan, const struct decide_turn *turn);

/* What index_add_event returned for it was not 0; known as it has it. */
void rules_refuse_event(struct rules_plan *plan, const struct dbk_uuid *id, int rc,
                        const struct dbk_event_state *known);

#endif
