/* json_parse.h - JSON text, read strictly by jansson, or without a tree where that would
 * tell nothing more. Private to src/http. */
#ifndef DBK_HTTP_JSON_PARSE_H
#define DBK_HTTP_JSON_PARSE_H

#include "store/error.h"

#include "store/slice.h"

#include <jansson.h>
#include <stdbool.h>

/* Check the text (json_check.h) and build its tree, any value at the top. *value is
 * owned by the caller: json_decref. Members of an object stand in the order of the
 * text.
 *
 * DBK_INVALID    not JSON, or with a key twice in an object; err says what and where
 * DBK_NO_MEMORY
 */
enum dbk_code dbk_json_parse(const char *text, size_t length, json_t **value,
                             struct dbk_error *err);

/* The same without giving the tree, which is built only where the check cannot settle
 * it. *value receives the text without the white space around it. */
enum dbk_code dbk_json_accept(const char *text, size_t length, struct dbk_slice *value,
                              struct dbk_error *err);

/* The characters of a string whose JSON text, of a text that was accepted, is given:
 * where it has no escapes they are in that text; else they are put into room, which must
 * have as many bytes as the text. False: no memory. */
bool dbk_json_string(struct dbk_slice text, char *room, struct dbk_slice *out);

#endif
