/* An event as POST /events, POST /events/{id}, a batch and an import bring it. */
#include "body_event.h"

#include "body_fields.h"
#include "body_time.h"
#include "body_values.h"
#include "json_bounds.h"
#include "json_merge.h"
#include "json_stored.h"

#include <stdlib.h>

/* Whose it is, or null, beside the anonymous_id of somebody that nobody knows yet. */
static void read_person_id(struct body_draft *draft, struct dbk_slice value)
{
    draft->nobody = value.data[0] == 'n';
    if (!draft->nobody)
        body_person_id(draft, value);
}

static void read_anonymous_id(struct body_draft *draft, struct dbk_slice value)
{
    if (value.data[0] == 'n') /* as if it were not there */
        return;
    draft->known = true;
    body_anonymous_id(draft, value);
}

const struct body_field body_event_fields[] = {
    {"event_type", BODY_FIELD_REQUIRED, body_event_type},
    {"person_id", BODY_FIELD_UNLESS_KNOWN, read_person_id},
    {"anonymous_id", BODY_FIELD_STANDS_IN, read_anonymous_id},
    {"id", BODY_FIELD_OPTIONAL, body_id},
    {"datetime_created", BODY_FIELD_OPTIONAL, body_datetime_created},
    {"properties", BODY_FIELD_OPTIONAL, body_properties},
    {0},
};

/* A person is shown with what was done before anybody knew who did it, so one that is put
 * back brings it with the person's id, too. */
const struct body_field body_event_fields_with_id[] = {
    {"event_type", BODY_FIELD_REQUIRED, body_event_type},
    {"person_id", BODY_FIELD_REQUIRED, body_person_id},
    {"anonymous_id", BODY_FIELD_OPTIONAL, read_anonymous_id},
    {"id", BODY_FIELD_REQUIRED, body_id},
    {"datetime_created", BODY_FIELD_OPTIONAL, body_datetime_created},
    {"properties", BODY_FIELD_OPTIONAL, body_properties},
    {0},
};

static const struct body_field import_fields[] = {
    {"event_type", BODY_FIELD_REQUIRED, body_event_type},
    {"person_id", BODY_FIELD_UNLESS_KNOWN, read_person_id},
    {"anonymous_id", BODY_FIELD_STANDS_IN, read_anonymous_id},
    {"id", BODY_FIELD_REQUIRED, body_id},
    {"datetime_created", BODY_FIELD_REQUIRED, body_datetime_created},
    {"properties", BODY_FIELD_OPTIONAL, body_properties},
    {0},
};

static void check_whose(struct body_draft *draft)
{
    const struct dbk_record *event = draft->record;

    if (draft->nobody && !draft->known) {
        draft->name = "person_id";
        body_complain_unknown(draft, "must not be null");
    } else if (draft->has_person_id && event->anonymous_id.length > 0) {
        draft->name = "anonymous_id";
        body_complain(draft, "either this or a person_id, not both");
    }
}

/* The members of the batch's context, beside its own. */
static void add_context(struct body_draft *draft, struct dbk_slice context)
{
    struct dbk_slice *properties = &draft->record->properties;
    struct dbk_slice whole = {draft->copy, 0};
    char why[PROPERTIES_WHY_MAX];

    if (json_merge_under(context, *properties, draft->copy,
                         (size_t)(draft->end - draft->copy), &whole.length) != DBK_OK) {
        draft->no_memory = true; /* there is room for both, and both were checked */
        return;
    }
    draft->name = "properties";
    if (properties_fit(whole, why))
        *properties = whole;
    else
        body_complain(draft, "with the batch's context they %s", why);
}

/* The client's clock is wrong by so much. */
static void correct_time(struct body_draft *draft, const struct dbk_body_rules *rules)
{
    struct dbk_record *event = draft->record;

    if (!event->has_datetime_created || rules->clock_offset == 0)
        return;
    event->datetime_created += rules->clock_offset; /* both are within 10,000 years */
    event->clock_offset = rules->clock_offset_text;
    if (dbk_timestamp_valid(event->datetime_created))
        return;
    draft->name = "datetime_created";
    body_complain(draft, "with what sent_at adds it " BODY_TIME_IN_YEARS);
}

/* What follows of the fields together. */
static void finish_event(struct body_draft *draft)
{
    const struct dbk_body_rules *rules = draft->rules;

    check_whose(draft);
    if (!rules || draft->complaints > 0 || draft->no_memory)
        return;
    correct_time(draft, rules);
    if (rules->context.length > 0)
        add_context(draft, rules->context);
}

static enum dbk_code read_event(const char *text, size_t length,
                                const struct body_field *table,
                                struct body_draft *draft, struct dbk_body *body,
                                struct dbk_error *err)
{
    size_t context = draft->rules ? draft->rules->context.length : 0;
    enum dbk_code code;

    *body = (struct dbk_body){.record.type = DBK_EVENT_RECORDED};
    draft->record = &body->record;
    draft->finish = finish_event;
    draft->room = context > 0 ? context + length : 0;
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

static bool same_person(const struct dbk_record *brought,
                        const struct dbk_record *logged)
{
    if (brought->anonymous_id.length > 0 || logged->anonymous_id.length > 0)
        return dbk_slice_equal(brought->anonymous_id, logged->anonymous_id);
    return dbk_uuid_equal(&brought->person_id, &logged->person_id);
}

/* What the client's clock said. What a log says of it need not be a number that fits. */
static dbk_timestamp time_said(const struct dbk_record *event)
{
    char text[24];
    dbk_timestamp said = event->datetime_created;

    if (event->clock_offset.length == 0 || event->clock_offset.length >= sizeof text)
        return said;
    memcpy(text, event->clock_offset.data, event->clock_offset.length);
    text[event->clock_offset.length] = '\0';
    if (__builtin_sub_overflow(said, (int64_t)strtoll(text, NULL, 10), &said))
        return event->datetime_created;
    return said;
}

bool dbk_body_same_event(const struct dbk_record *brought,
                         const struct dbk_record *logged)
{
    if (!dbk_slice_equal(brought->event_type, logged->event_type) ||
        !same_person(brought, logged))
        return false;
    if (brought->has_datetime_created && time_said(brought) != time_said(logged))
        return false;
    return same_properties(brought->properties, logged->properties);
}
