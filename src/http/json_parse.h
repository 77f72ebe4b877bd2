/* json_parse.h - JSON text into jansson's tree, strictly. Private to src/http. */
#ifndef DBK_HTTP_JSON_PARSE_H
#define DBK_HTTP_JSON_PARSE_H

#include "store/error.h"

#include <jansson.h>

/* Check the text (json_check.h) and build its tree, any value at the top. *value is
 * owned by the caller: json_decref. Members of an object stand in the order of the
 * text.
 *
 * DBK_INVALID    not JSON, or with a key twice in an object; err says what and where
 * DBK_NO_MEMORY
 */
enum dbk_code dbk_json_parse(const char *text, size_t length, json_t **value,
                             struct dbk_error *err);

/* "a string", "an object", ...: what the value is, for a sentence. Static. */
const char *dbk_json_kind(const json_t *value);

#endif
