#include "json_equal.h"

#include "json_check.h"
#include "json_keys.h"
#include "json_number.h"
#include "json_string.h"
#include "json_walk.h"

#include <assert.h>
#include <stdlib.h>

struct member {
    struct dbk_slice name, value;
};

/* room is where the next string without its escapes goes. Each of both texts is read
 * once, so that as many bytes as they have are enough. */
static bool values_equal(char **room, struct dbk_slice a, struct dbk_slice b);

static struct dbk_slice read_string(char **room, struct dbk_slice text)
{
    struct dbk_slice string = dbk_json_string(text, *room);

    if (string.data == *room)
        *room += string.length;
    return string;
}

static bool strings_equal(char **room, struct dbk_slice a, struct dbk_slice b)
{
    struct dbk_slice left = read_string(room, a), right = read_string(room, b);

    return dbk_slice_equal(left, right);
}

static int compare_members(const void *left, const void *right)
{
    const struct member *a = left, *b = right;

    return json_names_order(a->name, b->name);
}

/* The members of an object, sorted by name, or NULL. Free it. */
static struct member *sorted_members(char **room, struct dbk_slice object, size_t count)
{
    struct member *members = calloc(count, sizeof *members);
    struct dbk_json_walk walk;
    size_t i = 0;

    if (!members)
        return NULL;
    dbk_json_walk_start(&walk, object);
    while (i < count && dbk_json_walk_next(&walk, &members[i].value))
        members[i++].name = read_string(room, walk.key);
    assert(i == count);
    qsort(members, count, sizeof *members, compare_members);
    return members;
}

static bool objects_equal(char **room, struct dbk_slice a, struct dbk_slice b)
{
    size_t count = dbk_json_count(a);
    struct member *left, *right;
    bool equal;

    if (count != dbk_json_count(b))
        return false;
    if (count == 0)
        return true;
    left = sorted_members(room, a, count);
    right = sorted_members(room, b, count);
    equal = left && right;
    for (size_t i = 0; equal && i < count; i++)
        equal = dbk_slice_equal(left[i].name, right[i].name) &&
                values_equal(room, left[i].value, right[i].value);
    free(left);
    free(right);
    return equal;
}

static bool arrays_equal(char **room, struct dbk_slice a, struct dbk_slice b)
{
    struct dbk_json_walk walk_a, walk_b;
    struct dbk_slice left, right;
    bool more_a, more_b, equal = true;

    dbk_json_walk_start(&walk_a, a);
    dbk_json_walk_start(&walk_b, b);
    do {
        more_a = dbk_json_walk_next(&walk_a, &left);
        more_b = dbk_json_walk_next(&walk_b, &right);
        equal = more_a == more_b && (!more_a || values_equal(room, left, right));
    } while (equal && more_a);
    return equal;
}

static bool is_number(struct dbk_slice value)
{
    return value.data[0] == '-' || (value.data[0] >= '0' && value.data[0] <= '9');
}

static bool values_equal(char **room, struct dbk_slice a, struct dbk_slice b)
{
    if (is_number(a) && is_number(b))
        return dbk_json_number_equal(a, b);
    if (a.data[0] != b.data[0])
        return false;
    switch (a.data[0]) {
    case '{':
        return objects_equal(room, a, b);
    case '[':
        return arrays_equal(room, a, b);
    case '"':
        return strings_equal(room, a, b);
    default: /* true, false or null */
        return true;
    }
}

bool dbk_json_equal(struct dbk_slice a, struct dbk_slice b)
{
    struct dbk_slice left, right;
    char *memory, *room;
    bool equal;

    if (dbk_slice_equal(a, b))
        return true;
    if (dbk_json_accept(a.data, a.length, &left, NULL) != DBK_OK ||
        dbk_json_accept(b.data, b.length, &right, NULL) != DBK_OK)
        return false;
    memory = room = malloc(left.length + right.length);
    equal = memory && values_equal(&room, left, right);
    assert(!memory || (size_t)(room - memory) <= left.length + right.length);
    free(memory);
    return equal;
}
