/* json_number.h - numbers as JSON spells them, and their exact value. Private to
 * src/http.
 */
#ifndef DBK_HTTP_JSON_NUMBER_H
#define DBK_HTTP_JSON_NUMBER_H

#include "store/slice.h"

/* How many bytes the number takes that begins at `at`, which must be before end. Where
 * there is none that we read (http/body.h has the bounds), *message says why, and it is
 * untouched otherwise. */
size_t dbk_json_number_scan(const char *at, const char *end, const char **message);

/* Whether a number, scanned before, is past what a double holds: past 1.79e308. */
bool json_number_is_huge(struct dbk_slice number);

/* Whether two numbers, scanned before, have the same value: 1, 1.0 and 10e-1 have.
 * Compared as decimals, digit by digit, as PostgreSQL's jsonb keeps them. */
bool dbk_json_number_equal(struct dbk_slice a, struct dbk_slice b);

#endif
