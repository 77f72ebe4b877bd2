/* Events and persons in the API's shape: keys in the order of the seed's answers. */
#include "render.h"

void dbk_render_event(struct dbk_render *render, const struct dbk_record *event,
                      dbk_timestamp recorded_at)
{
    dbk_render_text(render, "{\"id\":");
    dbk_render_uuid(render, &event->subject);
    dbk_render_text(render, ",\"datetime_created\":");
    dbk_render_timestamp(render, event->has_datetime_created ? event->datetime_created
                                                             : recorded_at);
    dbk_render_text(render, ",\"event_type\":");
    dbk_render_string(render, event->event_type);
    dbk_render_text(render, ",\"person_id\":");
    dbk_render_uuid(render, &event->person_id);
    if (event->properties.length > 0) {
        dbk_render_text(render, ",\"properties\":");
        dbk_render_json(render, event->properties);
    }
    dbk_render_text(render, "}");
}

void dbk_render_person(struct dbk_render *render, const struct dbk_person_state *person,
                       struct dbk_slice events)
{
    dbk_render_text(render, "{\"id\":");
    dbk_render_uuid(render, &person->id);
    dbk_render_text(render, ",\"datetime_created\":");
    dbk_render_timestamp(render, person->datetime_created);
    dbk_render_text(render, ",\"datetime_modified\":");
    dbk_render_timestamp(render, person->datetime_modified);
    dbk_render_text(render, ",\"email\":");
    dbk_render_string(render, dbk_slice(person->email));
    dbk_render_text(render, ",\"events\":");
    dbk_render_raw(render, events.data, events.length);
    dbk_render_text(render, ",\"first_name\":");
    dbk_render_string(render, dbk_slice(person->first_name));
    dbk_render_text(render, ",\"last_name\":");
    dbk_render_string(render, dbk_slice(person->last_name));
    dbk_render_text(render, ",\"role\":");
    dbk_render_string(render, dbk_slice(dbk_role_name(person->role)));
    dbk_render_text(render, "}");
}
