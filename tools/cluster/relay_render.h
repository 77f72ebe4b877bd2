/* relay_render.h - a record as a message for others: its text and its key. */
#ifndef DBK_TOOLS_RELAY_RENDER_H
#define DBK_TOOLS_RELAY_RENDER_H

#include "store/log.h"

#include <stdbool.h>

struct relay_render {
    bool cloud;    /* as a CloudEvent; else as GET /log shows it */
    bool unsealed; /* what is sealed is opened; else it stays as it lies in the log */
    struct dbk_uuid store_id;
    /* Of which they are, and of whom it restricts nothing is said; NULL: of everybody. */
    struct dbk_log *withholds;
    char key[DBK_UUID_TEXT + 1]; /* private from here on */
    char *room;
    struct dbk_restricted restricted;
};
void relay_render_finish(struct relay_render *render); /* zeroed is fine */

/* As dbk_relay_options.render; context is the struct relay_render. The key is the person's id,
 * or, where a record is nobody's, its anonymous id, borrowed from the record, or the number of
 * the key that seals that, or its own id.
 *
 * What would be said in the clear of who is restricted is not: "restricted":true.
 * Of what stays sealed JSON has the bytes, in base64, and a CloudEvent that it is. Opened, a
 * record whose key was destroyed has "erased":true. DBK_UNSUPPORTED: it cannot be opened, for the
 * log is open without its ring. */
enum dbk_code relay_render(void *context, const struct dbk_record *record, char **text,
                           size_t *length, struct dbk_slice *key,
                           struct dbk_error *err);

#endif
