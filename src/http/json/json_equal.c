#include "json_equal.h"

#include "json_number.h"
#include "json_parse.h"
#include "json_walk.h"

#include <stdlib.h>

/* A value and its bytes: the tree knows strings without their escapes, the bytes know
 * numbers without rounding. */
struct node {
    const char *key; /* as a member of an object */
    const json_t *value;
    struct dbk_slice text;
};

static bool nodes_equal(const struct node *a, const struct node *b);

static int compare_keys(const void *left, const void *right)
{
    const struct node *a = left, *b = right;

    return strcmp(a->key, b->key);
}

/* The members of an object, sorted by key, or NULL. Free it. */
static struct node *sorted_members(const struct node *object)
{
    size_t count = json_object_size(object->value), i = 0;
    struct node *members = calloc(count, sizeof *members);
    struct dbk_json_walk walk;
    const char *key;
    json_t *value;

    if (!members)
        return NULL;
    dbk_json_walk_start(&walk, object->text);
    json_object_foreach((json_t *)object->value, key, value)
    {
        members[i].key = key;
        members[i].value = value;
        dbk_json_walk_next(&walk, &members[i].text);
        i++;
    }
    qsort(members, count, sizeof *members, compare_keys);
    return members;
}

static bool objects_equal(const struct node *a, const struct node *b)
{
    size_t count = json_object_size(a->value);
    struct node *left, *right;
    bool equal;

    if (count != json_object_size(b->value))
        return false;
    if (count == 0)
        return true;
    left = sorted_members(a);
    right = sorted_members(b);
    equal = left && right;
    for (size_t i = 0; equal && i < count; i++)
        equal = !strcmp(left[i].key, right[i].key) && nodes_equal(&left[i], &right[i]);
    free(left);
    free(right);
    return equal;
}

static bool arrays_equal(const struct node *a, const struct node *b)
{
    struct dbk_json_walk walk_a, walk_b;
    size_t count = json_array_size(a->value);

    if (count != json_array_size(b->value))
        return false;
    dbk_json_walk_start(&walk_a, a->text);
    dbk_json_walk_start(&walk_b, b->text);
    for (size_t i = 0; i < count; i++) {
        struct node left = {.value = json_array_get(a->value, i)};
        struct node right = {.value = json_array_get(b->value, i)};
        if (!dbk_json_walk_next(&walk_a, &left.text) ||
            !dbk_json_walk_next(&walk_b, &right.text) || !nodes_equal(&left, &right))
            return false;
    }
    return true;
}

static bool strings_equal(const json_t *a, const json_t *b)
{
    struct dbk_slice left = {json_string_value(a), json_string_length(a)};
    struct dbk_slice right = {json_string_value(b), json_string_length(b)};

    return dbk_slice_equal(left, right);
}

static bool nodes_equal(const struct node *a, const struct node *b)
{
    if (json_is_number(a->value) && json_is_number(b->value))
        return dbk_json_number_equal(a->text, b->text);
    if (json_typeof(a->value) != json_typeof(b->value))
        return false;
    switch (json_typeof(a->value)) {
    case JSON_OBJECT:
        return objects_equal(a, b);
    case JSON_ARRAY:
        return arrays_equal(a, b);
    case JSON_STRING:
        return strings_equal(a->value, b->value);
    case JSON_INTEGER: /* compared above */
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        return true;
    }
    return false;
}

bool dbk_json_equal(struct dbk_slice a, struct dbk_slice b)
{
    struct node left = {.text = a}, right = {.text = b};
    json_t *tree_a = NULL, *tree_b = NULL;
    bool equal = false;

    if (dbk_slice_equal(a, b))
        return true;
    if (dbk_json_parse(a.data, a.length, &tree_a, NULL) == DBK_OK &&
        dbk_json_parse(b.data, b.length, &tree_b, NULL) == DBK_OK) {
        left.value = tree_a;
        right.value = tree_b;
        equal = nodes_equal(&left, &right);
    }
    json_decref(tree_a);
    json_decref(tree_b);
    return equal;
}
