/* render_logged.h - what was just appended, as the API shows it. */
#ifndef DBK_HTTP_RENDER_LOGGED_H
#define DBK_HTTP_RENDER_LOGGED_H

#include "store/command.h"
#include "store/record.h"
#include "store/render.h"

/* An event.recorded. It was created when the client said, or else at recorded_at. */
void render_logged_event(struct dbk_render *render, const struct dbk_record *event,
                         dbk_timestamp recorded_at);

/* events is the finished text of "events", brackets included. */
void render_logged_person(struct dbk_render *render,
                          const struct dbk_person_state *person,
                          struct dbk_slice events);

#endif
