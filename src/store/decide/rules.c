#include "rules.h"

#include "index.h"
#include "lost.h"
#include "months.h"
#include "person_state.h"
#include "properties.h"
#include "restricted.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

bool rules_refuse(struct rules_plan *plan, enum dbk_code code, const char *text)
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
    return rules_refuse(plan, code, text);
}

bool rules_refuse_taken(struct rules_plan *plan, enum dbk_identity held,
                        const char *text, const struct dbk_uuid *holder)
{
    plan->command->verdict.has_holder = true;
    plan->command->verdict.held = held;
    plan->command->verdict.holder = *holder;
    return rules_refuse(plan, DBK_CONFLICT, text);
}

bool rules_spoil(struct rules_plan *plan, int rc)
{
    assert(rc != 0);
    if (rc == LMDB_INDEX_DAMAGED)
        return rules_refuse(plan, DBK_DAMAGED,
                            "its entry in the log's indexes is damaged");
    if (rc == LMDB_RECORD_DAMAGED)
        return rules_refuse(plan, DBK_DAMAGED,
                            "a record of it is damaged: daybook verify tells which");
    if (rc == LMDB_KEY_MISSING)
        return rules_refuse(plan, DBK_DAMAGED,
                            "its key is not in the ring of keys: daybook keys status "
                            "tells more");
    if (rc == LMDB_KEY_DAMAGED)
        return rules_refuse(plan, DBK_DAMAGED,
                            "its key is damaged in the ring of keys: daybook keys "
                            "status tells which, and what to do");
    if (rc == LMDB_KEY_ERASED)
        return rules_refuse(plan, DBK_NOT_FOUND,
                            "whose it is was erased, and the log was put back to an "
                            "earlier state: erase the person again");
    plan->rc = rc;
    return false;
}

bool rules_have_key(struct rules_plan *plan, struct decide_turn *turn, uint64_t number)
{
    int rc = turn->environment->sealed ? decide_find_key(turn, number) : 0;

    return rc == 0 || rules_spoil(plan, rc);
}

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

/* Also of whom the log does not say so, where the ring has no key any more. */
static bool is_gone(const struct dbk_person_state *person)
{
    return person->deleted || person->erased;
}

/* Find a person who is there and not deleted. */
static bool find_person(struct rules_plan *plan, const struct decide_turn *turn,
                        const struct dbk_uuid *id, struct dbk_person_state *out)
{
    int rc = index_get_person(turn->txn, turn->environment, id, out);

    if (rc != 0 && rc != MDB_NOTFOUND)
        return rules_spoil(plan, rc);
    if (rc == MDB_NOTFOUND || is_gone(out))
        return refuse_id(plan, DBK_NOT_FOUND, "there is no person", id);
    return true;
}

/* The same where nothing of it is asked that may be sealed. */
static bool look_for_person(struct rules_plan *plan, const struct decide_turn *turn,
                            const struct dbk_uuid *id, struct dbk_person_state *out)
{
    int rc = index_look_person(turn->txn, turn->environment, id, out);

    if (rc != 0 && rc != MDB_NOTFOUND)
        return rules_spoil(plan, rc);
    if (rc == MDB_NOTFOUND || is_gone(out))
        return refuse_id(plan, DBK_NOT_FOUND, "there is no person", id);
    return true;
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
    return find_person(plan, turn, &id, &plan->person);
}

static bool check_version(struct rules_plan *plan)
{
    uint64_t expected = plan->command->expected_version;

    if (expected == 0 || expected == plan->person.version)
        return true;
    return rules_refuse(plan, DBK_MOVED, "the person has changed since that version");
}

