/* body_values.h - the readers of the single fields (see body_object.h). Each checks one
 * field and puts it into the draft's record. Private to the body_*.c files. */
#ifndef DBK_HTTP_BODY_VALUES_H
#define DBK_HTTP_BODY_VALUES_H

#include "body_object.h"

typedef void body_reader(struct body_draft *draft, struct dbk_slice value);

/* For readers: the characters of a string, in the body or where the next string goes. False:
 * it is none, and was complained of. */
bool body_string(struct body_draft *draft, struct dbk_slice value,
                 struct dbk_slice *out);

body_reader body_id; /* the record's subject */
body_reader body_email;
body_reader body_first_name;
body_reader body_last_name;
body_reader body_role;
body_reader body_external_id;
body_reader body_anonymous_id;         /* of the record, also of a person's */
body_reader body_anonymous_id_or_null; /* null is as if it were not there */
body_reader body_person_properties;
body_reader body_person_id;
body_reader body_event_type;
body_reader body_properties;
body_reader body_datetime_created;
body_reader body_ignored_time; /* must be a time, and is dropped */
body_reader body_ignored;      /* may be anything, and is dropped */

#endif
