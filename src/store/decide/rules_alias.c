#include "rules_alias.h"

#include "person_state.h"
#include "rules_find.h"

bool rules_check_aliased(struct rules_plan *plan, const struct decide_turn *turn,
                         bool alone)
{
    struct dbk_person_state *person = &plan->person;
    struct identity_alias alias;
    int rc;

    if (alone && !rules_find_person(plan, turn))
        return false;
    rc =
        identity_get_alias(turn->txn, turn->environment, &plan->command->alias, &alias);
    if (rc != 0)
        return rules_spoil(plan, rc);
    if (alias.sequence > 0 && !dbk_uuid_equal(&alias.person, &person->id))
        return rules_refuse_taken(plan, DBK_IDENTITY_ANONYMOUS_ID,
                                  "another person has this anonymous_id",
                                  &alias.person);
    plan->alias_is_known = alias.sequence > 0;
    if (plan->alias_is_known && alone) {
        plan->command->verdict.sequence = alias.sequence;
        return rules_refuse(plan, DBK_EXISTS, "the person has this anonymous_id");
    }
    if (!plan->alias_is_known && person->aliases >= DBK_ALIASES_MAX)
        return rules_refuse(plan, DBK_CONFLICT,
                            "the person has 1000 aliases, and can have no more");
    return true;
}

bool rules_check_unaliased(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;
    struct identity_alias alias;
    int rc;

    if (!rules_find_person(plan, turn))
        return false;
    rc =
        identity_get_alias(turn->txn, turn->environment, &plan->command->alias, &alias);
    if (rc != 0)
        return rules_spoil(plan, rc);
    if (alias.sequence == 0 || !dbk_uuid_equal(&alias.person, &person->id))
        return rules_refuse(plan, DBK_NOT_FOUND, "the person has no such alias");
    if (person->aliases == 0)
        return rules_spoil(plan, LMDB_INDEX_DAMAGED);
    person->aliases--;
    return rules_check_known(plan);
}

bool rules_check_anonymous(struct rules_plan *plan, struct decide_turn *turn)
{
    struct identity_alias alias;
    int rc =
        identity_get_alias(turn->txn, turn->environment, &plan->command->alias, &alias);

    plan->owner = alias.person;
    plan->number = alias.number;
    if (rc != 0)
        return rules_spoil(plan, rc);
    return alias.number == 0 || rules_have_key(plan, turn, alias.number);
}

bool rules_check_known(struct rules_plan *plan)
{
    const struct dbk_command *command = plan->command;
    bool claims = command->has_alias && command->entries[0].type == DBK_PERSON_CREATED;

    if (person_state_is_known(&plan->person, claims ? 1 : 0))
        return true;
    return rules_refuse(plan, DBK_CONFLICT,
                        "a person with neither external_id nor alias needs email, "
                        "first_name and last_name");
}
