/* row_json.h - rows of the read tables in the API's shape, as JSON.
 *
 * Made here, from columns in binary form, at a fraction of what it costs PostgreSQL. The
 * functions event_json and person_json of the migrations make the very same bytes, for
 * lists of persons.
 */
#ifndef DBK_PROJECTIONS_ROW_JSON_H
#define DBK_PROJECTIONS_ROW_JSON_H

#include "rows.h"

/* All borrowed. */
struct row_event {
    struct dbk_uuid id, person_id;
    dbk_timestamp datetime_created;
    struct dbk_slice event_type;
    struct dbk_slice properties; /* JSON text; length 0: none */
};

struct row_person {
    struct dbk_uuid id;
    dbk_timestamp datetime_created, datetime_modified;
    struct dbk_slice email, first_name, last_name, role;
};

void row_json_event(struct dbk_rows *rows, const struct row_event *event);

/* Between the two come the person's events, with commas between them. */
void row_json_person_begin(struct dbk_rows *rows, const struct row_person *person);
void row_json_person_end(struct dbk_rows *rows, const struct row_person *person);

#endif
