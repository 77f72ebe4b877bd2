/* rules_plan.h - what is known of a command while it is checked, and how it is refused.
 *
 * Private to the store; used inside the writer's transaction.
 */
#ifndef DBK_STORE_RULES_PLAN_H
#define DBK_STORE_RULES_PLAN_H

#include "command_private.h"
#include "decide.h"
#include "store/log.h"

/* What checking learned, for writing. */
struct rules_plan {
    struct dbk_command *command;
    const struct command_entry *first; /* what its first record is written from */
    int rc;         /* the LMDB code that spoiled the transaction, or 0 */
    bool otherwise; /* dbk_command_otherwise: that is what it comes to */
    bool email_changes, external_changes;
    bool sets_properties, has_properties; /* its first record does; and not to none */
    bool nothing_changes;                 /* person.updated to what it is already */
    bool alias_is_known;                  /* it is the person's already */
    bool
        forgets_tags; /* nobody can read any more which are the person's: all are looked at */
    char old_email[DBK_EMAIL_MAX + 1]; /* "" for a new person, as the next */
    char old_external_id[DBK_EXTERNAL_ID_MAX + 1];
    const struct identity_key *external; /* of the new external id */
    struct dbk_person_state person; /* as the first record leaves it, where that is of a
                                       person; its version is the old one, and so is where
                                       its properties are */
    uint64_t
        number; /* of a sealed log: of the key of an event that stands alone; 0: the
                        next one, which the anonymous id gets */
    struct dbk_event_state event; /* event.deleted: where the event is */
    struct dbk_uuid owner; /* of that, or of an anonymous event: whose; nil: nobody's */
    unsigned deleted_format; /* of the event.deleted that says so */
};

/* Begin a plan: nothing is known yet. Its person and event are left as they are, for
 * they are large, and most commands have no use for them. */
void rules_plan_begin(struct rules_plan *plan, struct dbk_command *command);

/* What plan->first says. */
void rules_decode_first(const struct rules_plan *plan, struct dbk_record *out);

/* Refuse it: the verdict is code and the text. Returns false. */
bool rules_refuse(struct rules_plan *plan, enum dbk_code code, const char *text);

/* The same, the text being what and the id. */
bool rules_refuse_id(struct rules_plan *plan, enum dbk_code code, const char *what,
                     const struct dbk_uuid *id);

/* Refuse it for what another person has. Returns false. */
bool rules_refuse_taken(struct rules_plan *plan, enum dbk_identity held,
                        const char *text, const struct dbk_uuid *holder);

/* The indexes could not answer: where only this entry is damaged the others go on. Returns
 * false. */
bool rules_spoil(struct rules_plan *plan, int rc);

/* In a sealed log: whether there is the key of this number. */
bool rules_have_key(struct rules_plan *plan, struct decide_turn *turn, uint64_t number);

#endif
