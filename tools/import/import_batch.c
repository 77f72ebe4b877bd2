#include "import_batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define SOURCE "import"

void import_batch_empty(struct import_batch *batch)
{
    batch->count = 0;
    batch->bytes = 0;
    batch->bad = false;
}

void import_batch_finish(struct import_batch *batch)
{
    for (size_t i = 0; batch->entries && i < IMPORT_BATCH_LINES; i++)
        dbk_command_destroy(batch->entries[i].command);
    free(batch->entries);
    free(batch->commands);
    dbk_batch_finish(&batch->logged);
    *batch = (struct import_batch){0};
}

bool import_batch_full(const struct import_batch *batch)
{
    return batch->count >= IMPORT_BATCH_LINES || batch->bytes >= IMPORT_BATCH_BYTES;
}

static enum dbk_code no_memory(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

/* The next free entry, or NULL. The caller has seen that the batch is not full. */
static struct import_entry *next_entry(struct import_batch *batch, uint64_t line)
{
    if (!batch->entries) {
        batch->entries = calloc(IMPORT_BATCH_LINES, sizeof *batch->entries);
        batch->commands = calloc(IMPORT_BATCH_LINES, sizeof *batch->commands);
    }
    if (!batch->entries || !batch->commands)
        return NULL;
    assert(batch->count < IMPORT_BATCH_LINES);
    batch->entries[batch->count].line = line;
    batch->entries[batch->count].type = 0;
    return &batch->entries[batch->count++];
}

/* The event that comes with each person, as with POST /persons. */
static struct dbk_record signup(const struct dbk_record *person)
{
    return (struct dbk_record){.type = DBK_EVENT_RECORDED,
                               .subject = dbk_uuid_new(),
                               .person_id = person->subject,
                               .event_type = dbk_slice("signup"),
                               .has_datetime_created = person->has_datetime_created,
                               .datetime_created = person->datetime_created,
                               .source = dbk_slice(SOURCE)};
}

static struct dbk_record alias(const struct dbk_record *person)
{
    return (struct dbk_record){.type = DBK_PERSON_ALIASED,
                               .subject = person->subject,
                               .anonymous_id = person->anonymous_id,
                               .source = dbk_slice(SOURCE)};
}

/* What comes with a person. */
static enum dbk_code draft_more(struct dbk_command *command,
                                const struct dbk_record *person, struct dbk_error *err)
{
    struct dbk_record event = signup(person), aliased = alias(person);
    enum dbk_code code = dbk_command_add(command, &event, err);

    if (code == DBK_OK && person->anonymous_id.length > 0)
        code = dbk_command_add(command, &aliased, err);
    return code;
}

/* As PUT /persons/by/external_id/{value} does: what is not said is taken away, but for role
 * and properties. */
static enum dbk_code draft_update(struct dbk_command *command,
                                  const struct dbk_body *body, struct dbk_error *err)
{
    struct dbk_record updated = body->record;

    updated.type = DBK_PERSON_UPDATED;
    updated.anonymous_id = (struct dbk_slice){NULL, 0};
    updated.has_datetime_created = false;
    updated.datetime_created = 0;
    updated.person.has &= ~(unsigned)DBK_HAS_EXTERNAL_ID;
    updated.person.has |= DBK_HAS_EMAIL | DBK_HAS_FIRST_NAME | DBK_HAS_LAST_NAME;
    if (!body->has_role)
        updated.person.has &= ~(unsigned)DBK_HAS_ROLE;
    return dbk_command_otherwise(command, &updated, err);
}

static enum dbk_code draft(struct import_entry *entry, struct dbk_body *body,
                           struct dbk_error *err)
{
    struct dbk_record *record = &body->record;
    enum dbk_code code;

    if (entry->command)
        dbk_command_reset(entry->command);
    else
        entry->command = dbk_command_create();
    if (!entry->command)
        return no_memory(err);
    record->source = dbk_slice(SOURCE);
    code = dbk_command_add(entry->command, record, err);
    if (code == DBK_OK && record->type == DBK_PERSON_CREATED)
        code = draft_more(entry->command, record, err);
    if (code == DBK_OK && record->type == DBK_PERSON_CREATED && !body->has_id)
        code = draft_update(entry->command, body, err);
    return code;
}

enum dbk_code import_batch_add(struct import_batch *batch, uint64_t line, size_t bytes,
                               struct dbk_body *body, struct dbk_error *err)
{
    struct import_entry *entry = next_entry(batch, line);
    enum dbk_code code = entry ? draft(entry, body, err) : no_memory(err);

    if (code == DBK_OK) {
        entry->type = body->record.type;
        batch->bytes += bytes;
    } else if (entry) { /* half a command, a person without its signup, must not stay */
        batch->count--;
    }
    dbk_body_finish(body);
    return code;
}

enum dbk_code import_batch_add_bad(struct import_batch *batch, uint64_t line,
                                   const char *reason, struct dbk_error *err)
{
    struct import_entry *entry = next_entry(batch, line);

    if (!entry)
        return no_memory(err);
    batch->bad = true;
    snprintf(entry->reason, sizeof entry->reason, "%s", reason);
    return DBK_OK;
}

/* Compare an event with the record in the log that has its id. */
static enum dbk_code compare(struct import_batch *batch, struct dbk_log *log,
                             struct import_entry *entry, uint64_t sequence,
                             enum import_fate *fate, struct dbk_error *err)
{
    struct dbk_record record, brought;
    enum dbk_code code = dbk_log_record(log, sequence, &batch->logged, &record, err);

    if (code != DBK_OK)
        return code;
    *fate = IMPORT_THERE;
    dbk_command_first(entry->command, &brought);
    if (!dbk_body_same_event(&brought, &record)) {
        *fate = IMPORT_BAD;
        snprintf(entry->reason, sizeof entry->reason,
                 "id: an event with this id and another content is in the log, as "
                 "record %llu",
                 (unsigned long long)sequence);
    }
    return DBK_OK;
}

static enum dbk_code decide(struct import_batch *batch, struct dbk_log *log,
                            struct import_entry *entry, enum import_fate *fate,
                            struct dbk_error *err)
{
    const struct dbk_verdict *verdict;

    *fate = IMPORT_BAD;
    if (!entry->type)
        return DBK_OK;
    verdict = dbk_command_verdict(entry->command);
    if (verdict->code == DBK_OK && verdict->otherwise) {
        *fate = verdict->first_sequence > 0 ? IMPORT_UPDATED : IMPORT_THERE;
    } else if (verdict->code == DBK_OK) {
        *fate = IMPORT_ADDED;
    } else if (verdict->code != DBK_EXISTS) {
        snprintf(entry->reason, sizeof entry->reason, "%.255s", verdict->error.text);
    } else if (entry->type == DBK_PERSON_CREATED) {
        *fate = IMPORT_THERE;
    } else {
        return compare(batch, log, entry, verdict->sequence, fate, err);
    }
    return DBK_OK;
}

enum dbk_code import_batch_submit(struct import_batch *batch, struct dbk_log *log,
                                  struct dbk_error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        if (batch->entries[i].type)
            batch->commands[count++] = batch->entries[i].command;
    }
    if (count == 0)
        return DBK_OK;
    return dbk_log_submit(log, batch->commands, count, NULL, NULL, err);
}

enum dbk_code import_batch_tell(struct import_batch *batch, struct dbk_log *log,
                                import_tell *tell, void *context, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; code == DBK_OK && i < batch->count; i++) {
        struct import_entry *entry = &batch->entries[i];
        enum import_fate fate;
        code = decide(batch, log, entry, &fate, err);
        if (code == DBK_OK)
            tell(context, entry->type, entry->line, fate, entry->reason);
    }
    return code;
}
