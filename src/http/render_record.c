/* A record of the log as JSON: its seven names, and the names of its data. */
#include "render.h"

/* Members of an object, with a comma before all but the first. */
struct members {
    struct dbk_render *render;
    bool any;
};

static void key(struct members *members, const char *name)
{
    dbk_render_text(members->render, members->any ? ",\"" : "\"");
    dbk_render_text(members->render, name);
    dbk_render_text(members->render, "\":");
    members->any = true;
}

static void string_member(struct members *members, const char *name,
                          struct dbk_slice text)
{
    key(members, name);
    dbk_render_string(members->render, text);
}

static void time_member(struct members *members, const struct dbk_record *record)
{
    if (!record->has_datetime_created)
        return;
    key(members, "datetime_created");
    dbk_render_timestamp(members->render, record->datetime_created);
}

static void person_members(struct members *members,
                           const struct dbk_person_fields *person)
{
    if (person->has & DBK_HAS_EMAIL)
        string_member(members, "email", person->email);
    if (person->has & DBK_HAS_FIRST_NAME)
        string_member(members, "first_name", person->first_name);
    if (person->has & DBK_HAS_LAST_NAME)
        string_member(members, "last_name", person->last_name);
    if (person->has & DBK_HAS_ROLE)
        string_member(members, "role", dbk_slice(dbk_role_name(person->role)));
}

static void person_id_member(struct members *members, const struct dbk_record *record)
{
    key(members, "person_id");
    dbk_render_uuid(members->render, &record->person_id);
}

static void event_members(struct members *members, const struct dbk_record *record)
{
    person_id_member(members, record);
    string_member(members, "event_type", record->event_type);
    if (record->properties.length > 0) {
        key(members, "properties");
        dbk_render_json(members->render, record->properties);
    }
}

static void render_data(struct dbk_render *render, const struct dbk_record *record)
{
    struct members members = {.render = render};

    dbk_render_text(render, "{");
    switch (record->type) {
    case DBK_PERSON_CREATED:
        person_members(&members, &record->person);
        time_member(&members, record);
        break;
    case DBK_PERSON_UPDATED:
        person_members(&members, &record->person);
        break;
    case DBK_PERSON_DELETED:
        break;
    case DBK_EVENT_RECORDED:
        event_members(&members, record);
        time_member(&members, record);
        break;
    case DBK_EVENT_DELETED:
        person_id_member(&members, record);
        break;
    }
    dbk_render_text(render, "}");
}

static void render_meta(struct dbk_render *render, const struct dbk_record *record)
{
    struct members members = {.render = render};

    dbk_render_text(render, "{");
    if (record->request_id.length > 0)
        string_member(&members, "request_id", record->request_id);
    if (record->actor.length > 0)
        string_member(&members, "actor", record->actor);
    if (record->source.length > 0)
        string_member(&members, "source", record->source);
    dbk_render_text(render, "}");
}

void dbk_render_record(struct dbk_render *render, const struct dbk_record *record)
{
    struct members members = {.render = render};

    dbk_render_text(render, "{");
    key(&members, "format");
    dbk_render_number(render, record->format);
    string_member(&members, "type", dbk_slice(dbk_type_name(record->type)));
    key(&members, "sequence");
    dbk_render_number(render, record->sequence);
    key(&members, "recorded_at");
    dbk_render_timestamp(render, record->recorded_at);
    key(&members, "subject_id");
    dbk_render_uuid(render, &record->subject);
    key(&members, "data");
    render_data(render, record);
    key(&members, "meta");
    render_meta(render, record);
    dbk_render_text(render, "}");
}
