#include "command_private.h"

#include "record_types.h"

#include <assert.h>
#include <stdlib.h>

/* The parts of a record besides its texts never take more. */
#define RECORD_FRAME 256

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
    command->expects_person = false;
    command->has_alias = command->has_external = command->by_external = false;
    command->no_memory = command->has_otherwise = command->has_merged = false;
    command->merge = NULL;
    command->drafted = command->first_offset = command->first_length = 0;
    command->person = NULL;
    command->sealed = command->made = NULL;
    command->made_inside = false;
    command->made_with.number = 0;
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
    command_init(command);
    return command;
}

void command_init(struct dbk_command *command)
{
    command->in_block = false;
    command->entries = &command->first;
    command->entries_size = 1;
    use_small(command);
    clear(command);
}

static void drop_made(struct dbk_command *command)
{
    if (!command->made_inside)
        free(command->made);
}

void command_finish(struct dbk_command *command)
{
    if (command->entries != &command->first)
        free(command->entries);
    drop_made(command); /* it may lie in bytes */
    if (command->bytes != command->small)
        free(command->bytes);
    free(command->sealed);
    free(command->person);
}

void dbk_command_destroy(struct dbk_command *command)
{
    if (!command || command->in_block)
        return;
    command_finish(command);
    free(command);
}

