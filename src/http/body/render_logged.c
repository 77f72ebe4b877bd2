#include "render_logged.h"

#include "json_stored.h"
#include "projections/model_json.h"

static void render_event(struct dbk_render *render, const struct dbk_record *event,
                         dbk_timestamp recorded_at, struct dbk_slice properties,
                         unsigned shown)
{
    const struct dbk_event_view view = {
        .shown = shown,
        .id = event->subject,
        .person_id = event->person_id,
        .datetime_created =
            event->has_datetime_created ? event->datetime_created : recorded_at,
        .received = recorded_at,
        .event_type = event->event_type,
        .anonymous_id = event->anonymous_id,
        .properties = properties,
    };

    dbk_render_event(render, &view);
}

void render_logged_event(struct dbk_render *render, const struct dbk_record *event,
                         dbk_timestamp recorded_at, unsigned shown)
{
    render_event(render, event, recorded_at, event->properties, shown);
}

bool render_stored_event(struct dbk_render *render, const struct dbk_record *event,
                         unsigned shown)
{
    struct dbk_render properties = {0};
    bool good = event->properties.length == 0 ||
                json_stored_render(&properties, event->properties);

    good = good && dbk_render_code(&properties) == DBK_OK;
    if (good)
        render_event(render, event, event->recorded_at,
                     (struct dbk_slice){properties.text, properties.length}, shown);
    dbk_render_finish(&properties);
    return good;
}

void render_logged_person(struct dbk_render *render,
                          const struct dbk_person_state *person,
                          struct dbk_slice properties, struct dbk_slice events)
{
    const struct dbk_person_view view = {
        .id = person->id,
        .datetime_created = person->datetime_created,
        .datetime_modified = person->datetime_modified,
        .email = dbk_slice(person->email),
        .first_name = dbk_slice(person->first_name),
        .last_name = dbk_slice(person->last_name),
        .role = dbk_slice(dbk_role_name(person->role)),
        .external_id = dbk_slice(person->external_id),
        .properties = properties,
    };

    dbk_render_person_begin(render, &view);
    dbk_render_raw(render, events.data, events.length);
    dbk_render_person_end(render, &view);
}
