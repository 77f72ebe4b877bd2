/* json_scalar.h - whether there is anything in JSON but objects and arrays. */
#ifndef DBK_HTTP_JSON_SCALAR_H
#define DBK_HTTP_JSON_SCALAR_H

#include "store/slice.h"

#include <stdbool.h>

/* Whether a text, number, true, false or null is a value in it, however deep. json was
 * checked (json_check.h). */
bool json_has_scalar(struct dbk_slice json);

#endif
