#include "event.h"

#include <stdlib.h>

static bool read_id(const json_t *value, struct dbk_uuid *out)
{
    return value && json_is_string(value) &&
           dbk_uuid_parse(json_string_value(value), json_string_length(value), out);
}

static bool read_properties(struct event *event, const json_t *value)
{
    if (!value)
        return true;
    event->properties = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;
    if (event->properties)
        event->record.properties = dbk_slice(event->properties);
    return event->properties != NULL;
}

/* The ids that the product makes: the event's, and the request's in its meta. */
static void name(struct event *event)
{
    struct dbk_uuid request = dbk_uuid_new();

    dbk_uuid_format(&request, event->request_id);
    event->record.request_id = dbk_slice(event->request_id);
    event->record.source = dbk_slice("rest");
    event->record.subject = dbk_uuid_new();
}

bool event_read(struct event *event, const char *body, size_t length)
{
    const json_t *type;

    *event = (struct event){.record.type = DBK_EVENT_RECORDED};
    event->root = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);
    type = json_object_get(event->root, "event_type");
    if (!type || !json_is_string(type) ||
        !read_id(json_object_get(event->root, "person_id"), &event->record.person_id) ||
        !read_properties(event, json_object_get(event->root, "properties")))
        return false;
    event->record.event_type =
        (struct dbk_slice){json_string_value(type), json_string_length(type)};
    name(event);
    return true;
}

void event_finish(struct event *event)
{
    json_decref(event->root);
    free(event->properties);
}

int event_render(const struct event *event, dbk_timestamp at, char *out, size_t size)
{
    char id[DBK_UUID_TEXT + 1], person[DBK_UUID_TEXT + 1];
    char time[DBK_TIMESTAMP_TEXT + 1];

    dbk_uuid_format(&event->record.subject, id);
    dbk_uuid_format(&event->record.person_id, person);
    dbk_timestamp_format(at, time);
    return snprintf(
        out, size,
        "{\"data\":{\"id\":\"%s\",\"datetime_created\":\"%s\",\"event_type\":\"%s\","
        "\"person_id\":\"%s\"%s%s},\"response\":{\"details\":\"The request was "
        "successful\",\"message\":\"Ok\",\"status\":201}}",
        id, time, event->record.event_type.data, person,
        event->properties ? ",\"properties\":" : "",
        event->properties ? event->properties : "");
}
