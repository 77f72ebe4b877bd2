/* event_type.h - what the type of an event may be. Private to src/http. */
#ifndef DBK_HTTP_EVENT_TYPE_H
#define DBK_HTTP_EVENT_TYPE_H

#include "store/slice.h"

/* The type of the event that is recorded with each new person. */
#define EVENT_TYPE_SIGNUP "signup"

/* It is any label (label.h) of so many characters. */
#define EVENT_TYPE_CHARACTERS_MAX 200

/* Whether the configured types (an array that ends with NULL; NULL: any) have it.
 * "signup" is always among them: the server records it, so clients bring it back. */
bool event_type_allowed(struct dbk_slice text, const char *const *types);

#endif
