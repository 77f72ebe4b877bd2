/* json_number.h - numbers as JSON spells them, and their exact value. Private to
 * src/http.
 */
#ifndef DBK_HTTP_JSON_NUMBER_H
#define DBK_HTTP_JSON_NUMBER_H

#include "store/slice.h"

/* How many bytes the number takes that begins at `at`, which must be before end. Where
 * there is none that we read (http/body.h has the bounds), *message says why, and it is
 * untouched otherwise. */
size_t json_number_scan(const char *at, const char *end, const char **message);

/* Whether a number, scanned before, is past what a double holds: past 1.79e308. */
bool json_number_is_huge(struct dbk_slice number);

/* Write a number, scanned before, so that those of the same value are the same text: 1,
 * 1.0 and 10e-1 are. Of all its digits, as PostgreSQL's jsonb keeps them. Returns how
 * many bytes. */
#define JSON_NUMBER_NORMAL 128
size_t json_number_normal(struct dbk_slice number, char normal[JSON_NUMBER_NORMAL]);

#endif
