/* A person as POST /persons and an import bring it. */
#include "body_values.h"

#include <stdlib.h>
#include <string.h>

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
    {"id", BODY_FIELD_OPTIONAL, read_id},
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

static bool is_complained_of(const struct body_draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->fields->count; i++) {
        if (strcmp(draft->fields->list[i].field, name) == 0)
            return true;
    }
    return false;
}

/* A line that is imported again must be known again. */
static void check_import(struct body_draft *draft)
{
    if (draft->has_id || (draft->record->person.has & DBK_HAS_EXTERNAL_ID) ||
        is_complained_of(draft, "id") || is_complained_of(draft, "external_id"))
        return;
    draft->name = "id";
    body_complain(draft, "required, unless there is an external_id");
}

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
    if (kind == DBK_BODY_IMPORT)
        draft.finish = check_import;
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
