#include "rules.h"

#include "index.h"
#include "person_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool refuse(struct rules_plan *plan, enum dbk_code code, const char *text)
{
    struct dbk_verdict *verdict = &plan->command->verdict;

    assert(code != DBK_OK);
    verdict->code = dbk_fail(&verdict->error, code, "%s", text);
    return false;
}

static bool refuse_id(struct rules_plan *plan, enum dbk_code code, const char *what,
                      const struct dbk_uuid *id)
{
    char text[128], id_text[DBK_UUID_TEXT + 1];

    dbk_uuid_format(id, id_text);
    snprintf(text, sizeof text, "%s %s", what, id_text);
    return refuse(plan, code, text);
}

/* The indexes could not answer: where only this entry is damaged the others go on. */
static bool spoil(struct rules_plan *plan, int rc)
{
    assert(rc != 0);
    if (rc == LMDB_INDEX_DAMAGED)
        return refuse(plan, DBK_DAMAGED, "its entry in the log's indexes is damaged");
    plan->rc = rc;
    return false;
}

static bool check_email_free(struct rules_plan *plan, const struct decide_turn *turn,
                             struct dbk_slice email, const struct dbk_uuid *person)
{
    struct dbk_uuid owner;
    int rc = index_get_email(turn->txn, turn->environment, email, &owner);

    if (rc == MDB_NOTFOUND)
        return true;
    if (rc != 0)
        return spoil(plan, rc);
    if (dbk_uuid_equal(&owner, person))
        return true;
    return refuse(plan, DBK_CONFLICT, "another person has this email");
}

/* Find a person who is there and not deleted. */
static bool find_person(struct rules_plan *plan, const struct decide_turn *turn,
                        const struct dbk_uuid *id, struct dbk_person_state *out)
{
    int rc = index_get_person(turn->txn, turn->environment, id, out);

    if (rc != 0 && rc != MDB_NOTFOUND)
        return spoil(plan, rc);
    if (rc == MDB_NOTFOUND || out->deleted)
        return refuse_id(plan, DBK_NOT_FOUND, "there is no person", id);
    return true;
}

static bool check_version(struct rules_plan *plan)
{
    uint64_t expected = plan->command->expected_version;

    if (expected == 0 || expected == plan->person.version)
        return true;
    return refuse(plan, DBK_MOVED, "the person has changed since that version");
}

static bool check_created(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;
    struct dbk_record record;
    int rc;

    dbk_command_first(plan->command, &record);
    rc = index_get_person(turn->txn, turn->environment, &record.subject, person);
    if (rc == 0 && person->deleted)
        return refuse_id(plan, DBK_CONFLICT, "a deleted person had the id",
                         &record.subject);
    if (rc == 0) {
        plan->command->verdict.sequence = person->version;
        return refuse_id(plan, DBK_EXISTS, "there is a person already with the id",
                         &record.subject);
    }
    if (rc != MDB_NOTFOUND)
        return spoil(plan, rc);

    person_state_begin(person, &record, turn->now);
    plan->email_changes = true;
    return check_email_free(plan, turn, record.person.email, &record.subject);
}

static bool check_updated(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;
    struct dbk_record record;

    dbk_command_first(plan->command, &record);
    if (!find_person(plan, turn, &record.subject, person) || !check_version(plan))
        return false;
    memcpy(plan->old_email, person->email, sizeof plan->old_email);
    plan->nothing_changes = !person_state_change(person, &record.person);
    if (!plan->nothing_changes)
        person->datetime_modified = turn->now;
    plan->email_changes = strcmp(plan->old_email, person->email) != 0;
    return !plan->email_changes ||
           check_email_free(plan, turn, dbk_slice(person->email), &record.subject);
}

static bool check_deleted(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;

    if (!find_person(plan, turn, &plan->command->entries[0].subject, person) ||
        !check_version(plan))
        return false;
    memcpy(plan->old_email, person->email, sizeof plan->old_email);
    person_state_forget(person);
    person->datetime_modified = turn->now;
    return true;
}

void rules_refuse_event(struct rules_plan *plan, const struct dbk_uuid *id, int rc,
                        const struct dbk_event_state *known)
{
    if (rc != MDB_KEYEXIST) {
        spoil(plan, rc);
        return;
    }
    plan->command->verdict.sequence = known->sequence;
    if (known->deleted_sequence)
        refuse_id(plan, DBK_CONFLICT, "a deleted event had the id", id);
    else
        refuse_id(plan, DBK_EXISTS, "there is an event already with the id", id);
}

static bool check_event_id(struct rules_plan *plan, const struct decide_turn *turn,
                           const struct dbk_uuid *id)
{
    struct dbk_event_state known;
    int rc = index_get_event(turn->txn, turn->environment, id, &known);

    if (rc == MDB_NOTFOUND)
        return true;
    rules_refuse_event(plan, id, rc == 0 ? MDB_KEYEXIST : rc, &known);
    return false;
}

static bool check_recorded(struct rules_plan *plan, const struct decide_turn *turn,
                           const struct command_entry *entry)
{
    struct dbk_person_state person;

    if (entry == plan->command->entries) /* alone */
        return find_person(plan, turn, &entry->person_id, &person);
    /* Behind person.created or person.updated the person has been looked at. */
    return check_event_id(plan, turn, &entry->subject);
}

static bool check_event_deleted(struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;
    const struct dbk_uuid *id = &command->entries[0].subject;
    struct dbk_person_state person;
    int rc = index_get_event(turn->txn, turn->environment, id, &plan->event);

    if (rc != 0 && rc != MDB_NOTFOUND)
        return spoil(plan, rc);
    if (rc == MDB_NOTFOUND || plan->event.deleted_sequence)
        return refuse_id(plan, DBK_NOT_FOUND, "there is no event", id);
    rc =
        index_get_person(turn->txn, turn->environment, &plan->event.person_id, &person);
    if (rc != 0)
        return spoil(plan, rc == MDB_NOTFOUND ? LMDB_INDEX_DAMAGED : rc);
    if (person.deleted) /* its events went with it */
        return refuse_id(plan, DBK_NOT_FOUND, "there is no event", id);
    if (command->expects_person &&
        !dbk_uuid_equal(&command->expected_person, &plan->event.person_id))
        return refuse(plan, DBK_CONFLICT, "the event belongs to another person");
    return true;
}

void rules_plan_begin(struct rules_plan *plan, struct dbk_command *command)
{
    plan->command = command;
    plan->rc = 0;
    plan->email_changes = plan->nothing_changes = false;
    plan->old_email[0] = '\0';
}

bool rules_check(struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;

    if (command->unsupported)
        return refuse(plan, DBK_UNSUPPORTED, "the log cannot keep this yet");
    for (size_t i = 0; i < command->count; i++) {
        bool fine = false;

        switch (command->entries[i].type) {
        case DBK_PERSON_CREATED:
            fine = check_created(plan, turn);
            break;
        case DBK_PERSON_UPDATED:
            fine = check_updated(plan, turn);
            break;
        case DBK_PERSON_DELETED:
            fine = check_deleted(plan, turn);
            break;
        case DBK_EVENT_RECORDED:
            fine = check_recorded(plan, turn, &command->entries[i]);
            break;
        case DBK_EVENT_DELETED:
            fine = check_event_deleted(plan, turn);
            break;
        case DBK_PERSON_ALIASED:
        case DBK_PERSON_UNALIASED:
            break;
        }
        if (!fine)
            return false;
    }
    return command->count > 0 || refuse(plan, DBK_INVALID, "an empty command");
}
