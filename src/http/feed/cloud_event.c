#include "cloud_event.h"

#include "http/record_json.h"
#include "render_record.h"

void cloud_event_source(const struct dbk_uuid *store_id,
                        char out[CLOUD_EVENT_SOURCE_MAX])
{
    static const char scheme[] = "urn:uuid:";

    memcpy(out, scheme, sizeof scheme - 1);
    dbk_uuid_format(store_id, out + sizeof scheme - 1);
}

void cloud_event_render(struct dbk_render *render, const struct dbk_record *record,
                        const char *source)
{
    bool zone = render->zone;

    dbk_render_text(render, "{\"specversion\":\"1.0\",\"id\":\"");
    dbk_render_number(render, record->sequence);
    dbk_render_text(render, "\",\"source\":\"");
    dbk_render_text(render, source);
    dbk_render_text(render, "\",\"type\":\"daybook.");
    dbk_render_text(render, dbk_type_name(record->type));
    dbk_render_text(render, "\",\"subject\":");
    dbk_render_uuid(render, &record->subject);
    dbk_render_text(render, ",\"time\":");
    render->zone = true;
    dbk_render_timestamp(render, record->recorded_at);
    render->zone = zone;
    if (record->traceparent.length > 0) {
        dbk_render_text(render, ",\"traceparent\":");
        dbk_render_string(render, record->traceparent);
    }
    dbk_render_text(render, ",\"datacontenttype\":\"application/json\",\"data\":");
    render_record_shown(render, record);
    dbk_render_text(render, "}");
}

void dbk_record_cloud_event(const struct dbk_record *record,
                            const struct dbk_uuid *store_id, struct dbk_render *out)
{
    char source[CLOUD_EVENT_SOURCE_MAX];

    cloud_event_source(store_id, source);
    cloud_event_render(out, record, source);
}
