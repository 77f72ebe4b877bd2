/* model_json.h - events and persons as the API shows them, in JSON: keys in the order of
 * the seed's answers.
 *
 * For rows of the read tables and for what was just appended alike. The function
 * newest_events of the migrations makes the very same text, of the events of persons that
 * are listed. A failure sticks to the render, see store/render.h.
 */
#ifndef DBK_PROJECTIONS_MODEL_JSON_H
#define DBK_PROJECTIONS_MODEL_JSON_H

#include "store/render.h"

/* The members of persons and events, for a set of those to show. */
enum dbk_show {
    DBK_SHOW_ID = 1,
    DBK_SHOW_DATETIME_CREATED = 2,
    DBK_SHOW_PROPERTIES = 4, /* of both */
    DBK_SHOW_EVENT_TYPE = 8,
    DBK_SHOW_PERSON_ID = 16,
    DBK_SHOW_ANONYMOUS_ID = 32,
    DBK_SHOW_RECEIVED = 64, /* of events */
    DBK_SHOW_DATETIME_MODIFIED = 128,
    DBK_SHOW_EMAIL = 256,
    DBK_SHOW_EVENTS = 512,
    DBK_SHOW_FIRST_NAME = 1024,
    DBK_SHOW_LAST_NAME = 2048,
    DBK_SHOW_ROLE = 4096,
    DBK_SHOW_EXTERNAL_ID = 8192, /* of persons */
};

/* What is shown where nobody asks for more or for less: all but the time of receipt. */
#define DBK_SHOW_USUAL (16383 & ~(unsigned)DBK_SHOW_RECEIVED)

/* All borrowed. */
struct dbk_event_view {
    unsigned shown; /* of enum dbk_show; 0: the usual */
    struct dbk_uuid id;
    struct dbk_uuid person_id; /* nil: nobody's, null */
    dbk_timestamp datetime_created;
    dbk_timestamp received; /* when it was recorded; needed where it is shown */
    struct dbk_slice event_type;
    struct dbk_slice anonymous_id; /* length 0: none */
    struct dbk_slice properties;   /* JSON text; length 0: none */
};

struct dbk_person_view {
    unsigned shown;
    struct dbk_uuid id;
    dbk_timestamp datetime_created, datetime_modified;
    struct dbk_slice email, first_name, last_name; /* length 0: null */
    struct dbk_slice role;
    struct dbk_slice external_id; /* length 0: none */
    struct dbk_slice properties;  /* JSON text; length 0: none */
    uint64_t events_total;        /* where not all are shown; else 0 */
    uint64_t events_after; /* the sequence of the oldest that is shown; 0: none is */
};

void dbk_render_event(struct dbk_render *render, const struct dbk_event_view *event);

/* Between the two comes the value of "events", an array; not where they are not shown,
 * then the first returns false. */
bool dbk_render_person_begin(struct dbk_render *render,
                             const struct dbk_person_view *person);
void dbk_render_person_end(struct dbk_render *render,
                           const struct dbk_person_view *person);
/* Or its two parts: what stands behind the events, and how many there are, which ends it. */
void dbk_render_person_rest(struct dbk_render *render,
                            const struct dbk_person_view *person);
void dbk_render_person_close(struct dbk_render *render,
                             const struct dbk_person_view *person);

#endif
