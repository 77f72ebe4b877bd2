#include "json_keys.h"

#include "json_string.h"

#include <assert.h>
#include <stdlib.h>

#define FEW 16 /* keys, among which each is compared with each */

void json_keys_init(struct json_keys *keys)
{
    keys->repeated = NULL;
    keys->no_memory = false;
    keys->first = keys->count = 0;
    keys->size = JSON_KEYS_INSIDE;
    keys->list = keys->inside;
    keys->memory = keys->room = NULL;
}

void json_keys_finish(struct json_keys *keys)
{
    if (keys->list != keys->inside)
        free(keys->list);
    free(keys->memory);
}

size_t json_keys_open(struct json_keys *keys)
{
    size_t outer = keys->first;

    keys->first = keys->count;
    return outer;
}

/* The names of two keys are the same; the first repetition in the text is told. */
static void note_repeated(struct json_keys *keys, const struct json_key *a,
                          const struct json_key *b)
{
    const char *second = a->at > b->at ? a->at : b->at;

    if (!keys->repeated || second < keys->repeated)
        keys->repeated = second;
}

static void compare_each(struct json_keys *keys)
{
    for (size_t i = keys->first + 1; i < keys->count; i++) {
        for (size_t j = keys->first; j < i; j++) {
            if (dbk_slice_equal(keys->list[i].name, keys->list[j].name))
                note_repeated(keys, &keys->list[i], &keys->list[j]);
        }
    }
}

/* By name, the same ones as they stand in the text. */
static int compare_keys(const void *left, const void *right)
{
    const struct json_key *a = left, *b = right;
    int order = json_names_order(a->name, b->name);

    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static void compare_sorted(struct json_keys *keys)
{
    qsort(keys->list + keys->first, keys->count - keys->first, sizeof *keys->list,
          compare_keys);
    for (size_t i = keys->first + 1; i < keys->count; i++) {
        if (dbk_slice_equal(keys->list[i].name, keys->list[i - 1].name))
            note_repeated(keys, &keys->list[i], &keys->list[i - 1]);
    }
}

void json_keys_close(struct json_keys *keys, size_t outer)
{
    assert(outer <= keys->first && keys->first <= keys->count);
    if (keys->count - keys->first <= FEW)
        compare_each(keys);
    else
        compare_sorted(keys);
    keys->count = keys->first;
    keys->first = outer;
}

static bool grow(struct json_keys *keys)
{
    size_t size = keys->size * 2;
    bool moved = keys->list != keys->inside;
    struct json_key *list = reallocarray(moved ? keys->list : NULL, size, sizeof *list);

    if (!list)
        return false;
    if (!moved)
        memcpy(list, keys->inside, sizeof keys->inside);
    keys->list = list;
    keys->size = size;
    return true;
}

/* Room for the names without escapes of this key and of all behind it. */
static bool make_room(struct json_keys *keys, struct dbk_slice key, const char *end)
{
    if (!keys->memory && memchr(key.data, '\\', key.length))
        keys->memory = keys->room = malloc((size_t)(end - key.data));
    else
        return true;
    return keys->memory != NULL;
}

void json_keys_add(struct json_keys *keys, struct dbk_slice key, const char *end)
{
    struct json_key *added;

    assert(keys->count <= keys->size);
    if (keys->no_memory || (keys->count == keys->size && !grow(keys)) ||
        !make_room(keys, key, end)) {
        keys->no_memory = true;
        return;
    }
    added = &keys->list[keys->count++];
    added->at = key.data;
    added->name = json_string_read(key, keys->room);
    if (added->name.data == keys->room)
        keys->room += added->name.length;
}
