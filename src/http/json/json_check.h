/* json_check.h - whether bytes are JSON that we are willing to read. Private to
 * src/http.
 *
 * One pass, no memory, before a tree is built: so that what a tree would cost is
 * bounded, and so that a client is told in plain words what is wrong, and where.
 * Source: RFC 8259. Duplicate keys pass (finding all takes memory): json_parse.h
 * refuses them.
 */
#ifndef DBK_HTTP_JSON_CHECK_H
#define DBK_HTTP_JSON_CHECK_H

#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>

#define DBK_JSON_DEPTH_MAX 32
#define DBK_JSON_NUMBER_MAX 100    /* characters */
#define DBK_JSON_EXPONENT_MAX 308  /* either way */
#define DBK_JSON_VALUES_MAX 100000 /* a tree takes some 100 bytes for each */

/* DBK_INVALID: err says what is wrong and where, as "line 3, column 7: not UTF-8". More
 * than values_max values are refused: DBK_JSON_VALUES_MAX, where a tree is to be built.
 */
enum dbk_code dbk_json_check(const char *text, size_t length, size_t values_max,
                             struct dbk_error *err);

/* The same, and whether it is settled that no object has a key twice and no number is
 * past 1e308, so that a tree would find nothing more. It is not where keys have escapes,
 * are many (64 in all open objects), or where a number has an exponent. */
enum dbk_code dbk_json_check_keys(const char *text, size_t length, bool *settled,
                                  struct dbk_error *err);

/* Fail with DBK_INVALID at an offset into the text: "line 3, column 7: " and message.
 * Columns count characters. */
enum dbk_code dbk_json_fail(const char *text, size_t length, size_t offset,
                            const char *message, struct dbk_error *err);

#endif
