/* body_event.h - the fields of an event in a body. Private to the body_*.c files. */
#ifndef DBK_HTTP_BODY_EVENT_H
#define DBK_HTTP_BODY_EVENT_H

#include "body_object.h"

/* Tables for body_object: as POST /events takes them, and with an id required, as
 * in the events of a PUT. */
extern const struct body_field body_event_fields[];
extern const struct body_field body_event_fields_with_id[];

#endif
