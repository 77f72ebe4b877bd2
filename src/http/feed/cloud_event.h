/* cloud_event.h - records as CloudEvents 1.0, in its JSON format.
 *
 * Source: https://github.com/cloudevents/spec, v1.0.2: spec.md, formats/json-format.md; the
 * extension Distributed Tracing (traceparent). The
 * data is the record as GET /log shows it, so that nothing is lost and either form can be
 * made of the other. */
#ifndef DBK_HTTP_CLOUD_EVENT_H
#define DBK_HTTP_CLOUD_EVENT_H

#include "store/record.h"
#include "store/render.h"

#define CLOUD_EVENT_MEDIA "application/cloudevents+json"
#define CLOUD_EVENT_BATCH_MEDIA "application/cloudevents-batch+json"

#define CLOUD_EVENT_SOURCE_MAX (9 + DBK_UUID_TEXT + 1)

/* What names the log that events are of: "urn:uuid:" and its id. */
void cloud_event_source(const struct dbk_uuid *store_id,
                        char out[CLOUD_EVENT_SOURCE_MAX]);

/* The object, on one line. Its time is RFC 3339; those in its data are as render->zone
 * says. */
void cloud_event_render(struct dbk_render *render, const struct dbk_record *record,
                        const char *source);

#endif
