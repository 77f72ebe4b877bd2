#include "json_stored.h"

#include "json_check.h"
#include "json_keys.h"
#include "json_number.h"
#include "json_string.h"
#include "json_walk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMBERS_FIRST 32

struct member {
    struct dbk_slice key; /* its characters */
    struct dbk_slice value;
};

/* Of one value: the members of all objects that are open, the innermost's last. */
struct stored {
    struct dbk_render *render;
    struct member few[MEMBERS_FIRST], *members;
    size_t count, size;
    char *room; /* for the characters of strings that have escapes */
    void (*put_number)(struct dbk_render *render, struct dbk_slice text);
};

static bool put_value(struct stored *stored, struct dbk_slice value);

static void put_escape(struct dbk_render *render, char character)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = memchr(escaped, character, sizeof escaped - 1);
    char text[8] = {'\\', at ? letters[at - escaped] : 'u'};

    if (!at)
        snprintf(text, sizeof text, "\\u%04x", (unsigned char)character);
    dbk_render_text(render, text);
}

static bool needs_escape(char character)
{
    return (unsigned char)character < 0x20 || character == '"' || character == '\\';
}

static void put_characters(struct dbk_render *render, struct dbk_slice text)
{
    size_t done = 0;

    dbk_render_raw(render, "\"", 1);
    for (size_t i = 0; i < text.length; i++) {
        if (!needs_escape(text.data[i]))
            continue;
        dbk_render_raw(render, text.data + done, i - done);
        put_escape(render, text.data[i]);
        done = i + 1;
    }
    dbk_render_raw(render, text.data + done, text.length - done);
    dbk_render_raw(render, "\"", 1);
}

/* The room is as large as the whole text, so what is left of it is enough. */
static struct dbk_slice read_string(struct stored *stored, struct dbk_slice text)
{
    struct dbk_slice string = json_string_read(text, stored->room);

    if (string.data == stored->room)
        stored->room += string.length;
    return string;
}

static void put_string(struct stored *stored, struct dbk_slice text)
{
    if (memchr(text.data, '\\', text.length))
        put_characters(stored->render, read_string(stored, text));
    else
        dbk_render_raw(stored->render, text.data, text.length);
}

static void put_digits(struct dbk_render *render, const struct json_number *number,
                       int from, int to)
{
    char digits[2 * JSON_NUMBER_DIGITS];
    size_t count = 0;

    assert(to - from <= (int)sizeof digits); /* else it was not taken */
    for (; from < to; from++)
        digits[count++] = json_number_digit(number, from);
    dbk_render_raw(render, digits, count);
}

static void write_out(struct dbk_render *render, const struct json_number *number)
{
    int before = json_number_before(number), behind = json_number_behind(number);

    if (number->negative && number->first < number->digits)
        dbk_render_raw(render, "-", 1);
    put_digits(render, number, number->point - before, number->point);
    if (behind == 0)
        return;
    dbk_render_raw(render, ".", 1);
    put_digits(render, number, number->point, number->point + behind);
}

static bool has_exponent(struct dbk_slice text)
{
    return memchr(text.data, 'e', text.length) || memchr(text.data, 'E', text.length);
}

static void put_number(struct dbk_render *render, struct dbk_slice text)
{
    struct json_number number;

    if (text.data[0] != '-' && !has_exponent(text)) {
        dbk_render_raw(render, text.data, text.length);
        return;
    }
    json_number_read(text, &number);
    write_out(render, &number);
}

static bool grow(struct stored *stored)
{
    struct member *larger;

    if (stored->count < stored->size)
        return true;
    larger = malloc(2 * stored->size * sizeof *larger);
    if (!larger)
        return false;
    memcpy(larger, stored->members, stored->count * sizeof *larger);
    if (stored->members != stored->few)
        free(stored->members);
    stored->members = larger;
    stored->size *= 2;
    return true;
}

/* Which is jsonb's order. */
static int compare_keys(const void *left, const void *right)
{
    const struct member *a = left, *b = right;

    return json_names_order(a->key, b->key);
}

/* The members of an object, behind those that are open. */
static bool read_members(struct stored *stored, struct dbk_slice object)
{
    struct json_walk walk;
    struct dbk_slice value;

    json_walk_start(&walk, object);
    while (json_walk_next(&walk, &value)) {
        if (!grow(stored))
            return false;
        stored->members[stored->count++] =
            (struct member){read_string(stored, walk.key), value};
    }
    return true;
}

