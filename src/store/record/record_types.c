#include "record_types.h"

#include "record_layout.h"

#include <assert.h>

#define TEXT(literal)                                                                  \
    {                                                                                  \
        (literal), sizeof(literal) - 1                                                 \
    }

static const struct record_type types[DBK_TYPE_COUNT] = {
#define TYPE(number, type, name, subject, must, may)                                   \
    [type] = {TEXT(name), subject, must, may},
    DBK_TYPES(TYPE)
#undef TYPE
};

#define EVENT_TYPE_MAX_1 64 /* bytes of event_type in format 1 */

#define PLACE(member) offsetof(struct dbk_record, member)

const struct record_field record_fields[RECORD_FIELDS] = {
    {DBK_HAS_EMAIL, RECORD_TEXT, TEXT("email"), PLACE(person.email), DBK_EMAIL_MAX},
    {DBK_HAS_FIRST_NAME, RECORD_TEXT, TEXT("first_name"), PLACE(person.first_name),
     DBK_NAME_MAX},
    {DBK_HAS_LAST_NAME, RECORD_TEXT, TEXT("last_name"), PLACE(person.last_name),
     DBK_NAME_MAX},
    {DBK_HAS_ROLE, RECORD_ROLE, TEXT("role"), PLACE(person.role), 0},
    {DBK_HAS_PERSON_ID, RECORD_ID, TEXT("person_id"), PLACE(person_id), 0},
    {DBK_HAS_EVENT_TYPE, RECORD_TEXT, TEXT("event_type"), PLACE(event_type),
     DBK_EVENT_TYPE_MAX},
    {DBK_HAS_PROPERTIES, RECORD_TEXT, TEXT("properties"), PLACE(properties),
     DBK_PROPERTIES_MAX},
    {DBK_HAS_DATETIME_CREATED, RECORD_TIME, TEXT("datetime_created"),
     PLACE(datetime_created), 0},
    {DBK_HAS_EXTERNAL_ID, RECORD_TEXT, TEXT("external_id"), PLACE(person.external_id),
     DBK_EXTERNAL_ID_MAX},
    {DBK_HAS_ANONYMOUS_ID, RECORD_TEXT, TEXT("anonymous_id"), PLACE(anonymous_id),
     DBK_ANONYMOUS_ID_MAX},
    {DBK_HAS_KEYS, RECORD_BYTES, TEXT("keys"), PLACE(keys), DBK_KEYS_MAX},
    {DBK_HAS_KEY, RECORD_NUMBER, TEXT("key"), PLACE(key), 0},
    {DBK_HAS_SEALED, RECORD_BYTES, TEXT("sealed"), PLACE(sealed), DBK_RECORD_MAX},
    {DBK_HAS_SIZE, RECORD_NUMBER, TEXT("size"), PLACE(size), 0},
    {DBK_HAS_ROOT, RECORD_BYTES, TEXT("root"), PLACE(root), DBK_ROOT_BYTES},
    {DBK_HAS_CHECKPOINT, RECORD_TEXT, TEXT("checkpoint"), PLACE(checkpoint),
     DBK_CHECKPOINT_MAX},
    {DBK_HAS_MONTH, RECORD_NUMBER, TEXT("month"), PLACE(month), 0},
    {DBK_HAS_THROUGH, RECORD_NUMBER, TEXT("through"), PLACE(through), 0},
    {DBK_HAS_BEFORE, RECORD_TIME, TEXT("before"), PLACE(before), 0},
};

const struct record_type *record_type(enum dbk_type type)
{
    return type >= 1 && type < DBK_TYPE_COUNT ? &types[type] : NULL;
}

unsigned record_sealed_fields(const struct record_type *type)
{
    const unsigned clear = DBK_HAS_PERSON_ID | DBK_HAS_KEYS | RECORD_OF_A_LOG;

    if (!((type->must | type->may) & ~clear))
        return 0;
    return (type->must & DBK_HAS_PERSON_ID) | DBK_HAS_KEY | DBK_HAS_SEALED;
}

