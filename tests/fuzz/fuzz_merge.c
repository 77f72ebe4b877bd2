/* fuzz_merge.c - whatever two objects are: merged they say what jansson's trees of them
 * merged say, a second time changes nothing, and what is made can be read and stored.
 *
 * The input is the object, a line feed, and the patch.
 */
#include "fuzz.h"
#include "json_bounds.h"
#include "json_check.h"
#include "json_merge.h"
#include "json_stored.h"
#include "store/record.h"

#include <jansson.h>

/* NULL: a number that jansson has no room for. Numbers are compared as doubles. */
static json_t *load(struct dbk_slice text)
{
    return json_loadb(text.data, text.length,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
}

/* MergePatch of RFC 7396, section 2, in its own words; takes target. */
static json_t *merged(json_t *target, const json_t *patch)
{
    const char *name;
    json_t *value;

    if (!json_is_object(patch)) {
        json_decref(target);
        return json_deep_copy(patch);
    }
    if (!json_is_object(target)) {
        json_decref(target);
        target = json_object();
    }
    json_object_foreach((json_t *)patch, name, value)
    {
        if (json_is_null(value))
            json_object_del(target, name);
        else
            json_object_set_new(
                target, name,
                merged(json_incref(json_object_get(target, name)), value));
    }
    return target;
}

static void require_merged(struct dbk_slice current, struct dbk_slice patch,
                           struct dbk_slice whole)
{
    json_t *change = load(patch), *wanted = load(current);
    json_t *got = whole.length > 0 ? load(whole) : json_object();

    if (change && wanted) {
        require(got != NULL);
        wanted = merged(wanted, change);
        require(json_equal(wanted, got));
    }
    json_decref(change);
    json_decref(wanted);
    json_decref(got);
}

static void try_merge(struct dbk_slice current, struct dbk_slice patch)
{
    static char out[DBK_PROPERTIES_MAX], again[DBK_PROPERTIES_MAX];
    char why[PROPERTIES_WHY_MAX];
    struct dbk_error err = {0};
    struct dbk_slice whole = {out, 0}, value;
    size_t length;

    if (json_merge(current, patch, out, sizeof out, &whole.length, &err) != DBK_OK) {
        require(err.code == DBK_INVALID);
        require_reason(&err);
        return;
    }
    require_merged(current, patch, whole);
    require(whole.length == 0 ||
            (json_accept(out, whole.length, &value, &err) == DBK_OK &&
             properties_fit(value, why)));
    require(json_merge(whole, patch, again, sizeof again, &length, &err) == DBK_OK);
    require(dbk_slice_equal(whole, (struct dbk_slice){again, length}));
    for (size_t size = 0; size < whole.length; size += 1 + whole.length / 7) {
        char *less = malloc(size + 1); /* of its very size */
        require(less != NULL);
        require(json_merge(current, patch, less, size, &length, &err) != DBK_OK ||
                length <= size);
        free(less);
    }
}

static bool take(const char *text, size_t size, struct dbk_slice *out)
{
    char why[PROPERTIES_WHY_MAX];

    return json_accept(text, size, out, NULL) == DBK_OK && out->data[0] == '{' &&
           properties_fit(*out, why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size), *feed = memchr(text, '\n', size);
    struct dbk_slice current, patch;

    if (feed && take(text, (size_t)(feed - text), &current) &&
        take(feed + 1, size - (size_t)(feed - text) - 1, &patch)) {
        try_merge(current, patch);
        try_merge(patch, current);
    }
    free(text);
    return 0;
}
