#include "decide.h"

#include "index.h"
#include "log_value.h"
#include "record_layout.h"
#include "rules.h"

#include <assert.h>

static int append(struct decide_turn *turn, struct dbk_command *command,
                  const struct command_entry *entry)
{
    uint64_t sequence = turn->head + 1;
    MDB_val key = {sizeof sequence, &sequence};
    MDB_val value = {entry->length + LOG_VALUE_CHECKSUM, NULL};
    char *record = command->bytes + entry->offset;
    int rc = mdb_cursor_put(turn->log_cursor, &key, &value, MDB_APPEND | MDB_RESERVE);

    assert(entry->offset + entry->length <= command->bytes_used);
    if (rc != 0)
        return rc;
    dbk_record_stamp(record, sequence, turn->now);
    log_value_write(value.mv_data, record, entry->length);
    turn->head = sequence;
    return 0;
}

static int index_person(struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct environment *environment = turn->environment;
    struct dbk_person_state *person = &plan->person;
    int rc = 0;

    person->version = turn->head;
    if (plan->old_email[0] && (plan->email_changes || person->deleted))
        rc = index_drop_email(turn->txn, environment, dbk_slice(plan->old_email));
    if (rc == 0 && plan->email_changes)
        rc = index_put_email(turn->txn, environment, dbk_slice(person->email),
                             &person->id);
    return rc == 0 ? index_put_person(turn->txn, environment, person) : rc;
}

static int index_recorded(const struct decide_turn *turn,
                          const struct command_entry *entry)
{
    struct dbk_event_state event = {.sequence = turn->head,
                                    .person_id = entry->person_id};

    return index_put_event_at(turn->event_cursor, &entry->subject, &event);
}

static int write_entry(struct rules_plan *plan, struct decide_turn *turn,
                       const struct command_entry *entry)
{
    struct dbk_command *command = plan->command;
    int rc;

    if (entry->type == DBK_PERSON_UPDATED && plan->nothing_changes)
        return 0;
    if (entry->type == DBK_EVENT_DELETED) {
        record_set_person(command->bytes + entry->offset, &plan->event.person_id);
        record_set_format(command->bytes + entry->offset, 1);
    }
    rc = append(turn, command, entry);
    if (rc != 0)
        return rc;

    switch (entry->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
        return index_person(plan, turn);
    case DBK_EVENT_RECORDED:
        return index_recorded(turn, entry);
    case DBK_EVENT_DELETED:
        plan->event.deleted_sequence = turn->head;
        return index_put_event_at(turn->event_cursor, &entry->subject, &plan->event);
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        break;
    }
    return MDB_CORRUPTED;
}

static void accept(struct rules_plan *plan, const struct decide_turn *turn,
                   uint64_t before)
{
    struct dbk_command *command = plan->command;
    bool appended = turn->head > before;

    assert(turn->head >= before && turn->head - before <= command->count);
    assert(appended || plan->nothing_changes);
    command->verdict.code = DBK_OK;
    command->verdict.first_sequence = appended ? before + 1 : 0;
    command->verdict.sequence = appended ? turn->head : plan->person.version;
    command->verdict.recorded_at = turn->now;
    if (command->person)
        *command->person = plan->person;
}

/* An event alone is indexed before it is appended: whether its id is new then takes no
 * search of its own. False where it was refused. */
static bool write_event(struct rules_plan *plan, struct decide_turn *turn)
{
    const struct command_entry *entry = plan->command->entries;
    struct dbk_event_state known,
        event = {.sequence = turn->head + 1, .person_id = entry->person_id};
    int rc = index_add_event(turn->event_cursor, &entry->subject, &event, &known);

    if (rc == 0)
        plan->rc = append(turn, plan->command, entry);
    else
        rules_refuse_event(plan, &entry->subject, rc, &known);
    return rc == 0 && plan->rc == 0;
}

static bool write_all(struct rules_plan *plan, struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;

    if (command->count == 1 && command->entries[0].type == DBK_EVENT_RECORDED)
        return write_event(plan, turn);
    for (size_t i = 0; plan->rc == 0 && i < command->count; i++)
        plan->rc = write_entry(plan, turn, &command->entries[i]);
    return plan->rc == 0;
}

static int open_cursors(struct decide_turn *turn)
{
    const struct environment *environment = turn->environment;
    int rc = 0;

    if (!turn->log_cursor)
        rc = mdb_cursor_open(turn->txn, environment->log, &turn->log_cursor);
    if (rc == 0 && !turn->event_cursor)
        rc = mdb_cursor_open(turn->txn, environment->event, &turn->event_cursor);
    return rc;
}

int decide_command(struct decide_turn *turn, struct dbk_command *command)
{
    uint64_t before = turn->head;
    struct rules_plan plan;
    int rc = open_cursors(turn);

    if (rc != 0)
        return rc;
    command_clear_verdict(&command->verdict);
    rules_plan_begin(&plan, command);
    if (rules_check(&plan, turn) && write_all(&plan, turn))
        accept(&plan, turn, before);
    return plan.rc;
}
