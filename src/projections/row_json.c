#include "row_json.h"

void row_json_event(struct dbk_rows *rows, const struct row_event *event)
{
    rows_text(rows, "{\"id\":");
    rows_uuid(rows, &event->id);
    rows_text(rows, ",\"datetime_created\":");
    rows_timestamp(rows, event->datetime_created);
    rows_text(rows, ",\"event_type\":");
    rows_string(rows, event->event_type);
    rows_text(rows, ",\"person_id\":");
    rows_uuid(rows, &event->person_id);
    if (event->properties.length > 0) {
        rows_text(rows, ",\"properties\":");
        rows_raw(rows, event->properties.data, event->properties.length);
    }
    rows_text(rows, "}");
}

void row_json_person_begin(struct dbk_rows *rows, const struct row_person *person)
{
    rows_text(rows, "{\"id\":");
    rows_uuid(rows, &person->id);
    rows_text(rows, ",\"datetime_created\":");
    rows_timestamp(rows, person->datetime_created);
    rows_text(rows, ",\"datetime_modified\":");
    rows_timestamp(rows, person->datetime_modified);
    rows_text(rows, ",\"email\":");
    rows_string(rows, person->email);
    rows_text(rows, ",\"events\":[");
}

void row_json_person_end(struct dbk_rows *rows, const struct row_person *person)
{
    rows_text(rows, "],\"first_name\":");
    rows_string(rows, person->first_name);
    rows_text(rows, ",\"last_name\":");
    rows_string(rows, person->last_name);
    rows_text(rows, ",\"role\":");
    rows_string(rows, person->role);
    rows_text(rows, "}");
}
