#include "record_types.h"

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
};

const struct record_type *record_type(enum dbk_type type)
{
    return type >= 1 && type < DBK_TYPE_COUNT ? &types[type] : NULL;
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
