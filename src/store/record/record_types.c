#include "store/record.h"

const char *dbk_type_name(enum dbk_type type)
{
    switch (type) {
    case DBK_PERSON_CREATED:
        return "person.created";
    case DBK_PERSON_UPDATED:
        return "person.updated";
    case DBK_PERSON_DELETED:
        return "person.deleted";
    case DBK_EVENT_RECORDED:
        return "event.recorded";
    case DBK_EVENT_DELETED:
        return "event.deleted";
    }
    return "";
}

const struct dbk_uuid *dbk_record_person(const struct dbk_record *record)
{
    switch (record->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
        return &record->subject;
    case DBK_EVENT_RECORDED:
    case DBK_EVENT_DELETED:
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
