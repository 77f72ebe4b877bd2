/* event_type.h - what the type of an event may be. Private to src/http. */
#ifndef DBK_HTTP_EVENT_TYPE_H
#define DBK_HTTP_EVENT_TYPE_H

#include "store/slice.h"

/* The type of the event that is recorded with each new person. */
#define EVENT_TYPE_SIGNUP "signup"

/* Whether it is 1 to 64 of letters, digits and _ . : - (ASCII). */
bool event_type_valid(struct dbk_slice text);

/* Whether the configured types (an array that ends with NULL; NULL: any) have it.
 * "signup" is always among them: the server records it, so clients bring it back. */
bool event_type_allowed(struct dbk_slice text, const char *const *types);

#endif
