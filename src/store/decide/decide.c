#include "decide.h"

#include "environment_meta.h"
#include "index.h"
#include "index_forget.h"
#include "log_value.h"
#include "lost.h"
#include "record_layout.h"
#include "restricted.h"
#include "rules.h"
#include "rules_event.h"
#include "sealed.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* The next key, for somebody new. */
static int take_number(struct decide_turn *turn, uint64_t *number)
{
    const struct environment *environment = turn->environment;
    enum dbk_code code;
    int rc = 0;

    *number = 0;
    if (!environment->sealed)
        return 0;
    if (!turn->has_key)
        rc = environment_get_mark(turn->txn, environment, ENVIRONMENT_KEY,
                                  &turn->highest);
    turn->has_key = true;
    if (rc != 0)
        return rc;
    if (!environment->keys)
        return LMDB_KEYS_AWAY;
    code = dbk_keys_next(environment->keys, turn->highest, number, turn->key, NULL);
    if (code != DBK_OK) /* also where it was cut a moment ago: it grows again */
        return code == DBK_NO_MEMORY ? ENOMEM : LMDB_KEYS_AWAY;
    turn->highest = turn->key_number = *number;
    return environment_put_mark(turn->txn, environment, ENVIRONMENT_KEY, *number);
}

bool decide_have_scratch(struct decide_turn *turn)
{
    if (!turn->scratch)
        turn->scratch = malloc(sizeof *turn->scratch);
    return turn->scratch != NULL;
}

int decide_find_key(struct decide_turn *turn, uint64_t number)
{
    int rc;

    if (turn->key_number == number)
        return 0;
    rc = sealed_key(turn->environment, number, turn->key);
    turn->key_number = rc == 0 ? number : 0;
    return rc;
}

/* Whether the month that was the last one goes on, with a key that is there. */
static bool month_goes_on(struct decide_turn *turn, dbk_timestamp from)
{
    const struct month *last = &turn->month;

    if (!turn->by_month) /* nor begins one of those without, where there were no others */
        return last->first == 0 || (last->number == 0 && last->from == from);
    return last->number > 0 && last->from == from &&
           sealed_key(turn->environment, last->number, turn->month_key) == 0;
}

/* Which month's key the next event is sealed with: the first one of a month gets another. */
static int find_month(struct decide_turn *turn)
{
    struct month next = {.first = turn->head + 1};
    dbk_timestamp from;
    int rc;

    if (turn->has_month)
        return 0;
    from = next.from = dbk_timestamp_month(turn->now);
    rc = months_last(turn->txn, turn->environment, &turn->month);
    turn->has_month = rc == 0;
    if (rc != 0 || month_goes_on(turn, from))
        return rc;
    rc = turn->by_month ? take_number(turn, &next.number) : 0;
    if (rc == 0)
        rc = months_add(turn->txn, turn->environment, &next);
    memcpy(turn->month_key, turn->key, sizeof turn->month_key);
    turn->month = next;
    return rc;
}

/* The record as it is to be written, in turn->scratch. */
static int seal(struct decide_turn *turn, struct dbk_command *command,
                const struct command_entry *entry, struct command_key with,
                size_t *length)
{
    const char *plain = command->bytes + entry->offset;
    uint8_t mixed[DBK_KEY_BYTES];
    struct decide_scratch *scratch;
    enum dbk_code code;
    int rc;

    if (!decide_have_scratch(turn))
        return ENOMEM;
    scratch = turn->scratch;
    rc = decide_find_key(turn, with.number);
    if (rc != 0)
        return rc;
    if (with.month == 0) {
        code = dbk_record_seal(plain, entry->length, with.number, turn->key,
                               scratch->sealed, sizeof scratch->sealed, length, NULL);
    } else {
        dbk_record_mix(turn->key, turn->month_key, mixed);
        code = dbk_record_seal_in_month(plain, entry->length, with.number, with.month,
                                        mixed, scratch->sealed, sizeof scratch->sealed,
                                        length, NULL);
        sealed_wipe(mixed);
    }
    assert(code == DBK_OK); /* DBK_RECORD_MAX is enough */
    return 0;
}

/* What a record is sealed with; number: of the person's key. */
static int find_keys(struct decide_turn *turn, const struct command_entry *entry,
                     uint64_t number, struct command_key *with)
{
    int rc = 0;

    *with = (struct command_key){number, 0};
    if (number == 0 || entry->type != DBK_EVENT_RECORDED)
        return 0;
    rc = find_month(turn);
    if (turn->by_month)
        with->month = turn->month.number;
    return rc;
}

