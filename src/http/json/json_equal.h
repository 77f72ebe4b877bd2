/* json_equal.h - whether two JSON texts say the same. Private to src/http. */
#ifndef DBK_HTTP_JSON_EQUAL_H
#define DBK_HTTP_JSON_EQUAL_H

#include "store/slice.h"

/* As values: whatever the order of keys, the white space, the escapes in strings and
 * the spelling of numbers (1, 1.0 and 10e-1 are the same; numbers are compared as
 * decimals, never rounded). False also for what is not JSON, and where memory runs out.
 */
bool dbk_json_equal(struct dbk_slice a, struct dbk_slice b);

#endif
