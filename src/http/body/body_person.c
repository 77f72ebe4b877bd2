/* A person as POST /persons and an import bring it. */
#include "body_values.h"

#include <stdlib.h>

/* null is as if it were not there. */
static void read_id(struct body_draft *draft, struct dbk_slice value)
{
    if (value.data[0] != 'n')
        body_id(draft, value);
}

static const struct body_field create_fields[] = {
    {"email", BODY_FIELD_UNLESS_KNOWN, body_email},
    {"first_name", BODY_FIELD_UNLESS_KNOWN, body_first_name},
    {"last_name", BODY_FIELD_UNLESS_KNOWN, body_last_name},
    {"role", BODY_FIELD_OPTIONAL, body_role},
    {"id", BODY_FIELD_OPTIONAL, read_id},
    {"external_id", BODY_FIELD_MAKES_KNOWN, body_external_id},
    {"anonymous_id", BODY_FIELD_MAKES_KNOWN, body_anonymous_id_or_null},
    {"properties", BODY_FIELD_OPTIONAL, body_person_properties},
    {"datetime_created", BODY_FIELD_READ_ONLY, NULL},
    {"datetime_modified", BODY_FIELD_READ_ONLY, NULL},
    {"events", BODY_FIELD_READ_ONLY, NULL},
    {0},
};

static const struct body_field import_fields[] = {
    {"id", BODY_FIELD_REQUIRED, body_id},
    {"datetime_created", BODY_FIELD_REQUIRED, body_datetime_created},
    {"email", BODY_FIELD_UNLESS_KNOWN, body_email},
    {"first_name", BODY_FIELD_UNLESS_KNOWN, body_first_name},
    {"last_name", BODY_FIELD_UNLESS_KNOWN, body_last_name},
    {"role", BODY_FIELD_OPTIONAL, body_role},
    {"external_id", BODY_FIELD_MAKES_KNOWN, body_external_id},
    {"anonymous_id", BODY_FIELD_MAKES_KNOWN, body_anonymous_id_or_null},
    {"properties", BODY_FIELD_OPTIONAL, body_person_properties},
    {"datetime_modified", BODY_FIELD_READ_ONLY, NULL},
    {"events", BODY_FIELD_READ_ONLY, NULL},
    {0},
};

void dbk_body_finish(struct dbk_body *body)
{
    free(body->memory);
    *body = (struct dbk_body){0};
}

enum dbk_code dbk_body_person(const char *text, size_t length, enum dbk_body_kind kind,
                              struct dbk_body *body, struct dbk_field_errors *fields,
                              struct dbk_error *err)
{
    struct body_draft draft = {.record = &body->record, .fields = fields};
    enum dbk_code code;

    *body = (struct dbk_body){.record.type = DBK_PERSON_CREATED};
    body->record.person.role = DBK_ROLE_USER;
    code =
        body_read(text, length, kind == DBK_BODY_IMPORT ? import_fields : create_fields,
                  &draft, &body->memory, err);
    if (code != DBK_OK) {
        *body = (struct dbk_body){0};
        return code;
    }
    body->has_role = body->record.person.has & DBK_HAS_ROLE;
    body->record.person.has |= DBK_HAS_ROLE;
    body->has_id = draft.has_id;
    if (!draft.has_id)
        body->record.subject = dbk_uuid_new();
    return DBK_OK;
}
