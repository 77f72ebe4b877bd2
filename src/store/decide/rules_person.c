#include "rules_person.h"

#include "identity.h"
#include "index.h"
#include "person_state.h"
#include "properties.h"
#include "restricted.h"
#include "rules_alias.h"
#include "rules_find.h"

#include <string.h>

static bool check_email_free(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_slice email = dbk_slice(plan->person.email);
    struct dbk_uuid owner;
    int rc;

    if (!plan->email_changes || email.length == 0)
        return true;
    rc = index_get_email(turn->txn, turn->environment, email, &owner);
    if (rc == MDB_NOTFOUND)
        return true;
    if (rc != 0)
        return rules_spoil(plan, rc);
    return dbk_uuid_equal(&owner, &plan->person.id) ||
           rules_refuse_taken(plan, DBK_IDENTITY_EMAIL, "another person has this email",
                              &owner);
}

static bool check_external_free(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_uuid owner;
    int rc;

    if (!plan->external_changes || !plan->person.external_id[0])
        return true;
    rc = identity_get_external(turn->txn, turn->environment, plan->external, &owner);
    if (rc == MDB_NOTFOUND)
        return true;
    if (rc != 0)
        return rules_spoil(plan, rc);
    return dbk_uuid_equal(&owner, &plan->person.id) ||
           rules_refuse_taken(plan, DBK_IDENTITY_EXTERNAL_ID,
                              "another person has this external_id", &owner);
}

/* plan->person has the texts that it is going to have: those that are new must be free. */
static bool check_texts(struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct dbk_person_state *person = &plan->person;

    plan->email_changes = strcmp(plan->old_email, person->email) != 0;
    plan->external_changes = strcmp(plan->old_external_id, person->external_id) != 0;
    return rules_check_known(plan) && check_email_free(plan, turn) &&
           check_external_free(plan, turn);
}

/* Take the record's fields over into plan->person. */
static void change(struct rules_plan *plan, const struct decide_turn *turn,
                   const struct dbk_record *record, bool same_properties)
{
    struct dbk_person_state *person = &plan->person;
    uint64_t properties = person->properties_sequence;
    bool changed = person_state_change(person, &record->person, 0);

    person->properties_sequence =
        properties; /* until it is known which record is next */
    plan->sets_properties = (record->person.has & DBK_HAS_PROPERTIES) != 0;
    plan->has_properties = record->person.properties.length > 0;
    plan->nothing_changes = !changed && same_properties;
    if (!plan->nothing_changes)
        person->datetime_modified = turn->now;
}

bool rules_check_updated(struct rules_plan *plan, struct decide_turn *turn)
{
    struct dbk_record record;
    bool same, merged;

    if (!rules_check_version(plan))
        return false;
    rules_decode_first(plan, &record);
    merged = plan->command->merge && record.person.has & DBK_HAS_PROPERTIES;
    if (!properties_merge(plan, turn, &record, &same))
        return false;
    rules_keep_old(plan);
    change(plan, turn, &record, same);
    if (!check_texts(plan, turn))
        return false;
    return !merged || plan->nothing_changes || properties_keep(plan, turn, &record);
}

static bool check_new(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;
    struct dbk_record record;
    int rc;

    rules_decode_first(plan, &record);
    rc = index_look_person(turn->txn, turn->environment, &record.subject, person);
    if (rc == 0 && rules_is_gone(person))
        return rules_refuse_id(plan, DBK_CONFLICT, "a deleted person had the id",
                               &record.subject);
    if (rc == 0) {
        plan->command->verdict.sequence = person->version;
        return rules_refuse_id(
            plan, DBK_EXISTS, "there is a person already with the id", &record.subject);
    }
    if (rc != MDB_NOTFOUND)
        return rules_spoil(plan, rc);
    if (dbk_uuid_is_nil(&record.subject)) /* it says: nobody's */
        return rules_refuse_id(plan, DBK_CONFLICT, "no person can have the id",
                               &record.subject);

    person_state_begin(person, &record, turn->now);
    plan->sets_properties = plan->has_properties =
        (record.person.has & DBK_HAS_PROPERTIES) != 0;
    return check_texts(plan, turn);
}

bool rules_check_created(struct rules_plan *plan, struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;
    struct dbk_uuid who;
    int rc = MDB_NOTFOUND;

    if (command->has_otherwise && command->has_external)
        rc = identity_get_external(turn->txn, turn->environment, &command->external,
                                   &who);
    if (rc == MDB_NOTFOUND)
        return check_new(plan, turn);
    if (rc != 0)
        return rules_spoil(plan, rc);
    plan->otherwise = true;
    plan->first = &command->otherwise;
    plan->external = &command->otherwise_external;
    return rules_find_by_id(plan, turn, &who, &plan->person) &&
           rules_check_updated(plan, turn);
}

bool rules_check_deleted(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;

    if (!rules_find_by_id(plan, turn, &plan->command->entries[0].subject, person) ||
        !rules_check_version(plan))
        return false;
    rules_keep_old(plan);
    person_state_forget(person);
    plan->email_changes = plan->external_changes = true;
    person->datetime_modified = turn->now;
    return true;
}

bool rules_check_restricted(struct rules_plan *plan, const struct decide_turn *turn,
                            bool restricts)
{
    uint64_t since;
    int rc;

    if (!rules_find_person(plan, turn))
        return false;
    rc = restricted_get(turn->txn, turn->environment, &plan->person.id, &since);
    if (rc != 0)
        return rules_spoil(plan, rc);
    plan->command->verdict.sequence = since;
    if (restricts && since > 0)
        return rules_refuse(plan, DBK_EXISTS, "the person is restricted already");
    return restricts || since > 0 ||
           rules_refuse(plan, DBK_NOT_FOUND, "the person is not restricted");
}
