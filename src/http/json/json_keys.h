/* json_keys.h - whether an object has a key twice. Private to json_check.c.
 *
 * Keys are compared without their escapes. Those of all open objects are kept on a
 * stack, and where an object ends its own are compared: a few each with each, more by
 * sorting, so that n keys cost no more than n log n comparisons, whatever they are.
 * Memory: 24 bytes a key of the open objects, the first 64 in the struct; from the
 * first key with escapes on also as many bytes as are left of the text.
 */
#ifndef DBK_HTTP_JSON_KEYS_H
#define DBK_HTTP_JSON_KEYS_H

#include "store/slice.h"

#define JSON_KEYS_INSIDE 64

struct json_key {
    const char *at; /* where it stands in the text, at its quote */
    struct dbk_slice name;
};

struct json_keys {
    const char *repeated; /* the first in the text that is its object's second of that
                             name; NULL: none */
    bool no_memory;       /* nothing is kept or found any more */

    size_t first, count,
        size;              /* private; the innermost object has those from first on */
    struct json_key *list; /* private */
    char *memory, *room;   /* private; for names that had escapes */
    struct json_key inside[JSON_KEYS_INSIDE]; /* private; list, until it is too short */
};

void json_keys_init(struct json_keys *keys);
void json_keys_finish(struct json_keys *keys);

/* An object begins; give what is returned to json_keys_close at its end. */
size_t json_keys_open(struct json_keys *keys);
void json_keys_close(struct json_keys *keys, size_t outer);

/* A key of the innermost object, checked, with its quotes. end is the text's; it must
 * stay until the finish. */
void json_keys_add(struct json_keys *keys, struct dbk_slice key, const char *end);

/* An order of names: the shorter first, then by bytes. */
static inline int json_names_order(struct dbk_slice a, struct dbk_slice b)
{
    if (a.length != b.length)
        return a.length < b.length ? -1 : 1;
    return a.length == 0 ? 0 : memcmp(a.data, b.data, a.length);
}

#endif
