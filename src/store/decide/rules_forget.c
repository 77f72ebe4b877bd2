#include "rules_forget.h"

#include "identity.h"
#include "index.h"
#include "lost.h"
#include "months.h"
#include "person_state.h"
#include "rules_find.h"

#include <endian.h>

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
        return rules_refuse_id(plan, DBK_NOT_FOUND, "there is no person", id);
    if (rc == 0 && person->erased)
        rc = find_erased(plan, turn, &recorded);
    if (rc != 0)
        return rules_spoil(plan, rc);
    if (recorded) {
        plan->command->verdict.sequence = person->version;
        return rules_refuse_id(plan, DBK_EXISTS,
                               "there is no more of the erased person", id);
    }
    if (!person->erased && !rules_check_version(plan))
        return false;
    rc = find_numbers(plan, turn, &count);
    if (rc != 0)
        return rules_spoil(plan, rc);
    rules_keep_old(plan);
    plan->email_changes = plan->old_email[0] != '\0';
    plan->external_changes = plan->old_external_id[0] != '\0';
    person_state_forget(person);
    person->erased = true;
    rules_decode_first(plan, &record);
    return keep_numbers(plan, turn, &record, turn->scratch->numbers, count);
}

bool rules_check_expired(struct rules_plan *plan, struct decide_turn *turn)
{
    dbk_timestamp now = dbk_timestamp_month(turn->now);
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
    rules_decode_first(plan, &record);
    record.before = dbk_timestamp_month(record.before);
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
