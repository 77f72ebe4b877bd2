/* json_walk.h - the byte ranges of the values in an object or array. Private to
 * src/http.
 *
 * For text that json_check has passed: it looks for the ends of things only.
 * Allocates nothing, and reads nothing past the text even if it has not been checked.
 */
#ifndef DBK_HTTP_JSON_WALK_H
#define DBK_HTTP_JSON_WALK_H

#include "store/slice.h"

/* Whether it is white space between the parts of JSON. */
static inline bool json_is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r' ||
           character == '\n';
}

/* Behind the white space that begins at `at`, where there is some. */
static inline const char *json_skip_space(const char *at, const char *end)
{
    while (at < end && json_is_space(*at))
        at++;
    return at;
}

struct json_walk {
    struct dbk_slice key; /* of the member that was next: its string, with the quotes */
    const char *at, *end; /* private */
    bool keyed;           /* private */
};

/* Start before the first value of container, the text of an object or array; white
 * space before it is fine. */
void json_walk_start(struct json_walk *walk, struct dbk_slice container);

/* The next element, or the value of the next member, without the white space around it;
 * false behind the last. In the order of the text. */
bool json_walk_next(struct json_walk *walk, struct dbk_slice *value);

/* How many elements or members a container has. */
size_t json_count(struct dbk_slice container);

/* How many bytes the value takes that begins at `at`, which must be before end. */
size_t json_span(const char *at, const char *end);

/* "a string", "an object", ...: what a value is, for a sentence. Static. */
const char *json_kind(struct dbk_slice value);

struct json_extent {
    unsigned
        depth; /* how deep it nests: 0 for a scalar, 1 for {} and [1], 2 for [[]] */
    size_t compact; /* bytes it takes without white space between its parts, and escapes
                       that it can do without */
    size_t written; /* the same with its numbers written out, 1e3 as 1000 and 1e-3
                       as 0.001: PostgreSQL's jsonb writes them so, and answers are made
                       of that */
};
struct json_extent json_measure(struct dbk_slice value);

/* Write the value to out without white space between its parts and without escapes that it
 * can do without (json_string.h). out has room for value.length bytes, and may be where the
 * value is; how many bytes it takes. Of what has been checked, as json_measure. */
size_t json_compact(struct dbk_slice value, char *out);

#endif
