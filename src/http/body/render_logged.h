/* render_logged.h - what the log has, as the API shows it. */
#ifndef DBK_HTTP_RENDER_LOGGED_H
#define DBK_HTTP_RENDER_LOGGED_H

#include "store/command.h"
#include "store/record.h"
#include "store/render.h"

/* An event.recorded, just appended. It was created when the client said, or else at
 * recorded_at. shown: of enum dbk_show (model_json.h), 0: the usual. */
void render_logged_event(struct dbk_render *render, const struct dbk_record *event,
                         dbk_timestamp recorded_at, unsigned shown);

/* The same, read back: with its properties as the read tables have them (json_stored.h).
 * False: no memory. */
bool render_stored_event(struct dbk_render *render, const struct dbk_record *event,
                         unsigned shown);

/* properties: their JSON, length 0 where there are none. events is the finished text of
 * "events", brackets included. */
void render_logged_person(struct dbk_render *render,
                          const struct dbk_person_state *person,
                          struct dbk_slice properties, struct dbk_slice events);

#endif
