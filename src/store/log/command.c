#include "command_private.h"

#include "record_types.h"

#include <assert.h>
#include <stdlib.h>

/* The parts of a record besides its texts never take more. */
#define RECORD_FRAME 192

/* What a command that is reset keeps of its bytes: enough for most. */
#define BYTES_KEPT 1024

void command_clear_verdict(struct dbk_verdict *verdict)
{
    verdict->code = verdict->error.code = DBK_OK;
    verdict->first_sequence = verdict->sequence = 0;
    verdict->recorded_at = 0;
    verdict->has_holder = verdict->otherwise = false;
    verdict->error.text[0] = '\0';
}

/* Empty, whatever it was; the rest of it, which is large, need not be zeroed. */
static void clear(struct dbk_command *command)
{
    command->count = command->bytes_used = 0;
    command->expected_version = 0;
    command->expects_person = command->unsupported = false;
    command->person = NULL;
    command_clear_verdict(&command->verdict);
}

static void use_small(struct dbk_command *command)
{
    command->bytes = command->small;
    command->bytes_size = sizeof command->small;
}

struct dbk_command *dbk_command_create(void)
{
    struct dbk_command *command = malloc(sizeof *command);

    if (!command)
        return NULL;
    command->entries = &command->first;
    command->entries_size = 1;
    use_small(command);
    clear(command);
    return command;
}

void dbk_command_destroy(struct dbk_command *command)
{
    if (!command)
        return;
    if (command->entries != &command->first)
        free(command->entries);
    if (command->bytes != command->small)
        free(command->bytes);
    free(command->person);
    free(command);
}

void dbk_command_reset(struct dbk_command *command)
{
    if (command->bytes_size > BYTES_KEPT) {
        free(command->bytes);
        use_small(command);
    }
    free(command->person);
    clear(command);
}

static bool grow_entries(struct dbk_command *command)
{
    struct command_entry *own =
        command->entries == &command->first ? NULL : command->entries;
    struct command_entry *grown;
    size_t size;

    assert(command->count <= command->entries_size);
    if (command->count < command->entries_size)
        return true;
    size = command->count * 2 + 1;
    grown = realloc(own, size * sizeof *grown);
    if (!grown)
        return false;
    if (!own)
        grown[0] = command->first;
    command->entries = grown;
    command->entries_size = size;
    return true;
}

static bool grow_bytes(struct dbk_command *command, size_t needed)
{
    size_t twice = command->bytes_size * 2, wanted = twice > needed ? twice : needed;
    char *own = command->bytes == command->small ? NULL : command->bytes, *grown;

    assert(command->bytes_used <= command->bytes_size);
    if (needed <= command->bytes_size)
        return true;
    grown = realloc(own, wanted);
    if (!grown)
        return false;
    if (!own)
        memcpy(grown, command->small, command->bytes_used);
    command->bytes = grown;
    command->bytes_size = wanted;
    return true;
}

static bool event_id_twice(const struct dbk_command *command, const struct dbk_uuid *id)
{
    for (size_t i = 0; i < command->count; i++) {
        if (command->entries[i].type == DBK_EVENT_RECORDED &&
            dbk_uuid_equal(&command->entries[i].subject, id))
            return true;
    }
    return false;
}

/* Whether records of the type say what a person is from then on. */
static bool changes_person(enum dbk_type type)
{
    const struct record_type *row = record_type(type);

    return (row->must | row->may) & DBK_HAS_ALL;
}

/* Behind the first record only events of its person may follow. */
static enum dbk_code check_shape(const struct dbk_command *command,
                                 const struct dbk_record *draft, struct dbk_error *err)
{
    const struct command_entry *first = command->entries;

    if (command->count == 0)
        return DBK_OK;
    if (draft->type != DBK_EVENT_RECORDED || !changes_person(first->type))
        return dbk_fail(err, DBK_INVALID, "%s cannot follow %s in one command",
                        dbk_type_name(draft->type), dbk_type_name(first->type));
    if (!dbk_uuid_equal(&draft->person_id, &first->subject))
        return dbk_fail(err, DBK_INVALID, "the event belongs to another person");
    if (event_id_twice(command, &draft->subject))
        return dbk_fail(err, DBK_INVALID, "an event id stands twice in one command");
    return DBK_OK;
}

static size_t room_for(const struct dbk_record *draft)
{
    return RECORD_FRAME + draft->person.email.length + draft->person.first_name.length +
           draft->person.last_name.length + draft->event_type.length +
           draft->properties.length + draft->request_id.length + draft->actor.length +
           draft->source.length + draft->person.external_id.length +
           draft->person.properties.length + draft->anonymous_id.length +
           draft->clock_offset.length;
}

static bool make_room(struct dbk_command *command, const struct dbk_record *draft)
{
    bool changes = changes_person(draft->type);

    if (changes && !command->person)
        command->person = calloc(1, sizeof *command->person);
    return (!changes || command->person) && grow_entries(command) &&
           grow_bytes(command, command->bytes_used + room_for(draft));
}

enum dbk_code dbk_command_add(struct dbk_command *command,
                              const struct dbk_record *draft, struct dbk_error *err)
{
    struct command_entry *entry;
    enum dbk_code code = check_shape(command, draft, err);

    if (code != DBK_OK)
        return code;
    if (!make_room(command, draft))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a record");

    entry = &command->entries[command->count];
    entry->type = draft->type;
    entry->subject = draft->subject;
    entry->person_id = draft->person_id;
    entry->offset = command->bytes_used;
    code = dbk_record_encode(draft, command->bytes + entry->offset,
                             command->bytes_size - entry->offset, &entry->length, err);
    if (code != DBK_OK)
        return code;
    assert(entry->length <= room_for(draft));
    if (draft->type != DBK_EVENT_DELETED && command->bytes[entry->offset + 1] != 1)
        command->unsupported = true;
    command->bytes_used += entry->length;
    command->count++;
    return DBK_OK;
}

void dbk_command_expect(struct dbk_command *command, uint64_t version)
{
    command->expected_version = version;
}

void dbk_command_expect_person(struct dbk_command *command, const struct dbk_uuid *id)
{
    command->expects_person = true;
    command->expected_person = *id;
}

void dbk_command_by_external_id(struct dbk_command *command,
                                struct dbk_slice external_id)
{
    (void)external_id;
    command->unsupported = true;
}

enum dbk_code dbk_command_otherwise(struct dbk_command *command,
                                    const struct dbk_record *updated,
                                    struct dbk_error *err)
{
    (void)updated;
    (void)err;
    command->unsupported = true;
    return DBK_OK;
}

void dbk_command_merge(struct dbk_command *command, dbk_merge *merge)
{
    (void)merge;
    command->unsupported = true;
}

void dbk_command_first(const struct dbk_command *command, struct dbk_record *out)
{
    const struct command_entry *first = command->entries;
    enum dbk_code code;

    assert(command->count > 0);
    code = dbk_record_decode(command->bytes + first->offset, first->length, out, NULL);
    assert(code == DBK_OK); /* it was encoded here */
}

const struct dbk_verdict *dbk_command_verdict(const struct dbk_command *command)
{
    return &command->verdict;
}

const struct dbk_person_state *dbk_command_person(const struct dbk_command *command)
{
    bool known = command->verdict.code == DBK_OK && command->person &&
                 command->person->version != 0;

    return known ? command->person : NULL;
}