static bool put_object(struct stored *stored, struct dbk_slice object)
{
    size_t first = stored->count;
    bool good = read_members(stored, object);

    if (stored->count > first + 1)
        qsort(stored->members + first, stored->count - first, sizeof *stored->members,
              compare_keys);
    dbk_render_raw(stored->render, "{", 1);
    for (size_t i = first, end = stored->count; good && i < end; i++) {
        const struct member member = stored->members[i]; /* they move as they grow */

        if (i > first)
            dbk_render_raw(stored->render, ", ", 2);
        put_characters(stored->render, member.key);
        dbk_render_raw(stored->render, ": ", 2);
        good = put_value(stored, member.value);
        assert(!good || stored->count == end); /* each object takes its own back */
    }
    dbk_render_raw(stored->render, "}", 1);
    stored->count = first;
    return good;
}

static bool put_array(struct stored *stored, struct dbk_slice array)
{
    struct json_walk walk;
    struct dbk_slice value;
    bool good = true;

    dbk_render_raw(stored->render, "[", 1);
    json_walk_start(&walk, array);
    for (bool first = true; good && json_walk_next(&walk, &value); first = false) {
        if (!first)
            dbk_render_raw(stored->render, ", ", 2);
        good = put_value(stored, value);
    }
    dbk_render_raw(stored->render, "]", 1);
    return good;
}

static bool put_value(struct stored *stored, struct dbk_slice value)
{
    switch (value.data[0]) {
    case '{':
        return put_object(stored, value);
    case '[':
        return put_array(stored, value);
    case '"':
        put_string(stored, value);
        return true;
    case 't':
    case 'f':
    case 'n':
        dbk_render_raw(stored->render, value.data, value.length);
        return true;
    default:
        stored->put_number(stored->render, value);
        return true;
    }
}

/* A value without white space around it, all of it read before. */
static bool put_text(struct dbk_render *render, struct dbk_slice json,
                     void (*number)(struct dbk_render *, struct dbk_slice))
{
    bool escapes = memchr(json.data, '\\', json.length) != NULL;
    char *room = escapes ? malloc(json.length) : NULL;
    struct stored stored = {
        .render = render, .size = MEMBERS_FIRST, .room = room, .put_number = number};
    bool good;

    assert(json.length > 0); /* what was read is at least a scalar */
    if (escapes && !room)
        return false;
    stored.members = stored.few;
    good = put_value(&stored, json);
    if (stored.members != stored.few)
        free(stored.members);
    free(room);
    return good;
}

/* A log may have been written by a program that took more than we do. */
bool json_stored_render(struct dbk_render *render, struct dbk_slice json)
{
    struct dbk_error ignored;

    while (json.length > 0 && json_is_space(json.data[0]))
        json = (struct dbk_slice){json.data + 1, json.length - 1};
    while (json.length > 0 && json_is_space(json.data[json.length - 1]))
        json.length--;
    if (json_check(json.data, json.length, SIZE_MAX, &ignored) == DBK_OK)
        return put_text(render, json, put_number);
    dbk_render_raw(render, json.data, json.length);
    return true;
}

static void put_normal(struct dbk_render *render, struct dbk_slice text)
{
    char normal[JSON_NUMBER_NORMAL];

    dbk_render_raw(render, normal, json_number_normal(text, normal));
}

static bool put_comparable(struct dbk_render *render, struct dbk_slice json)
{
    struct dbk_slice value;

    return json_accept(json.data, json.length, &value, NULL) == DBK_OK &&
           put_text(render, value, put_normal) && dbk_render_code(render) == DBK_OK;
}

bool json_same(struct dbk_slice a, struct dbk_slice b)
{
    struct dbk_render left = {0}, right = {0};
    bool equal = dbk_slice_equal(a, b);

    if (!equal && put_comparable(&left, a) && put_comparable(&right, b))
        equal = dbk_slice_equal((struct dbk_slice){left.text, left.length},
                                (struct dbk_slice){right.text, right.length});
    dbk_render_finish(&left);
    dbk_render_finish(&right);
    return equal;
}
