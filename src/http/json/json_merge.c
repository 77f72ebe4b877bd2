#include "json_merge.h"

#include "json_bounds.h"
#include "json_check.h"
#include "json_keys.h"
#include "json_stored.h"
#include "json_string.h"
#include "json_walk.h"

#include <assert.h>
#include <stdlib.h>

/* A member of a patch. */
struct change {
    struct dbk_slice key; /* its characters */
    struct dbk_slice text, value;
    bool met; /* the object that is patched has it */
};

/* The members of one object of the patch: as they stand, and by their keys. */
struct changes {
    size_t count;
    struct change *list, **sorted;
};

struct merge {
    char *out;
    size_t size, length;
    char *room; /* for the characters of keys that have escapes */
    bool nulls; /* null is a value like others */
    bool changed;
    enum dbk_code code; /* a failure sticks */
};

static bool merge_object(struct merge *merge, struct dbk_slice current,
                         struct dbk_slice patch, unsigned depth);

static bool fail(struct merge *merge, enum dbk_code code)
{
    merge->code = code;
    return false;
}

static bool put(struct merge *merge, const char *bytes, size_t length)
{
    if (length > merge->size - merge->length)
        return fail(merge, DBK_TOO_LARGE);
    memcpy(merge->out + merge->length, bytes, length);
    merge->length += length;
    return true;
}

static bool put_value(struct merge *merge, struct dbk_slice value)
{
    if (json_measure(value).compact > merge->size - merge->length)
        return fail(merge, DBK_TOO_LARGE);
    merge->length += json_compact(value, merge->out + merge->length);
    assert(merge->length <= merge->size);
    return true;
}

/* Its comma, its key and the colon; first: nothing stands before it in its object. */
static bool put_key(struct merge *merge, struct dbk_slice text, bool first)
{
    return (first || put(merge, ",", 1)) && put_value(merge, text) &&
           put(merge, ":", 1);
}

/* The room is as long as both texts, and each key is read once for each object that it may
 * be in, so what is left of it is enough. */
static struct dbk_slice read_key(struct merge *merge, struct dbk_slice text)
{
    struct dbk_slice key = json_string_read(text, merge->room);

    if (key.data == merge->room)
        merge->room += key.length;
    return key;
}

static int compare_changes(const void *left, const void *right)
{
    const struct change *const *a = left, *const *b = right;

    return json_names_order((*a)->key, (*b)->key);
}

static bool read_changes(struct merge *merge, struct dbk_slice patch,
                         struct changes *out)
{
    size_t count = json_count(patch);
    struct json_walk walk;
    struct dbk_slice value;

    *out = (struct changes){0};
    if (count == 0)
        return true;
    out->list = calloc(count, sizeof *out->list);
    out->sorted = calloc(count, sizeof *out->sorted);
    if (!out->list || !out->sorted)
        return fail(merge, DBK_NO_MEMORY);
    json_walk_start(&walk, patch);
    for (; out->count < count && json_walk_next(&walk, &value); out->count++) {
        out->list[out->count] = (struct change){
            .key = read_key(merge, walk.key), .text = walk.key, .value = value};
        out->sorted[out->count] = &out->list[out->count];
    }
    qsort(out->sorted, out->count, sizeof *out->sorted, compare_changes);
    return true;
}

static void changes_finish(struct changes *changes)
{
    free(changes->list);
    free(changes->sorted);
}

static struct change *find_change(const struct changes *changes, struct dbk_slice key)
{
    const struct change wanted = {.key = key}, *at = &wanted;
    struct change *const *found = NULL;

    if (changes->count > 0)
        found = bsearch(&at, changes->sorted, changes->count, sizeof *changes->sorted,
                        compare_changes);
    return found ? *found : NULL;
}

static bool takes_away(const struct merge *merge, struct dbk_slice value)
{
    return value.data[0] == 'n' && !merge->nulls;
}

static bool is_object(struct dbk_slice value)
{
    return value.data[0] == '{';
}

/* What a patch makes of what is not an object, or not there. */
static bool put_new(struct merge *merge, struct dbk_slice value, unsigned depth)
{
    merge->changed = true;
    if (is_object(value) && !merge->nulls)
        return merge_object(merge, dbk_slice("{}"), value, depth + 1);
    return put_value(merge, value);
}

