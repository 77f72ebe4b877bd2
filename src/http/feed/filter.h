/* filter.h - which records a stream shows. */
#ifndef DBK_HTTP_FILTER_H
#define DBK_HTTP_FILTER_H

#include "params.h"
#include "seen.h"

#define FILTER_EVENT_TYPES_MAX 20

/* All that is asked must fit. */
struct filter {
    unsigned types; /* a bit each, 1 << type; 0: any */
    bool has_person;
    struct dbk_uuid person; /* whom a record names, or whose an event is now */
    size_t event_types;     /* how many; 0: any */
    struct dbk_slice list[FILTER_EVENT_TYPES_MAX];
    char *text; /* what list points into; owned */
};

/* Read type=, person_id= and event_type=, whose values have commas between them where there
 * are several. A bad one adds to fields. Finish it either way. DBK_NO_MEMORY. */
enum dbk_code filter_read(const struct params *params, struct filter *out,
                          struct dbk_field_errors *fields, struct dbk_error *err);
void filter_finish(struct filter *filter); /* zeroed is fine */

bool filter_lets(const struct filter *filter, const struct seen *seen);

#endif
