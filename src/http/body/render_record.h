/* render_record.h - records of the log as JSON. */
#ifndef DBK_HTTP_RENDER_RECORD_H
#define DBK_HTTP_RENDER_RECORD_H

#include "store/record.h"
#include "store/render.h"

/* {"format", "type", "sequence", "recorded_at", "subject_id", "data", "meta"} of a
 * decoded record, as GET /log shows it. */
void render_record_shown(struct dbk_render *render, const struct dbk_record *record);

#endif
