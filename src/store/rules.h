/* rules.h - may this command be? What deciding asks of the indexes.
 *
 * A command is checked whole before any of it is written, so a refusal leaves nothing
 * to take back. Private to the store; used inside the writer's transaction.
 */
#ifndef DBK_RULES_H
#define DBK_RULES_H

#include "command_private.h"
#include "decide.h"
#include "store/log.h"

/* What checking learned, for writing. */
struct dbk_plan {
    struct dbk_command *command;
    struct dbk_person_state person; /* as the first record leaves it, where that is of a
                                       person; its version is the old one */
    char old_email[DBK_EMAIL_MAX + 1]; /* "" for a new person */
    bool email_changes;
    bool nothing_changes;         /* person.updated to what it is already */
    struct dbk_event_state event; /* event.deleted: where the event is */
    int rc;                       /* the LMDB code that spoiled the transaction, or 0 */
};

/* Whether plan->command may be appended. If not, its verdict says why, or plan->rc is
 * set. */
bool dbk_check_command(struct dbk_plan *plan, const struct dbk_turn *turn);

#endif
