/* An event as POST /events, POST /events/{id}, a batch and an import bring it. */
#include "body_event.h"

#include "body_fields.h"
#include "body_values.h"
#include "json_stored.h"

const struct body_field body_event_fields[] = {
    {"event_type", BODY_FIELD_REQUIRED, body_event_type},
    {"person_id", BODY_FIELD_REQUIRED, body_person_id},
    {"id", BODY_FIELD_OPTIONAL, body_id},
    {"datetime_created", BODY_FIELD_OPTIONAL, body_datetime_created},
    {"properties", BODY_FIELD_OPTIONAL, body_properties},
    {0},
};

const struct body_field body_event_fields_with_id[] = {
    {"event_type", BODY_FIELD_REQUIRED, body_event_type},
    {"person_id", BODY_FIELD_REQUIRED, body_person_id},
    {"id", BODY_FIELD_REQUIRED, body_id},
    {"datetime_created", BODY_FIELD_OPTIONAL, body_datetime_created},
    {"properties", BODY_FIELD_OPTIONAL, body_properties},
    {0},
};

static const struct body_field import_fields[] = {
    {"event_type", BODY_FIELD_REQUIRED, body_event_type},
    {"person_id", BODY_FIELD_REQUIRED, body_person_id},
    {"id", BODY_FIELD_REQUIRED, body_id},
    {"datetime_created", BODY_FIELD_REQUIRED, body_datetime_created},
    {"properties", BODY_FIELD_OPTIONAL, body_properties},
    {0},
};

static enum dbk_code read_event(const char *text, size_t length,
                                const struct body_field *table,
                                struct body_draft *draft, struct dbk_body *body,
                                struct dbk_error *err)
{
    enum dbk_code code;

    *body = (struct dbk_body){.record.type = DBK_EVENT_RECORDED};
    draft->record = &body->record;
    code = body_read(text, length, table, draft, &body->memory, err);
    if (code != DBK_OK) {
        *body = (struct dbk_body){0};
        return code;
    }
    body->has_id = draft->has_id;
    return DBK_OK;
}

enum dbk_code dbk_body_event(const char *text, size_t length, enum dbk_body_kind kind,
                             const struct dbk_body_rules *rules, struct dbk_body *body,
                             struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct body_draft draft = {.rules = rules, .fields = fields};
    enum dbk_code code;

    code = read_event(text, length,
                      kind == DBK_BODY_IMPORT ? import_fields : body_event_fields,
                      &draft, body, err);
    if (code == DBK_OK && !body->has_id)
        body->record.subject = dbk_uuid_new();
    return code;
}

enum dbk_code body_event_at(const char *text, size_t length, const struct dbk_uuid *id,
                            const struct dbk_body_rules *rules, struct dbk_body *body,
                            struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct body_draft draft = {.rules = rules, .fields = fields, .id = id};
    enum dbk_code code;

    code = read_event(text, length, body_event_fields, &draft, body, err);
    if (code == DBK_OK) {
        body->record.subject = *id;
        body->has_id = true;
    }
    return code;
}

static bool same_properties(struct dbk_slice brought, struct dbk_slice logged)
{
    if (brought.length == 0 || logged.length == 0)
        return brought.length == logged.length;
    return json_same(brought, logged);
}

bool dbk_body_same_event(const struct dbk_record *brought,
                         const struct dbk_record *logged)
{
    if (!dbk_slice_equal(brought->event_type, logged->event_type) ||
        !dbk_uuid_equal(&brought->person_id, &logged->person_id))
        return false;
    if (brought->has_datetime_created &&
        brought->datetime_created != logged->datetime_created)
        return false;
    return same_properties(brought->properties, logged->properties);
}
