/* model_json.h - events and persons as the API shows them, in JSON: keys in the order of
 * the seed's answers.
 *
 * For rows of the read tables and for what was just appended alike. The functions
 * event_json and person_json of the migrations make the very same text, for lists of
 * persons. A failure sticks to the render, see store/render.h.
 */
#ifndef DBK_PROJECTIONS_MODEL_JSON_H
#define DBK_PROJECTIONS_MODEL_JSON_H

#include "store/render.h"

/* All borrowed. */
struct dbk_event_view {
    struct dbk_uuid id, person_id;
    dbk_timestamp datetime_created;
    struct dbk_slice event_type;
    struct dbk_slice properties; /* JSON text; length 0: none */
};

struct dbk_person_view {
    struct dbk_uuid id;
    dbk_timestamp datetime_created, datetime_modified;
    struct dbk_slice email, first_name, last_name, role;
};

void dbk_render_event(struct dbk_render *render, const struct dbk_event_view *event);

/* Between the two comes the value of "events", an array. */
void dbk_render_person_begin(struct dbk_render *render,
                             const struct dbk_person_view *person);
void dbk_render_person_end(struct dbk_render *render,
                           const struct dbk_person_view *person);

#endif
