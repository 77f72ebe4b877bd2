/* json_bounds.h - how large and how deep properties may be. Private to src/http. */
#ifndef DBK_HTTP_JSON_BOUNDS_H
#define DBK_HTTP_JSON_BOUNDS_H

#include "store/slice.h"

/* So that they fit also where an event stands deeper: in a batch, in the events of a PUT. */
#define PROPERTIES_DEPTH_MAX 28

#define PROPERTIES_WHY_MAX 128

/* Whether an object, checked before, fits a record. Its bounds are about what it says:
 * PostgreSQL shows it with white space of its own, many clients write all but ASCII as
 * escapes, and what is shown must be taken again. False: why says what is expected. */
bool properties_fit(struct dbk_slice object, char why[PROPERTIES_WHY_MAX]);

#endif