bool dbk_type_is_sealed(enum dbk_type type)
{
    assert(record_type(type));
    return record_sealed_fields(&types[type]) != 0;
}

/* Whether one of the texts that are there is empty: in a person.updated, removed. */
static bool any_empty(const struct dbk_record *record, const struct record_type *type,
                      unsigned there)
{
    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        const struct record_field *field = &record_fields[i];
        const void *value = record_value(record, field, type);

        if (there & DBK_HAS_OPTIONAL & field->bit &&
            ((const struct dbk_slice *)value)->length == 0)
            return true;
    }
    return false;
}

/* Whether format 1 knew a person's record with these fields. What was decoded from it may
 * hold what would mean something else now. */
static bool person_of_format_1(const struct dbk_record *record,
                               const struct record_type *type, unsigned there)
{
    if (there & DBK_HAS_PROPERTIES)
        return false;
    if (record->type == DBK_PERSON_CREATED)
        return (there & DBK_HAS_ALL) == DBK_HAS_ALL;
    return record->format == 1 || !any_empty(record, type, there);
}

static bool event_of_format_1(const struct dbk_record *record, unsigned there)
{
    if (there & DBK_HAS_EVENT_TYPE)
        return record->event_type.length <= EVENT_TYPE_MAX_1;
    return record->format == 1 || !dbk_uuid_is_nil(&record->person_id);
}

bool record_type_restricts(enum dbk_type type)
{
    return type == DBK_PERSON_RESTRICTED || type == DBK_PERSON_UNRESTRICTED;
}

unsigned record_format(const struct dbk_record *record, unsigned there)
{
    const struct record_type *type = record_type(record->type);
    bool former = type->subject == DBK_SUBJECT_PERSON
                      ? person_of_format_1(record, type, there)
                      : event_of_format_1(record, there);

    if (there & (DBK_HAS_MONTH | DBK_HAS_THROUGH))
        return RECORD_FORMAT_MONTH;
    if (type->subject == DBK_SUBJECT_LOG)
        return RECORD_FORMAT_RESEALED;
    if (record_type_restricts(record->type))
        return RECORD_FORMAT_RESTRICTED;
    if (there & (DBK_HAS_KEYS | DBK_HAS_SEALED))
        return RECORD_FORMAT_SEALED;
    if (record->traceparent.length > 0)
        return 3;
    if (there & (DBK_HAS_EXTERNAL_ID | DBK_HAS_ANONYMOUS_ID) ||
        record->clock_offset.length > 0)
        return 2;
    return former ? 1 : 2;
}

const char *dbk_type_name(enum dbk_type type)
{
    const struct record_type *row = record_type(type);

    return row ? row->name.data : "";
}

bool dbk_type_parse(const char *text, size_t length, enum dbk_type *out)
{
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        if (dbk_slice_equal((struct dbk_slice){text, length}, types[type].name)) {
            *out = type;
            return true;
        }
    }
    return false;
}

enum dbk_subject dbk_type_subject(enum dbk_type type)
{
    assert(record_type(type));
    return types[type].subject;
}

const struct dbk_uuid *dbk_record_person(const struct dbk_record *record)
{
    switch (dbk_type_subject(record->type)) {
    case DBK_SUBJECT_PERSON:
        return &record->subject;
    case DBK_SUBJECT_EVENT:
    case DBK_SUBJECT_LOG:
        break;
    }
    return &record->person_id;
}

const char *dbk_role_name(enum dbk_role role)
{
    switch (role) {
    case DBK_ROLE_USER:
        return "user";
    case DBK_ROLE_ADMIN:
        return "admin";
    }
    return "";
}

bool dbk_role_parse(const char *text, size_t length, enum dbk_role *out)
{
    for (enum dbk_role role = DBK_ROLE_USER; role <= DBK_ROLE_ADMIN; role++) {
        if (dbk_slice_equal((struct dbk_slice){text, length},
                            dbk_slice(dbk_role_name(role)))) {
            *out = role;
            return true;
        }
    }
    return false;
}