void dbk_command_reset(struct dbk_command *command)
{
    drop_made(command);
    if (command->bytes_size > BYTES_KEPT) {
        free(command->bytes);
        use_small(command);
    }
    free(command->sealed);
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

/* Whether a command that begins with it tells the person's state. */
static bool leaves_person(enum dbk_type type)
{
    return changes_person(type) || type == DBK_PERSON_ALIASED ||
           type == DBK_PERSON_UNALIASED;
}

static bool may_follow(const struct dbk_command *command,
                       const struct dbk_record *draft)
{
    enum dbk_type first = command->entries[0].type;

    if (command->entries[command->count - 1].type == DBK_PERSON_ALIASED)
        return false; /* the last there can be */
    if (draft->type == DBK_EVENT_RECORDED)
        return changes_person(first) && draft->anonymous_id.length == 0;
    return draft->type == DBK_PERSON_ALIASED && first == DBK_PERSON_CREATED;
}

/* Behind the first record only what is of its person may follow. */
static enum dbk_code check_shape(const struct dbk_command *command,
                                 const struct dbk_record *draft, struct dbk_error *err)
{
    const struct command_entry *first = command->entries;

    if (command->count == 0)
        return DBK_OK;
    if (!may_follow(command, draft))
        return dbk_fail(err, DBK_INVALID, "%s cannot follow %s in one command",
                        dbk_type_name(draft->type), dbk_type_name(first->type));
    if (!dbk_uuid_equal(dbk_record_person(draft), &first->subject))
        return dbk_fail(err, DBK_INVALID, "the %s belongs to another person",
                        draft->type == DBK_EVENT_RECORDED ? "event" : "alias");
    if (draft->type == DBK_EVENT_RECORDED && event_id_twice(command, &draft->subject))
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
           draft->clock_offset.length + draft->traceparent.length + draft->root.length +
           draft->checkpoint.length;
}

static bool make_room(struct dbk_command *command, const struct dbk_record *draft)
{
    bool leaves = leaves_person(draft->type);

    if (leaves && !command->person)
        command->person = calloc(1, sizeof *command->person);
    return (!leaves || command->person) && grow_entries(command) &&
           grow_bytes(command, command->bytes_used + room_for(draft));
}

static bool sets_external(const struct dbk_record *draft)
{
    return draft->person.has & DBK_HAS_EXTERNAL_ID &&
           draft->person.external_id.length > 0;
}

/* False: no memory. */
static bool hash_identities(struct dbk_command *command, const struct dbk_record *draft)
{
    const struct record_type *type = record_type(draft->type);

    if ((type->must | type->may) & DBK_HAS_ANONYMOUS_ID &&
        draft->anonymous_id.length > 0) {
        command->has_alias = true;
        return identity_key_of(draft->anonymous_id, &command->alias);
    }
    if (command->count > 0 || !sets_external(draft))
        return true;
    command->has_external = true;
    return identity_key_of(draft->person.external_id, &command->external);
}

/* Encode it behind what is there already, where there is room for it. */
static enum dbk_code encode(struct dbk_command *command, const struct dbk_record *draft,
                            struct command_entry *entry, struct dbk_error *err)
{
    static const uint64_t none; /* which they are the writer finds out */
    struct dbk_record erased = *draft;
    enum dbk_code code;

    if (draft->type == DBK_PERSON_ERASED || draft->type == DBK_EVENTS_EXPIRED) {
        erased.keys = (struct dbk_slice){(const char *)&none, sizeof none};
        erased.through = 1;
        draft = &erased;
    }
    *entry = (struct command_entry){.type = draft->type,
                                    .subject = draft->subject,
                                    .person_id = draft->person_id,
                                    .offset = command->bytes_used};
    code = dbk_record_encode(draft, command->bytes + entry->offset,
                             command->bytes_size - entry->offset, &entry->length, err);
    if (code != DBK_OK)
        return code;
    assert(entry->length <= room_for(draft));
    command->bytes_used += entry->length;
    command->drafted = command->bytes_used;
    return DBK_OK;
}

enum dbk_code dbk_command_add(struct dbk_command *command,
                              const struct dbk_record *draft, struct dbk_error *err)
{
    enum dbk_code code = check_shape(command, draft, err);

    if (code != DBK_OK)
        return code;
    if (!make_room(command, draft) || !hash_identities(command, draft))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a record");
    code = encode(command, draft, &command->entries[command->count], err);
    if (code == DBK_OK && command->count++ == 0)
        command_set_first(command, command->entries);
    return code;
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
    command->by_external = true;
    if (!identity_key_of(external_id, &command->by))
        command->no_memory = true;
}

enum dbk_code dbk_command_otherwise(struct dbk_command *command,
                                    const struct dbk_record *updated,
                                    struct dbk_error *err)
{
    enum dbk_code code;

    assert(command->count > 0 && command->entries[0].type == DBK_PERSON_CREATED &&
           updated->type == DBK_PERSON_UPDATED);
    if (!grow_bytes(command, command->bytes_used + room_for(updated)) ||
        (sets_external(updated) &&
         !identity_key_of(updated->person.external_id, &command->otherwise_external)))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a record");
    code = encode(command, updated, &command->otherwise, err);
    command->has_otherwise = code == DBK_OK;
    return code;
}

void dbk_command_merge(struct dbk_command *command, dbk_merge *merge)
{
    command->merge = merge;
}

void command_begin(struct dbk_command *command)
{
    command_clear_verdict(&command->verdict);
    command->bytes_used = command->drafted;
    command->has_merged = false;
    free(command->sealed);
    command->sealed = NULL;
    if (command->count > 0)
        command_set_first(command, command->entries);
}

bool command_keep_merged(struct dbk_command *command, const struct command_entry *from,
                         const char *bytes, size_t length)
{
    assert(!command->has_merged && command->bytes_used == command->drafted);
    assert(!command->made_inside); /* it would be written over, or left behind */
    if (!grow_bytes(command, command->bytes_used + length))
        return false;
    memcpy(command->bytes + command->bytes_used, bytes, length);
    command->merged = *from;
    command->merged.offset = command->bytes_used;
    command->merged.length = length;
    command->bytes_used += length;
    command->has_merged = true;
    return true;
}

/* Of what sealing adds there is never more. */
enum { SEALING = 128 };

bool command_seal(struct dbk_command *command, struct command_key with,
                  const uint8_t key[32])
{
    const struct command_entry *entry = command->entries;
    const char *plain = command->bytes + entry->offset;
    size_t size = entry->length + SEALING;
    enum dbk_code code;

    drop_made(command);
    command->made_with.number = 0;
    command->made_inside = command->bytes_size - command->drafted >= size;
    command->made =
        command->made_inside ? command->bytes + command->drafted : malloc(size);
    if (!command->made)
        return false;
    code = with.month > 0
               ? dbk_record_seal_in_month(plain, entry->length, with.number, with.month,
                                          key, command->made, size,
                                          &command->made_length, NULL)
               : dbk_record_seal(plain, entry->length, with.number, key, command->made,
                                 size, &command->made_length, NULL);
    if (code == DBK_OK)
        command->made_with = with;
    return code == DBK_OK;
}

bool command_keep_sealed(struct dbk_command *command, const char *bytes, size_t length)
{
    assert(!command->sealed);
    command->sealed = malloc(length);
    if (!command->sealed)
        return false;
    memcpy(command->sealed, bytes, length);
    command->sealed_length = length;
    return true;
}

void command_set_first(struct dbk_command *command, const struct command_entry *first)
{
    command->first_offset = first->offset;
    command->first_length = first->length;
}

bool command_is_anonymous(const struct dbk_command *command)
{
    return command->has_alias && command->entries[0].type == DBK_EVENT_RECORDED;
}

void dbk_command_first(const struct dbk_command *command, struct dbk_record *out)
{
    enum dbk_code code;

    assert(command->count > 0);
    code = dbk_record_decode(command->bytes + command->first_offset,
                             command->first_length, out, NULL);
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
