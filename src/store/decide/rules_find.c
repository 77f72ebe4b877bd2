#include "rules_find.h"

#include "identity.h"
#include "index.h"

#include <string.h>

bool rules_is_gone(const struct dbk_person_state *person)
{
    return person->deleted || person->erased;
}

/* rc: what the index returned for the person. */
static bool is_found(struct rules_plan *plan, int rc, const struct dbk_uuid *id,
                     const struct dbk_person_state *person)
{
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rules_spoil(plan, rc);
    if (rc == MDB_NOTFOUND || rules_is_gone(person))
        return rules_refuse_id(plan, DBK_NOT_FOUND, "there is no person", id);
    return true;
}

bool rules_find_by_id(struct rules_plan *plan, const struct decide_turn *turn,
                      const struct dbk_uuid *id, struct dbk_person_state *out)
{
    int rc = index_get_person(turn->txn, turn->environment, id, out);

    return is_found(plan, rc, id, out);
}

bool rules_look_by_id(struct rules_plan *plan, const struct decide_turn *turn,
                      const struct dbk_uuid *id, struct dbk_person_state *out)
{
    int rc = index_look_person(turn->txn, turn->environment, id, out);

    return is_found(plan, rc, id, out);
}

bool rules_find_person(struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;
    struct dbk_uuid id = command->entries[0].subject;
    int rc;

    if (command->by_external) {
        rc = identity_get_external(turn->txn, turn->environment, &command->by, &id);
        if (rc == MDB_NOTFOUND)
            return rules_refuse(plan, DBK_NOT_FOUND,
                                "there is no person with this external_id");
        if (rc != 0)
            return rules_spoil(plan, rc);
    }
    return rules_find_by_id(plan, turn, &id, &plan->person);
}

bool rules_check_version(struct rules_plan *plan)
{
    uint64_t expected = plan->command->expected_version;

    if (expected == 0 || expected == plan->person.version)
        return true;
    return rules_refuse(plan, DBK_MOVED, "the person has changed since that version");
}

void rules_keep_old(struct rules_plan *plan)
{
    memcpy(plan->old_email, plan->person.email, sizeof plan->old_email);
    memcpy(plan->old_external_id, plan->person.external_id,
           sizeof plan->old_external_id);
}
