#include "sse.h"

#include "cloud_event.h"
#include "render_record.h"

#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

static void id_line(struct dbk_render *out, uint64_t at)
{
    dbk_render_text(out, "id: ");
    dbk_render_number(out, at);
    dbk_render_text(out, "\n");
}

void sse_begin(struct dbk_render *out, uint64_t at)
{
    dbk_render_text(out, "retry: " TEXT_OF(SSE_RETRY_MS) "\n");
    id_line(out, at);
    dbk_render_text(out, "\n");
}

void sse_record(struct dbk_render *out, const struct dbk_record *record, enum form form,
                const char *source)
{
    bool zone = out->zone;

    id_line(out, record->sequence);
    dbk_render_text(out, "event: ");
    dbk_render_text(out, dbk_type_name(record->type));
    dbk_render_text(out, "\ndata: ");
    out->zone = form == FORM_RECORD_ZONE || form == FORM_CLOUD_ZONE;
    if (form == FORM_CLOUD || form == FORM_CLOUD_ZONE)
        cloud_event_render(out, record, source);
    else
        render_record_shown(out, record);
    out->zone = zone;
    dbk_render_text(out, "\n\n");
}

void sse_heartbeat(struct dbk_render *out, uint64_t at)
{
    dbk_render_text(out, ": heartbeat ");
    dbk_render_number(out, at);
    dbk_render_text(out, "\n");
    id_line(out, at);
    dbk_render_text(out, "\n");
}

void sse_end(struct dbk_render *out, const char *reason, const char *details)
{
    dbk_render_text(out, "event: end\ndata: {\"reason\":");
    dbk_render_string(out, dbk_slice(reason));
    dbk_render_text(out, ",\"details\":");
    dbk_render_string(out, dbk_slice(details));
    dbk_render_text(out, "}\n\n");
}

size_t sse_block_rest(const char *bytes, size_t length)
{
    const char *end = length > 0 ? memmem(bytes, length, "\n\n", 2) : NULL;

    return end ? (size_t)(end - bytes) + 2 : length;
}
