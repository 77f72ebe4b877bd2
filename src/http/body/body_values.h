/* body_values.h - the readers of the single fields (see body_object.h). Each checks one
 * field and puts it into the draft's record. Private to the body_*.c files. */
#ifndef DBK_HTTP_BODY_VALUES_H
#define DBK_HTTP_BODY_VALUES_H

#include "body_object.h"

typedef void dbk_body_reader(struct dbk_body_draft *draft, struct dbk_slice value);

dbk_body_reader dbk_body_id; /* the record's subject */
dbk_body_reader dbk_body_email;
dbk_body_reader dbk_body_first_name;
dbk_body_reader dbk_body_last_name;
dbk_body_reader dbk_body_role;
dbk_body_reader dbk_body_person_id;
dbk_body_reader dbk_body_event_type;
dbk_body_reader dbk_body_properties;
dbk_body_reader dbk_body_datetime_created;
dbk_body_reader dbk_body_ignored_time; /* must be a time, and is dropped */

#endif