static void keep_old(struct rules_plan *plan)
{
    memcpy(plan->old_email, plan->person.email, sizeof plan->old_email);
    memcpy(plan->old_external_id, plan->person.external_id,
           sizeof plan->old_external_id);
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

static void decode_first(const struct rules_plan *plan, struct dbk_record *out)
{
    enum dbk_code code = dbk_record_decode(plan->command->bytes + plan->first->offset,
                                           plan->first->length, out, NULL);

    assert(code == DBK_OK); /* it was encoded here */
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

/* plan->person was found, and plan->first is a person.updated. */
static bool check_change(struct rules_plan *plan, struct decide_turn *turn)
{
    struct dbk_record record;
    bool same, merged;

    if (!check_version(plan))
        return false;
    decode_first(plan, &record);
    merged = plan->command->merge && record.person.has & DBK_HAS_PROPERTIES;
    if (!properties_merge(plan, turn, &record, &same))
        return false;
    keep_old(plan);
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

    decode_first(plan, &record);
    rc = index_look_person(turn->txn, turn->environment, &record.subject, person);
    if (rc == 0 && is_gone(person))
        return refuse_id(plan, DBK_CONFLICT, "a deleted person had the id",
                         &record.subject);
    if (rc == 0) {
        plan->command->verdict.sequence = person->version;
        return refuse_id(plan, DBK_EXISTS, "there is a person already with the id",
                         &record.subject);
    }
    if (rc != MDB_NOTFOUND)
        return rules_spoil(plan, rc);
    if (dbk_uuid_is_nil(&record.subject)) /* it says: nobody's */
        return refuse_id(plan, DBK_CONFLICT, "no person can have the id",
                         &record.subject);

    person_state_begin(person, &record, turn->now);
    plan->sets_properties = plan->has_properties =
        (record.person.has & DBK_HAS_PROPERTIES) != 0;
    return check_texts(plan, turn);
}

/* Where somebody has the external id of the new person it may be another command. */
static bool check_created(struct rules_plan *plan, struct decide_turn *turn)
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
    return find_person(plan, turn, &who, &plan->person) && check_change(plan, turn);
}

static bool check_deleted(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;

    if (!find_person(plan, turn, &plan->command->entries[0].subject, person) ||
        !check_version(plan))
        return false;
    keep_old(plan);
    person_state_forget(person);
    plan->email_changes = plan->external_changes = true;
    person->datetime_modified = turn->now;
    return true;
}

/* As the record is to be appended, with the keys that it destroys. */
static bool keep_numbers(struct rules_plan *plan, struct decide_turn *turn,
                         struct dbk_record *record, uint64_t *numbers, size_t count)
{
    struct dbk_command *command = plan->command;
    struct dbk_error why;
    size_t length;

    for (size_t i = 0; i < count; i++)
        numbers[i] = htobe64(numbers[i]);
    record->keys = (struct dbk_slice){(const char *)numbers, count * sizeof *numbers};
    if (dbk_record_encode(record, turn->scratch->record, sizeof turn->scratch->record,
                          &length, &why) != DBK_OK)
        return rules_refuse(plan, why.code, why.text);
    if (!command_keep_merged(command, plan->first, turn->scratch->record, length))
        return rules_refuse(plan, DBK_NO_MEMORY, "no memory to destroy keys");
    plan->first = &command->merged;
    return true;
}

/* Whether a record says so: of a log that was put back to an earlier state none may, and the
 * ring has destroyed the key. Then what was taken out of the indexes is to be found out, too. */
static int find_erased(struct rules_plan *plan, const struct decide_turn *turn,
                       bool *recorded)
{
    const struct dbk_person_state *person = &plan->person;
    struct dbk_person_state told;
    struct dbk_record record;
    int rc = index_get_record(turn->txn, turn->environment, person->version,
                              turn->scratch->opened, &record);

    *recorded = rc == 0 && record.type == DBK_PERSON_ERASED;
    if (rc == 0 && !*recorded)
        rc = index_look_person(turn->txn, turn->environment, &person->id, &told);
    plan->forgets_tags = rc == 0 && !*recorded && !told.erased;
    return rc == MDB_NOTFOUND ? LMDB_INDEX_DAMAGED : rc;
}

/* Whose key is damaged can be erased, too: nobody can read any more by what the person is known,
 * so that all tags are looked at. */
static int find_to_erase(struct rules_plan *plan, const struct decide_turn *turn,
                         const struct dbk_uuid *id)
{
    int rc = index_get_person(turn->txn, turn->environment, id, &plan->person);

    if (rc != LMDB_KEY_DAMAGED)
        return rc;
    plan->forgets_tags = true;
    return index_look_person(turn->txn, turn->environment, id, &plan->person);
}

/* The person's key, those of the anonymous ids, and what no record named yet. */
static int find_numbers(struct rules_plan *plan, const struct decide_turn *turn,
                        size_t *count)
{
    uint64_t *numbers = turn->scratch->numbers;
    size_t max = sizeof turn->scratch->numbers / sizeof *numbers, others;
    int rc = identity_numbers(turn->txn, turn->environment, &plan->person.id,
                              numbers + 1, max - 1, count);

    numbers[0] = plan->person.key;
    *count += 1;
    if (rc == 0) {
        rc = lost_numbers(turn->txn, turn->environment, numbers + *count, max - *count,
                          &others);
        *count += others;
    }
    return rc;
}

bool rules_check_erased(struct rules_plan *plan, struct decide_turn *turn)
{
    const struct dbk_uuid *id = &plan->command->entries[0].subject;
    struct dbk_person_state *person = &plan->person;
    struct dbk_record record;
    bool recorded = false;
    size_t count;
    int rc;

    if (!turn->environment->sealed)
        return rules_refuse(plan, DBK_CONFLICT,
                            "this log is not sealed: nobody can be erased from it "
                            "before daybook reseal has made a sealed one of it");
    if (!decide_have_scratch(turn))
        return rules_refuse(plan, DBK_NO_MEMORY, "no memory to erase a person");
    rc = find_to_erase(plan, turn, id);
    if (rc == MDB_NOTFOUND)
        return refuse_id(plan, DBK_NOT_FOUND, "there is no person", id);
    if (rc == 0 && person->erased)
        rc = find_erased(plan, turn, &recorded);
    if (rc != 0)
        return rules_spoil(plan, rc);
    if (recorded) {
        plan->command->verdict.sequence = person->version;
        return refuse_id(plan, DBK_EXISTS, "there is no more of the erased person", id);
    }
    if (!person->erased && !check_version(plan))
        return false;
    rc = find_numbers(plan, turn, &count);
    if (rc != 0)
        return rules_spoil(plan, rc);
    keep_old(plan);
    plan->email_changes = plan->old_email[0] != '\0';
    plan->external_changes = plan->old_external_id[0] != '\0';
    person_state_forget(person);
    person->erased = true;
    decode_first(plan, &record);
    return keep_numbers(plan, turn, &record, turn->scratch->numbers, count);
}

/* The month of now is never due. */
static bool check_expired(struct rules_plan *plan, struct decide_turn *turn)
{
    dbk_timestamp now = month_of(turn->now);
    struct dbk_record record;
    struct months_due *due;
    int rc;

    if (!turn->environment->sealed)
        return rules_refuse(plan, DBK_CONFLICT,
                            "this log is not sealed: nothing in it can be forgotten "
                            "before daybook reseal has made a sealed one of it");
    if (!decide_have_scratch(turn))
        return rules_refuse(plan, DBK_NO_MEMORY, "no memory to destroy keys");
    due = &turn->scratch->due;
    decode_first(plan, &record);
    record.before = month_of(record.before);
    if (record.before > now)
        record.before = now;
    rc = months_due(turn->txn, turn->environment, record.before, turn->now, turn->head,
                    due);
    if (rc != 0)
        return rules_spoil(plan, rc);
    if (due->count == 0)
        return rules_refuse(plan, DBK_EXISTS,
                            "no month is due whose events can be forgotten");
    record.through = due->through;
    return keep_numbers(plan, turn, &record, due->numbers, due->count);
}

static bool check_restricted(struct rules_plan *plan, const struct decide_turn *turn,
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

/* MDB_NOTFOUND: an anonymous event that went with a person. */
static int find_known(const struct decide_turn *turn,
                      const struct dbk_event_state *known)
{
    struct dbk_record recorded;
    struct dbk_uuid owner;

    if (known->deleted_sequence || !dbk_uuid_is_nil(&known->person_id))
        return 0;
    return identity_of_event(turn->txn, turn->environment, known, &owner, &recorded);
}

/* What it said is forgotten, as its month is. */
static int is_expired(const struct decide_turn *turn,
                      const struct dbk_event_state *known, bool *expired)
{
    uint64_t through;
    int rc = months_expired(turn->txn, turn->environment, &through);

    *expired = rc == 0 && known->sequence <= through;
    return rc;
}

void rules_refuse_event(struct rules_plan *plan, const struct decide_turn *turn,
                        const struct dbk_uuid *id, int rc,
                        const struct dbk_event_state *known)
{
    bool expired = false;
    int found = rc == MDB_KEYEXIST ? is_expired(turn, known, &expired) : rc;

    if (rc == MDB_KEYEXIST && found == 0 && !expired)
        found = find_known(turn, known);

    if (found != 0 && found != MDB_NOTFOUND) {
        rules_spoil(plan, found);
        return;
    }
    plan->command->verdict.sequence = known->sequence;
    if (expired)
        refuse_id(plan, DBK_CONFLICT, "an event that is forgotten by now had the id",
                  id);
    else if (found == MDB_NOTFOUND)
        refuse_id(plan, DBK_CONFLICT, "an event that went with its person had the id",
                  id);
    else if (known->deleted_sequence)
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
    rules_refuse_event(plan, turn, id, rc == 0 ? MDB_KEYEXIST : rc, &known);
    return false;
}

static bool check_recorded(struct rules_plan *plan, struct decide_turn *turn,
                           const struct command_entry *entry)
{
    struct dbk_person_state person;

    /* Behind person.created or person.updated the person has been looked at. */
    if (entry != plan->command->entries)
        return check_event_id(plan, turn, &entry->subject);
    if (command_is_anonymous(plan->command))
        return rules_check_anonymous(plan, turn);
    if (!look_for_person(plan, turn, &entry->person_id, &person))
        return false;
    plan->number = person.key;
    return rules_have_key(plan, turn, person.key);
}

/* Whose the event is, plan->event telling where it is; MDB_NOTFOUND: it went with a
 * person. */
static int find_owner(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_record deleted, recorded;
    struct dbk_person_state person;
    int rc = identity_of_event(turn->txn, turn->environment, &plan->event, &plan->owner,
                               &recorded);

    decode_first(plan, &deleted);
    deleted.format = 0;
    if (rc == 0 && recorded.anonymous_id.length == 0) {
        rc = index_look_person(turn->txn, turn->environment, &plan->owner, &person);
        if (rc == MDB_NOTFOUND)
            return LMDB_INDEX_DAMAGED;
        if (rc == 0 && is_gone(&person)) /* its events went with it */
            return MDB_NOTFOUND;
        deleted.format = 1; /* once a person could have the nil UUID */
    }
    deleted.person_id = plan->owner;
    plan->deleted_format = dbk_record_format(&deleted);
    return rc;
}

static bool check_event_deleted(struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;
    const struct dbk_uuid *id = &command->entries[0].subject;
    int rc = index_get_event(turn->txn, turn->environment, id, &plan->event);
    bool expired = false;

    if (rc == 0)
        rc = is_expired(turn, &plan->event, &expired);
    if (rc == 0)
        rc = expired || plan->event.deleted_sequence ? MDB_NOTFOUND
                                                     : find_owner(plan, turn);
    if (rc == MDB_NOTFOUND)
        return refuse_id(plan, DBK_NOT_FOUND, "there is no event", id);
    if (rc != 0)
        return rules_spoil(plan, rc);
    if (command->expects_person &&
        !dbk_uuid_equal(&command->expected_person, &plan->owner))
        return rules_refuse(plan, DBK_CONFLICT, "the event belongs to another person");
    return true;
}

void rules_plan_begin(struct rules_plan *plan, struct dbk_command *command)
{
    plan->command = command;
    plan->first = command->entries;
    plan->external = &command->external;
    plan->rc = 0;
    plan->number = 0;
    plan->otherwise = plan->email_changes = plan->external_changes = false;
    plan->sets_properties = plan->has_properties = false;
    plan->nothing_changes = plan->alias_is_known = plan->forgets_tags = false;
    plan->old_email[0] = plan->old_external_id[0] = '\0';
}

static bool check_entry(struct rules_plan *plan, struct decide_turn *turn, size_t i)
{
    const struct command_entry *entry = &plan->command->entries[i];

    switch (entry->type) {
    case DBK_PERSON_CREATED:
        return check_created(plan, turn);
    case DBK_PERSON_UPDATED:
        return rules_find_person(plan, turn) && check_change(plan, turn);
    case DBK_PERSON_DELETED:
        return check_deleted(plan, turn);
    case DBK_EVENT_RECORDED:
        return rules_is_skipped(plan, i) || check_recorded(plan, turn, entry);
    case DBK_EVENT_DELETED:
        return check_event_deleted(plan, turn);
    case DBK_PERSON_ALIASED:
        return rules_check_aliased(plan, turn, i == 0);
    case DBK_PERSON_UNALIASED:
        return rules_check_unaliased(plan, turn);
    case DBK_PERSON_ERASED:
        return rules_check_erased(plan, turn);
    case DBK_PERSON_RESTRICTED:
        return check_restricted(plan, turn, true);
    case DBK_PERSON_UNRESTRICTED:
        return check_restricted(plan, turn, false);
    case DBK_LOG_RESEALED:
        return rules_refuse(plan, DBK_INVALID,
                            "a log.resealed is written where a log is made of another");
    case DBK_EVENTS_EXPIRED:
        return check_expired(plan, turn);
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
