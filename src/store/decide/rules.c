#include "rules.h"

#include "rules_alias.h"
#include "rules_event.h"
#include "rules_find.h"
#include "rules_forget.h"
#include "rules_person.h"

static bool check_entry(struct rules_plan *plan, struct decide_turn *turn, size_t i)
{
    const struct command_entry *entry = &plan->command->entries[i];

    switch (entry->type) {
    case DBK_PERSON_CREATED:
        return rules_check_created(plan, turn);
    case DBK_PERSON_UPDATED:
        return rules_find_person(plan, turn) && rules_check_updated(plan, turn);
    case DBK_PERSON_DELETED:
        return rules_check_deleted(plan, turn);
    case DBK_EVENT_RECORDED:
        return rules_is_skipped(plan, i) || rules_check_recorded(plan, turn, entry);
    case DBK_EVENT_DELETED:
        return rules_check_event_deleted(plan, turn);
    case DBK_PERSON_ALIASED:
        return rules_check_aliased(plan, turn, i == 0);
    case DBK_PERSON_UNALIASED:
        return rules_check_unaliased(plan, turn);
    case DBK_PERSON_ERASED:
        return rules_check_erased(plan, turn);
    case DBK_PERSON_RESTRICTED:
        return rules_check_restricted(plan, turn, true);
    case DBK_PERSON_UNRESTRICTED:
        return rules_check_restricted(plan, turn, false);
    case DBK_LOG_RESEALED:
        return rules_refuse(plan, DBK_INVALID,
                            "a log.resealed is written where a log is made of another");
    case DBK_EVENTS_EXPIRED:
        return rules_check_expired(plan, turn);
    }
    return false;
}

bool rules_is_skipped(const struct rules_plan *plan, size_t i)
{
    const struct command_entry *entry = &plan->command->entries[i];

    if (i == 0)
        return plan->nothing_changes;
    if (entry->type == DBK_PERSON_ALIASED)
        return plan->alias_is_known;
    return plan->otherwise && i == 1; /* the signup */
}

bool rules_check(struct rules_plan *plan, struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;

    if (command->no_memory)
        return rules_refuse(plan, DBK_NO_MEMORY, "no memory for the command");
    for (size_t i = 0; i < command->count; i++) {
        if (!check_entry(plan, turn, i))
            return false;
    }
    return command->count > 0 || rules_refuse(plan, DBK_INVALID, "an empty command");
}
