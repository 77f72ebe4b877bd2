#include "walk.h"

#include <assert.h>

void record_walk_init(struct record_walk *walk, const char *bytes, size_t length)
{
    walk->start = walk->at = (const unsigned char *)bytes;
    walk->end = walk->start + length;
    walk->wrong = NULL;
}

bool record_walk_fail(struct record_walk *walk, const char *expected)
{
    if (!walk->wrong)
        walk->wrong = expected;
    return false;
}

static size_t left(const struct record_walk *walk)
{
    assert(walk->at <= walk->end);
    return (size_t)(walk->end - walk->at);
}

static bool next_byte(struct record_walk *walk, const char *expected, unsigned *byte)
{
    if (walk->wrong || left(walk) == 0)
        return record_walk_fail(walk, expected);
    *byte = *walk->at;
    return true;
}

/* Move past the marker and read the big-endian number of `size` bytes behind it. */
static bool take_number(struct record_walk *walk, size_t size, const char *expected,
                        uint64_t *value)
{
    uint64_t number = 0;

    assert(size <= sizeof number);
    if (left(walk) < 1 + size)
        return record_walk_fail(walk, expected);
    for (size_t i = 0; i < size; i++)
        number = number << 8 | walk->at[1 + i];
    walk->at += 1 + size;
    *value = number;
    return true;
}

/* A header that is one byte holding a count, or marker16 or marker32 with one behind.
 * Every element takes `least` bytes or more, so a larger count is a lie. */
static bool take_count(struct record_walk *walk, unsigned fixed, unsigned marker16,
                       size_t least, const char *expected, size_t *count)
{
    uint64_t value;
    unsigned byte;

    if (!next_byte(walk, expected, &byte))
        return false;
    if ((byte & 0xf0) == fixed) {
        value = byte & 0x0f;
        walk->at++;
    } else if (byte == marker16 || byte == marker16 + 1) {
        if (!take_number(walk, byte == marker16 ? 2 : 4, expected, &value))
            return false;
    } else {
        return record_walk_fail(walk, expected);
    }
    if (value > left(walk) / least)
        return record_walk_fail(walk, expected);
    *count = (size_t)value;
    return true;
}

bool record_walk_array(struct record_walk *walk, size_t *count)
{
    return take_count(walk, 0x90, 0xdc, 1, "an array", count);
}

bool record_walk_map(struct record_walk *walk, size_t *count)
{
    return take_count(walk, 0x80, 0xde, 2, "a map", count);
}

bool record_walk_uint(struct record_walk *walk, uint64_t *value)
{
    static const char expected[] = "an unsigned integer";
    unsigned byte;

    if (!next_byte(walk, expected, &byte))
        return false;
    if (byte >= 0xcc && byte <= 0xcf) /* uint 8, 16, 32, 64 */
        return take_number(walk, (size_t)1 << (byte - 0xcc), expected, value);
    if (byte > 0x7f)
        return record_walk_fail(walk, expected);
    *value = byte;
    walk->at++;
    return true;
}

bool record_walk_int(struct record_walk *walk, int64_t *value)
{
    static const char expected[] = "an integer";
    uint64_t number;
    unsigned byte;

    if (!next_byte(walk, expected, &byte))
        return false;
    if (byte >= 0xe0) { /* negative fixint */
        *value = (int64_t)byte - 256;
        walk->at++;
        return true;
    }
    if (byte >= 0xd0 && byte <= 0xd3) { /* int 8, 16, 32, 64: extend the sign */
        size_t size = (size_t)1 << (byte - 0xd0);
        uint64_t sign = UINT64_C(1) << (8 * size - 1);

        if (!take_number(walk, size, expected, &number))
            return false;
        *value = (int64_t)((number ^ sign) - sign);
        return true;
    }
    if (!record_walk_uint(walk, &number))
        return false;
    if (number > INT64_MAX)
        return record_walk_fail(walk, expected);
    *value = (int64_t)number;
    return true;
}

static bool take_bytes(struct record_walk *walk, uint64_t length, const char *expected,
                       struct dbk_slice *out)
{
    if (length > left(walk))
        return record_walk_fail(walk, expected);
    *out = (struct dbk_slice){(const char *)walk->at, (size_t)length};
    walk->at += length;
    return true;
}

bool record_walk_str(struct record_walk *walk, struct dbk_slice *text)
{
    static const char expected[] = "a text";
    uint64_t length;
    unsigned byte;

    if (!next_byte(walk, expected, &byte))
        return false;
    if ((byte & 0xe0) == 0xa0) {
        length = byte & 0x1f;
        walk->at++;
    } else if (byte < 0xd9 || byte > 0xdb) {
        return record_walk_fail(walk, expected);
    } else if (!take_number(walk, (size_t)1 << (byte - 0xd9), expected, &length)) {
        return false;
    }
    return take_bytes(walk, length, expected, text);
}

bool record_walk_bin(struct record_walk *walk, struct dbk_slice *bytes)
{
    static const char expected[] = "binary bytes";
    uint64_t length;
    unsigned byte;

    if (!next_byte(walk, expected, &byte))
        return false;
    if (byte < 0xc4 || byte > 0xc6)
        return record_walk_fail(walk, expected);
    if (!take_number(walk, (size_t)1 << (byte - 0xc4), expected, &length))
        return false;
    return take_bytes(walk, length, expected, bytes);
}

bool record_walk_nil(struct record_walk *walk)
{
    if (walk->wrong || left(walk) == 0 || *walk->at != 0xc0)
        return false;
    walk->at++;
    return true;
}

bool record_walk_skip(struct record_walk *walk)
{
    struct dbk_slice bytes;
    int64_t number;
    unsigned byte;

    if (record_walk_nil(walk))
        return true;
    if (!next_byte(walk, "a value", &byte))
        return false;
    if (byte >= 0xc4 && byte <= 0xc6)
        return record_walk_bin(walk, &bytes);
    if ((byte & 0xe0) == 0xa0 || (byte >= 0xd9 && byte <= 0xdb))
        return record_walk_str(walk, &bytes);
    return record_walk_int(walk, &number);
}