static bool put_changed(struct merge *merge, struct dbk_slice old,
                        struct dbk_slice value, unsigned depth)
{
    if (is_object(old) && is_object(value))
        return merge_object(merge, old, value, depth + 1);
    if (!merge->changed && json_same(old, value))
        return put_value(merge, old);
    return put_new(merge, value, depth);
}

/* The members there are, as the patch leaves them. */
static bool put_current(struct merge *merge, struct dbk_slice current,
                        const struct changes *changes, bool *first, unsigned depth)
{
    struct json_walk walk;
    struct dbk_slice value;
    bool good = true;

    json_walk_start(&walk, current);
    while (good && json_walk_next(&walk, &value)) {
        struct change *change = find_change(changes, read_key(merge, walk.key));
        if (change)
            change->met = true;
        if (change && takes_away(merge, change->value)) {
            merge->changed = true;
            continue;
        }
        good = put_key(merge, walk.key, *first);
        *first = false;
        if (good)
            good = change ? put_changed(merge, value, change->value, depth)
                          : put_value(merge, value);
    }
    return good;
}

static bool put_added(struct merge *merge, const struct changes *changes, bool first,
                      unsigned depth)
{
    bool good = true;

    for (size_t i = 0; good && i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        if (change->met || takes_away(merge, change->value))
            continue;
        good =
            put_key(merge, change->text, first) && put_new(merge, change->value, depth);
        first = false;
    }
    return good;
}

static bool merge_object(struct merge *merge, struct dbk_slice current,
                         struct dbk_slice patch, unsigned depth)
{
    struct changes changes;
    bool first = true, good;

    if (depth > JSON_DEPTH_MAX) /* whoever checked the patch refused it */
        return fail(merge, DBK_INVALID);
    good = read_changes(merge, patch, &changes) && put(merge, "{", 1) &&
           put_current(merge, current, &changes, &first, depth) &&
           put_added(merge, &changes, first, depth) && put(merge, "}", 1);
    changes_finish(&changes);
    return good;
}

static enum dbk_code refuse(const struct merge *merge, struct dbk_error *err)
{
    if (merge->code == DBK_NO_MEMORY)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to merge properties");
    if (merge->code == DBK_TOO_LARGE)
        return dbk_fail(err, DBK_INVALID,
                        "properties: merged they must have at most %zu bytes",
                        merge->size);
    return dbk_fail(err, DBK_INVALID, "properties: nested too deep to be merged");
}

/* What was written to out is what there will be. */
static enum dbk_code finish(struct merge *merge, struct dbk_slice current,
                            size_t *length, struct dbk_error *err)
{
    struct dbk_slice whole = {merge->out, merge->length};
    char why[PROPERTIES_WHY_MAX];

    if (!merge->changed && current.length <= merge->size) {
        if (current.length > 0)
            memcpy(merge->out, current.data, current.length);
        *length = current.length;
        return DBK_OK;
    }
    if (!properties_fit(whole, why))
        return dbk_fail(err, DBK_INVALID, "properties: merged they %s", why);
    *length = whole.length > strlen("{}") ? whole.length : 0;
    return DBK_OK;
}

enum dbk_code json_merge(struct dbk_slice current, struct dbk_slice patch, char *out,
                         size_t size, size_t *length, struct dbk_error *err)
{
    struct dbk_slice from = current.length > 0 ? current : dbk_slice("{}");
    char *room = malloc(from.length + patch.length);
    struct merge merge = {.out = out, .size = size, .room = room};
    bool good;

    *length = 0;
    good = room ? merge_object(&merge, from, patch, 1) : fail(&merge, DBK_NO_MEMORY);
    free(room);
    return good ? finish(&merge, current, length, err) : refuse(&merge, err);
}

enum dbk_code json_merge_under(struct dbk_slice under, struct dbk_slice object,
                               char *out, size_t size, size_t *length)
{
    const struct dbk_slice none = dbk_slice("{}");
    struct dbk_slice over = object.length > 0 ? object : none;
    char *room = malloc(under.length + over.length);
    struct merge merge = {
        .out = out, .size = size, .room = room, .nulls = true, .changed = true};
    bool good =
        room ? merge_object(&merge, under, over, 1) : fail(&merge, DBK_NO_MEMORY);

    free(room);
    *length = merge.length;
    return good ? DBK_OK : merge.code;
}
