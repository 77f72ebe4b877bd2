/* sse.h - what a stream of server-sent events is made of, block by block: each ends with an
 * empty line, and no other line is empty.
 *
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. An id without
 * data moves what the client will bring as Last-Event-ID, and makes no event. */
#ifndef DBK_HTTP_SSE_H
#define DBK_HTTP_SSE_H

#include "store/record.h"
#include "store/render.h"

#define SSE_MEDIA "text/event-stream"
#define SSE_RETRY_MS 3000

/* How records are shown. */
enum form {
    FORM_RECORD,      /* as GET /log shows them */
    FORM_RECORD_ZONE, /* with timestamps=rfc3339 */
    FORM_CLOUD,       /* as CloudEvents */
    FORM_CLOUD_ZONE,
    FORMS
};

/* How long a client waits before it connects again; and where it begins. */
void sse_begin(struct dbk_render *out, uint64_t at);
/* source: of cloud_event.h. */
void sse_record(struct dbk_render *out, const struct dbk_record *record, enum form form,
                const char *source);
/* All up to `at` was looked at. */
void sse_heartbeat(struct dbk_render *out, uint64_t at);
/* The last event; details is a sentence. */
void sse_end(struct dbk_render *out, const char *reason, const char *details);

/* How many of these bytes, which may begin within a block, are the rest of it: all, where
 * it does not end. */
size_t sse_block_rest(const char *bytes, size_t length);

#endif
