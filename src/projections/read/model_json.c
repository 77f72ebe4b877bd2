#include "projections/model_json.h"

void dbk_render_event(struct dbk_render *render, const struct dbk_event_view *event)
{
    dbk_render_text(render, "{\"id\":");
    dbk_render_uuid(render, &event->id);
    dbk_render_text(render, ",\"datetime_created\":");
    dbk_render_timestamp(render, event->datetime_created);
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

void dbk_render_person_begin(struct dbk_render *render,
                             const struct dbk_person_view *person)
{
    dbk_render_text(render, "{\"id\":");
    dbk_render_uuid(render, &person->id);
    dbk_render_text(render, ",\"datetime_created\":");
    dbk_render_timestamp(render, person->datetime_created);
    dbk_render_text(render, ",\"datetime_modified\":");
    dbk_render_timestamp(render, person->datetime_modified);
    dbk_render_text(render, ",\"email\":");
    dbk_render_string(render, person->email);
    dbk_render_text(render, ",\"events\":");
}

void dbk_render_person_end(struct dbk_render *render,
                           const struct dbk_person_view *person)
{
    dbk_render_text(render, ",\"first_name\":");
    dbk_render_string(render, person->first_name);
    dbk_render_text(render, ",\"last_name\":");
    dbk_render_string(render, person->last_name);
    dbk_render_text(render, ",\"role\":");
    dbk_render_string(render, person->role);
    dbk_render_text(render, "}");
}