/* number: of the key that seals it; 0: it is not. */
static int append(struct decide_turn *turn, struct dbk_command *command,
                  const struct command_entry *entry, uint64_t number)
{
    uint64_t sequence = turn->head + 1;
    MDB_val key = {sizeof sequence, &sequence};
    MDB_val value = {0, NULL};
    char *plain = command->bytes + entry->offset, *record = plain;
    size_t length = entry->length;
    struct command_key with;
    unsigned format;
    int rc = find_keys(turn, entry, number, &with);

    assert(entry->offset + entry->length <= command->bytes_used);
    if (rc != 0)
        return rc;
    if (number > 0 && number == command->made_with.number &&
        with.month == command->made_with.month) {
        record = command->made;
        length = command->made_length;
    } else if (number > 0) {
        rc = seal(turn, command, entry, with, &length);
        if (rc != 0)
            return rc;
        record = turn->scratch->sealed;
    }
    value.mv_size = length + LOG_VALUE_CHECKSUM;
    format = record_get_format(record);
    if (format > turn->format) {
        rc = environment_need_format(turn->txn, turn->environment, format);
        turn->format = format;
    }
    if (rc == 0)
        rc = mdb_cursor_put(turn->log_cursor, &key, &value, MDB_APPEND | MDB_RESERVE);
    if (rc != 0)
        return rc;
    dbk_record_stamp(plain, sequence, turn->now);
    if (number > 0) {
        dbk_record_stamp(record, sequence, turn->now);
        if (!turn->first_kept && !command_keep_sealed(command, record, length))
            return ENOMEM;
        turn->first_kept = true;
    }
    log_value_write(value.mv_data, record, length);
    turn->head = sequence;
    turn->appended[entry->type]++;
    return turn->body ? body_add_record(turn->body, value.mv_data, value.mv_size) : 0;
}

static int index_email(const struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct dbk_person_state *person = &plan->person;
    int rc = 0;

    if (!plan->email_changes)
        return 0;
    if (plan->old_email[0])
        rc = index_drop_email(turn->txn, turn->environment, dbk_slice(plan->old_email));
    if (rc == 0 && person->email[0])
        rc = index_put_email(turn->txn, turn->environment, dbk_slice(person->email),
                             &person->id);
    return rc;
}

static int index_external(const struct rules_plan *plan, const struct decide_turn *turn)
{
    struct identity_key old;
    int rc = 0;

    if (!plan->external_changes)
        return 0;
    if (plan->old_external_id[0]) {
        if (!identity_key_of(dbk_slice(plan->old_external_id), &old))
            return ENOMEM;
        rc = identity_drop_external(turn->txn, turn->environment, &old);
    }
    if (rc == 0 && plan->person.external_id[0])
        rc = identity_put_external(turn->txn, turn->environment, plan->external,
                                   &plan->person.id);
    return rc;
}

/* Its record says, too, which keys of others it destroys. */
static int index_erased(const struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct command_entry *entry = plan->first;
    struct dbk_record record;
    enum dbk_code code = dbk_record_decode(plan->command->bytes + entry->offset,
                                           entry->length, &record, NULL);
    int rc;

    assert(code == DBK_OK); /* it was encoded here */
    rc = identity_forget(turn->txn, turn->environment, &plan->person.id);
    if (rc == 0)
        rc = lost_told(turn->txn, turn->environment, record.keys);
    return rc == 0 ? environment_put_mark(turn->txn, turn->environment,
                                          ENVIRONMENT_ERASED, turn->head)
                   : rc;
}

static int index_person(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_person_state *person = &plan->person;
    int rc;

    person->version = turn->head;
    if (plan->sets_properties)
        person->properties_sequence = plan->has_properties ? turn->head : 0;
    if ((rc = index_email(plan, turn)) != 0 || (rc = index_external(plan, turn)) != 0)
        return rc;
    if (plan->forgets_tags)
        rc = index_forget_tags(turn->txn, turn->environment, &person->id);
    if (rc != 0)
        return rc;
    if (person->erased)
        rc = index_erased(plan, turn);
    else if (person->deleted)
        rc = identity_end(turn->txn, turn->environment, &person->id, turn->head);
    return rc == 0 ? index_put_person(turn->txn, turn->environment, person) : rc;
}

/* The record, as it was written a moment ago, tells the text. */
static int index_aliased(struct rules_plan *plan, const struct decide_turn *turn,
                         const struct command_entry *entry)
{
    struct dbk_command *command = plan->command;
    struct dbk_person_state *person = &plan->person;
    struct dbk_record record;
    enum dbk_code code =
        dbk_record_decode(command->bytes + entry->offset, entry->length, &record, NULL);
    int rc;

    assert(code == DBK_OK); /* it was encoded here */
    rc = identity_claim(turn->txn, turn->environment, &command->alias,
                        record.anonymous_id, &person->id, turn->head);
    person->aliases++;
    return rc == 0 ? index_put_person(turn->txn, turn->environment, person) : rc;
}

static int index_unaliased(struct rules_plan *plan, const struct decide_turn *turn)
{
    int rc = identity_release(turn->txn, turn->environment, &plan->command->alias,
                              &plan->person.id);

    return rc == 0 ? index_put_person(turn->txn, turn->environment, &plan->person) : rc;
}

static int index_recorded(const struct rules_plan *plan, const struct decide_turn *turn,
                          const struct command_entry *entry)
{
    struct dbk_event_state event = {.sequence = turn->head,
                                    .person_id = plan->person.id};

    return index_put_event_at(turn->event_cursor, &entry->subject, &event);
}

