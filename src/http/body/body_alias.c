/* An anonymous id, and whose it is to be: as a batch and the aliases of a person bring it. */
#include "body_fields.h"
#include "body_values.h"

static const struct body_field item_fields[] = {
    {"anonymous_id", BODY_FIELD_REQUIRED, body_anonymous_id},
    {"person_id", BODY_FIELD_UNLESS_KNOWN, body_person_id},
    {"external_id", BODY_FIELD_MAKES_KNOWN, body_external_id},
    {0},
};

static const struct body_field fields_at[] = {
    {"anonymous_id", BODY_FIELD_REQUIRED, body_anonymous_id},
    {"person_id", BODY_FIELD_OPTIONAL, body_person_id},
    {0},
};

static const struct body_field fields_by[] = {
    {"anonymous_id", BODY_FIELD_REQUIRED, body_anonymous_id},
    {"external_id", BODY_FIELD_OPTIONAL, body_external_id},
    {0},
};

static enum dbk_code read_alias(const char *text, size_t length,
                                const struct body_field *table,
                                struct body_draft *draft, struct dbk_body *body,
                                struct dbk_error *err)
{
    *body = (struct dbk_body){.record.type = DBK_PERSON_ALIASED};
    draft->record = &body->record;
    if (body_read(text, length, table, draft, &body->memory, err) == DBK_OK)
        return DBK_OK;
    *body = (struct dbk_body){0};
    return err->code;
}

static enum dbk_code refuse_both(struct body_draft *draft, struct dbk_body *body,
                                 struct dbk_error *err)
{
    draft->name = "external_id";
    body_complain(draft, "either this or a person_id, not both");
    dbk_body_finish(body);
    return dbk_fail(err, DBK_INVALID, "%s: %s", draft->fields->list[0].field,
                    draft->fields->list[0].message);
}

enum dbk_code dbk_body_alias(const char *text, size_t length, struct dbk_body *body,
                             struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct body_draft draft = {.fields = fields};

    if (read_alias(text, length, item_fields, &draft, body, err) != DBK_OK)
        return err->code;
    if (draft.has_person_id && body->record.person.has)
        return refuse_both(&draft, body, err);
    body->record.subject = body->record.person_id;
    return DBK_OK;
}

enum dbk_code body_alias_at(const char *text, size_t length, const struct dbk_uuid *id,
                            struct dbk_body *body, struct dbk_field_errors *fields,
                            struct dbk_error *err)
{
    struct body_draft draft = {.fields = fields, .person_id = id};

    if (read_alias(text, length, fields_at, &draft, body, err) != DBK_OK)
        return err->code;
    body->record.subject = *id;
    return DBK_OK;
}

enum dbk_code body_alias_by(const char *text, size_t length,
                            struct dbk_slice external_id, struct dbk_body *body,
                            struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct body_draft draft = {.fields = fields, .external_id = external_id};

    if (read_alias(text, length, fields_by, &draft, body, err) != DBK_OK)
        return err->code;
    body->record.person.external_id = external_id;
    body->record.person.has |= DBK_HAS_EXTERNAL_ID;
    return DBK_OK;
}
