/* body_time.h - instants as bodies bring them. Private to src/http. */
#ifndef DBK_HTTP_BODY_TIME_H
#define DBK_HTTP_BODY_TIME_H

#include "store/slice.h"
#include "store/timestamp.h"

#define BODY_TIME_IN_YEARS "must be in the years 0001 to 9999"
#define BODY_TIME_EXPECTED                                                             \
    "must be a time such as 2023-10-08T06:03:33.330037, on a day of the calendar, in " \
    "the years 0001 to 9999"

/* A JSON string as store/timestamp.h reads it, or a JSON number: milliseconds since 1970
 * UTC, such as JavaScript's Date.now(), with a fraction or without. What is finer than
 * microseconds is cut off, to the earlier time. value was checked (json_check.h); room is
 * for the string's characters, as many bytes as value has. False: it is no time, or not in
 * the years 0001 to 9999. */
bool body_time(struct dbk_slice value, char *room, dbk_timestamp *out);

#endif
