/* json_keys.h - whether the keys of each object of a text differ, as far as that can be
 * told from their bytes and without memory. Private to json_check.c.
 *
 * The keys of all open objects are kept on a stack. It is not settled that they differ
 * where two are the same, where one has escapes (it may be spelt in several ways), and
 * where they are too many; then nothing more is kept.
 */
#ifndef DBK_HTTP_JSON_KEYS_H
#define DBK_HTTP_JSON_KEYS_H

#include "store/slice.h"

#define JSON_KEYS_MAX 64 /* also bounds what comparing costs */

struct json_keys {
    size_t first, count; /* the innermost object has those from first on */
    bool settled;        /* so far */
    struct dbk_slice list[JSON_KEYS_MAX];
};

/* Where the keys of the object around begin, and how many there are. */
struct json_keys_mark {
    size_t first, count;
};

static inline void json_keys_init(struct json_keys *keys)
{
    keys->first = keys->count = 0;
    keys->settled = true;
}

/* An object begins; give what is returned back at its end. */
static inline struct json_keys_mark json_keys_open(struct json_keys *keys)
{
    struct json_keys_mark outer = {keys->first, keys->count};

    keys->first = keys->count;
    return outer;
}

static inline void json_keys_close(struct json_keys *keys, struct json_keys_mark outer)
{
    keys->first = outer.first;
    keys->count = outer.count;
}

/* A key of the innermost object, with its quotes. */
static inline void json_keys_note(struct json_keys *keys, struct dbk_slice key,
                                  bool escaped)
{
    keys->settled = keys->settled && !escaped && keys->count < JSON_KEYS_MAX;
    for (size_t i = keys->first; keys->settled && i < keys->count; i++)
        keys->settled = !dbk_slice_equal(keys->list[i], key);
    if (keys->settled)
        keys->list[keys->count++] = key;
}

#endif
