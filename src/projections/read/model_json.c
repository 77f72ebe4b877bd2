#include "projections/model_json.h"

/* The object that is being written. */
struct members {
    struct dbk_render *render;
    unsigned shown;
    bool any;
};

static struct members members_of(struct dbk_render *render, unsigned shown)
{
    return (struct members){render, shown ? shown : DBK_SHOW_USUAL, false};
}

/* Write a member's name, given as it stands between two members: ",\"email\":". False: it
 * is not shown. Inlined by force, so that its length is known where it is compiled. */
__attribute__((always_inline)) static inline bool
member(struct members *members, enum dbk_show which, const char *name)
{
    size_t skip = !members->any;

    if (!(members->shown & which))
        return false;
    dbk_render_raw(members->render, name + skip, strlen(name) - skip);
    members->any = true;
    return true;
}

static void text_or_null(struct dbk_render *render, struct dbk_slice text)
{
    if (text.length > 0)
        dbk_render_string(render, text);
    else
        dbk_render_text(render, "null");
}

static void person_or_null(struct dbk_render *render, const struct dbk_uuid *id)
{
    if (dbk_uuid_is_nil(id))
        dbk_render_text(render, "null");
    else
        dbk_render_uuid(render, id);
}

void dbk_render_event(struct dbk_render *render, const struct dbk_event_view *event)
{
    struct members members = members_of(render, event->shown);

    dbk_render_text(render, "{");
    if (member(&members, DBK_SHOW_ID, ",\"id\":"))
        dbk_render_uuid(render, &event->id);
    if (member(&members, DBK_SHOW_DATETIME_CREATED, ",\"datetime_created\":"))
        dbk_render_timestamp(render, event->datetime_created);
    if (member(&members, DBK_SHOW_EVENT_TYPE, ",\"event_type\":"))
        dbk_render_string(render, event->event_type);
    if (member(&members, DBK_SHOW_PERSON_ID, ",\"person_id\":"))
        person_or_null(render, &event->person_id);
    if (event->anonymous_id.length > 0 &&
        member(&members, DBK_SHOW_ANONYMOUS_ID, ",\"anonymous_id\":"))
        dbk_render_string(render, event->anonymous_id);
    if (event->properties.length > 0 &&
        member(&members, DBK_SHOW_PROPERTIES, ",\"properties\":"))
        dbk_render_json(render, event->properties);
    if (member(&members, DBK_SHOW_RECEIVED, ",\"received\":"))
        dbk_render_timestamp(render, event->received);
    dbk_render_text(render, "}");
}

bool dbk_render_person_begin(struct dbk_render *render,
                             const struct dbk_person_view *person)
{
    struct members members = members_of(render, person->shown);

    dbk_render_text(render, "{");
    if (member(&members, DBK_SHOW_ID, ",\"id\":"))
        dbk_render_uuid(render, &person->id);
    if (member(&members, DBK_SHOW_DATETIME_CREATED, ",\"datetime_created\":"))
        dbk_render_timestamp(render, person->datetime_created);
    if (member(&members, DBK_SHOW_DATETIME_MODIFIED, ",\"datetime_modified\":"))
        dbk_render_timestamp(render, person->datetime_modified);
    if (member(&members, DBK_SHOW_EMAIL, ",\"email\":"))
        text_or_null(render, person->email);
    return member(&members, DBK_SHOW_EVENTS, ",\"events\":");
}

#define BEFORE_EVENTS                                                                  \
    (DBK_SHOW_ID | DBK_SHOW_DATETIME_CREATED | DBK_SHOW_DATETIME_MODIFIED |            \
     DBK_SHOW_EMAIL | DBK_SHOW_EVENTS)

void dbk_render_person_rest(struct dbk_render *render,
                            const struct dbk_person_view *person)
{
    struct members members = members_of(render, person->shown);

    members.any = (members.shown & BEFORE_EVENTS) != 0;
    if (member(&members, DBK_SHOW_FIRST_NAME, ",\"first_name\":"))
        text_or_null(render, person->first_name);
    if (member(&members, DBK_SHOW_LAST_NAME, ",\"last_name\":"))
        text_or_null(render, person->last_name);
    if (member(&members, DBK_SHOW_ROLE, ",\"role\":"))
        dbk_render_string(render, person->role);
    if (person->external_id.length > 0 &&
        member(&members, DBK_SHOW_EXTERNAL_ID, ",\"external_id\":"))
        dbk_render_string(render, person->external_id);
    if (person->properties.length > 0 &&
        member(&members, DBK_SHOW_PROPERTIES, ",\"properties\":"))
        dbk_render_json(render, person->properties);
}

static bool shows_events(const struct dbk_person_view *person)
{
    return !person->shown || (person->shown & DBK_SHOW_EVENTS);
}

void dbk_render_person_close(struct dbk_render *render,
                             const struct dbk_person_view *person)
{
    char id[DBK_UUID_TEXT + 1];

    if (shows_events(person) && person->events_total > 0) {
        dbk_render_text(render, ",\"events_total\":");
        dbk_render_number(render, person->events_total);
        dbk_render_text(render, ",\"events_next\":\"/events?person_id=");
        dbk_uuid_format(&person->id, id);
        dbk_render_text(render, id);
        dbk_render_text(render, "&order=desc");
        if (person->events_after > 0) {
            dbk_render_text(render, "&after=");
            dbk_render_number(render, person->events_after);
        }
        dbk_render_text(render, "\"");
    }
    dbk_render_text(render, "}");
}

void dbk_render_person_end(struct dbk_render *render,
                           const struct dbk_person_view *person)
{
    dbk_render_person_rest(render, person);
    dbk_render_person_close(render, person);
}
