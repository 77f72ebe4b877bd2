/* json_check.h - whether bytes are JSON that we are willing to read. Private to
 * src/http.
 *
 * One pass, no tree. It alone decides what is JSON; a client is told in plain words what
 * is wrong, and where. Source: RFC 8259.
 */
#ifndef DBK_HTTP_JSON_CHECK_H
#define DBK_HTTP_JSON_CHECK_H

#include "store/error.h"
#include "store/slice.h"

#define JSON_DEPTH_MAX 32
/* As many as a person may have that is shown. A key of an open object takes 24 bytes and
 * more. */
#define JSON_VALUES_MAX 400000

/* DBK_INVALID: err says what is wrong and where, as "line 3, column 7: not UTF-8". More
 * than values_max values are refused. Takes no memory, and so lets duplicate keys pass,
 * and numbers past what a double holds (json_number.h).
 */
enum dbk_code json_check(const char *text, size_t length, size_t values_max,
                         struct dbk_error *err);

/* The same with JSON_VALUES_MAX, and duplicate keys (compared without their escapes)
 * and numbers past a double are refused. *value receives the text without the white space
 * around it.
 *
 * DBK_INVALID    as above
 * DBK_NO_MEMORY  to compare the keys; never where objects have few keys without escapes
 */
enum dbk_code json_accept(const char *text, size_t length, struct dbk_slice *value,
                          struct dbk_error *err);

/* Fail with the place of `at` in text: "line 3, column 7: " and the message. Columns count
 * characters. Returns DBK_INVALID. */
enum dbk_code json_fail_at(const char *text, const char *at, const char *message,
                           struct dbk_error *err);

#endif
