/* json_string.h - what a JSON string says. Private to src/http. */
#ifndef DBK_HTTP_JSON_STRING_H
#define DBK_HTTP_JSON_STRING_H

#include "store/slice.h"

#include <stdint.h>

#define JSON_ESCAPES "\"\\/bfnrt" /* behind a backslash; and u */

/* The characters of a string, given as its text with the quotes, which has been checked
 * (json_check.h). Where it has no escapes they are in that text; else they are put into
 * room, which must have as many bytes as the text and lie elsewhere. */
struct dbk_slice json_string_read(struct dbk_slice text, char *room);

/* Write the string, with its quotes, to out without the escapes that it can do without, as
 * PostgreSQL shows it; how many bytes it takes. out has room for as many as the text, and
 * may be where that is; NULL: count only. */
size_t json_string_shorten(struct dbk_slice text, char *out);

/* The four digits of a \u escape that begins at `at`; -1 where that is not there. */
int32_t json_escape_unit(const char *at, const char *end);

static inline bool json_is_high_surrogate(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static inline bool json_is_low_surrogate(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

#endif
