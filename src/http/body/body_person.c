/* A person as POST /persons and an import bring it. */
#include "body_values.h"

#include <stdlib.h>

static const struct dbk_body_field create_fields[] = {
    {"email", DBK_FIELD_REQUIRED, dbk_body_email},
    {"first_name", DBK_FIELD_REQUIRED, dbk_body_first_name},
    {"last_name", DBK_FIELD_REQUIRED, dbk_body_last_name},
    {"role", DBK_FIELD_OPTIONAL, dbk_body_role},
    {"id", DBK_FIELD_READ_ONLY, NULL},
    {"datetime_created", DBK_FIELD_READ_ONLY, NULL},
    {"datetime_modified", DBK_FIELD_READ_ONLY, NULL},
    {"events", DBK_FIELD_READ_ONLY, NULL},
    {0},
};

static const struct dbk_body_field import_fields[] = {
    {"id", DBK_FIELD_REQUIRED, dbk_body_id},
    {"datetime_created", DBK_FIELD_REQUIRED, dbk_body_datetime_created},
    {"email", DBK_FIELD_REQUIRED, dbk_body_email},
    {"first_name", DBK_FIELD_REQUIRED, dbk_body_first_name},
    {"last_name", DBK_FIELD_REQUIRED, dbk_body_last_name},
    {"role", DBK_FIELD_OPTIONAL, dbk_body_role},
    {"datetime_modified", DBK_FIELD_READ_ONLY, NULL},
    {"events", DBK_FIELD_READ_ONLY, NULL},
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
    struct dbk_body_draft draft = {.record = &body->record, .fields = fields};
    enum dbk_code code;

    *body = (struct dbk_body){.record.type = DBK_PERSON_CREATED};
    body->record.person.role = DBK_ROLE_USER;
    code = dbk_body_read(text, length,
                         kind == DBK_BODY_IMPORT ? import_fields : create_fields,
                         &draft, &body->memory, err);
    if (code != DBK_OK) {
        *body = (struct dbk_body){0};
        return code;
    }
    body->record.person.has = DBK_HAS_ALL;
    body->has_id = draft.has_id;
    if (!draft.has_id)
        body->record.subject = dbk_uuid_new();
    return DBK_OK;
}
