/* json_loose.h - where the items of an array begin and end, whatever is wrong inside them.
 * Private to src/http.
 *
 * Follows strings, brackets and the commas between items, and judges nothing else: half a
 * surrogate pair, a byte that is not UTF-8, a number that nobody can keep, NaN, any depth
 * are of the item that has them, which is then read strictly by itself (json_check.h).
 * Where that cannot be followed (the text ends too early, a bracket is closed by another,
 * items without a comma between, a string where none can stand, so that a quote is missing
 * somewhere) it is no array of items. All that is JSON can be followed.
 *
 * One pass, no recursion, no memory. Nothing is read past the text.
 */
#ifndef DBK_HTTP_JSON_LOOSE_H
#define DBK_HTTP_JSON_LOOSE_H

#include "store/slice.h"

struct json_loose {
    const char *at, *end; /* what is left; at is where it is wrong, if it is */
    const char *wrong; /* what, as a sentence for json_fail_at; NULL: nothing so far */
    struct dbk_slice key; /* of the member that was next, as json_walk.h has it */
    char closing;         /* private: ']' or '}' */
    bool any;             /* private: one item was read */
};

/* Start before the first item of an array, or the first member of an object, whose bracket
 * is at text.data[0]. */
void json_loose_start(struct json_loose *loose, struct dbk_slice text);

/* The next item, or the value of the next member, without the white space around it.
 * False behind the last, where at is behind the closing bracket; or where it cannot be
 * followed: wrong is set. */
bool json_loose_next(struct json_loose *loose, struct dbk_slice *item);

/* Move at over white space; whether the text ends there. */
bool json_loose_ends(struct json_loose *loose);

#endif