/* Its keys are destroyed when it is on disk. */
static int index_expired(const struct decide_turn *turn)
{
    int rc = months_expire(turn->txn, turn->environment, turn->scratch->due.through);

    return rc == 0 ? environment_put_mark(turn->txn, turn->environment,
                                          ENVIRONMENT_ERASED, turn->head)
                   : rc;
}

/* What was not known when it was drafted: of whom it is. */
static void fill_in(struct rules_plan *plan, const struct command_entry *entry)
{
    char *record = plan->command->bytes + entry->offset;

    switch (entry->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_DELETED:
    case DBK_PERSON_ERASED:
    case DBK_LOG_RESEALED: /* refused before: no command has it */
    case DBK_EVENTS_EXPIRED:
        break;
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
        record_set_subject(record, &plan->person.id);
        break;
    case DBK_EVENT_RECORDED:
        record_set_person(record, &plan->person.id);
        break;
    case DBK_EVENT_DELETED:
        record_set_person(record, &plan->owner);
        record_set_format(record, plan->deleted_format);
        break;
    }
}

static int write_entry(struct rules_plan *plan, struct decide_turn *turn, size_t i)
{
    struct dbk_command *command = plan->command;
    const struct command_entry *entry = i == 0 ? plan->first : &command->entries[i];
    int rc;

    if (i == 0)
        command_set_first(command, entry);
    fill_in(plan, entry);
    if (rules_is_skipped(plan, i))
        return 0;
    rc = entry->type == DBK_PERSON_CREATED ? take_number(turn, &plan->person.key) : 0;
    if (rc == 0)
        rc = append(turn, command, entry,
                    dbk_type_is_sealed(entry->type) ? plan->person.key : 0);
    if (rc != 0)
        return rc;

    switch (entry->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
    case DBK_PERSON_ERASED:
        return index_person(plan, turn);
    case DBK_EVENT_RECORDED:
        return index_recorded(plan, turn, entry);
    case DBK_EVENT_DELETED:
        plan->event.deleted_sequence = turn->head;
        return index_put_event_at(turn->event_cursor, &entry->subject, &plan->event);
    case DBK_PERSON_ALIASED:
        return index_aliased(plan, turn, entry);
    case DBK_PERSON_UNALIASED:
        return index_unaliased(plan, turn);
    case DBK_PERSON_RESTRICTED:
        return restricted_put(turn->txn, turn->environment, &plan->person.id,
                              turn->head);
    case DBK_PERSON_UNRESTRICTED:
        return restricted_drop(turn->txn, turn->environment, &plan->person.id);
    case DBK_EVENTS_EXPIRED:
        return index_expired(turn);
    case DBK_LOG_RESEALED:
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
    command->verdict.otherwise = plan->otherwise;
    command->verdict.first_sequence = appended ? before + 1 : 0;
    command->verdict.sequence = appended ? turn->head : plan->person.version;
    command->verdict.recorded_at = turn->now;
    if (command->person)
        *command->person = plan->person;
}

/* The first event of an anonymous id that has no key, or whose person is deleted. */
static int begin_anonymous(struct rules_plan *plan, struct decide_turn *turn)
{
    int rc = take_number(turn, &plan->number);

    return rc == 0 ? identity_give(turn->txn, turn->environment, &plan->command->alias,
                                   plan->number)
                   : rc;
}

/* An event alone is indexed before it is appended: whether its id is new then takes no
 * search of its own. False where it was refused. */
static bool write_event(struct rules_plan *plan, struct decide_turn *turn)
{
    struct dbk_command *command = plan->command;
    const struct command_entry *entry = command->entries;
    struct dbk_event_state known, event = {.sequence = turn->head + 1};
    int rc;

    if (command_is_anonymous(command))
        record_set_person(command->bytes + entry->offset, &plan->owner);
    else
        event.person_id = entry->person_id;
    rc = index_add_event(turn->event_cursor, &entry->subject, &event, &known);
    if (rc == 0 && turn->environment->sealed && plan->number == 0)
        plan->rc = begin_anonymous(plan, turn);
    if (rc == 0 && plan->rc == 0)
        plan->rc = append(turn, command, entry, plan->number);
    else if (rc != 0)
        rules_refuse_event(plan, turn, &entry->subject, rc, &known);
    return rc == 0 && plan->rc == 0;
}

static bool write_all(struct rules_plan *plan, struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;

    if (command->count == 1 && command->entries[0].type == DBK_EVENT_RECORDED)
        return write_event(plan, turn);
    for (size_t i = 0; plan->rc == 0 && i < command->count; i++)
        plan->rc = write_entry(plan, turn, i);
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
    if (turn->format < ENVIRONMENT_FORMAT_FIRST)
        turn->format = ENVIRONMENT_FORMAT_FIRST;
    command_begin(command);
    rules_plan_begin(&plan, command);
    if (rules_check(&plan, turn) && write_all(&plan, turn))
        accept(&plan, turn, before);
    return plan.rc;
}

void decide_finish(struct decide_turn *turn)
{
    free(turn->scratch);
    turn->scratch = NULL;
    sealed_wipe(turn->key);
    sealed_wipe(turn->month_key);
    turn->key_number = 0;
    turn->has_month = false;
}
