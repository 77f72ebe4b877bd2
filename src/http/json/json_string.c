#include "json_string.h"

#include <assert.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int32_t json_escape_unit(const char *at, const char *end)
{
    int32_t unit = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* As UTF-8; returns where the next character goes. */
static char *put_point(char *out, uint32_t point)
{
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0}; /* by length */
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (char)(first[length] | point);
    return out + length;
}

/* The character of a \u escape, or of the two that make a pair; *at goes behind it. */
static uint32_t read_point(const char **at, const char *end)
{
    int32_t unit = json_escape_unit(*at, end), low;

    *at += 6;
    if (!json_is_high_surrogate(unit))
        return (uint32_t)unit;
    low = json_escape_unit(*at, end);
    *at += 6;
    return (uint32_t)(0x10000 + (unit - 0xD800) * 0x400 + (low - 0xDC00));
}

static const char values[] = "\"\\/\b\f\n\r\t"; /* of JSON_ESCAPES */

static char *put_escape(char *out, const char **at, const char *end)
{
    if ((*at)[1] == 'u')
        return put_point(out, read_point(at, end));
    *out++ = values[strchr(JSON_ESCAPES, (*at)[1]) - JSON_ESCAPES];
    *at += 2;
    return out;
}

struct dbk_slice json_string_read(struct dbk_slice text, char *room)
{
    const char *at = text.data + 1, *end = at + text.length - 2;
    const char *escape = memchr(at, '\\', (size_t)(end - at));
    char *out = room;

    if (!escape)
        return (struct dbk_slice){at, (size_t)(end - at)};
    for (; escape; escape = memchr(at, '\\', (size_t)(end - at))) {
        memcpy(out, at, (size_t)(escape - at));
        out += escape - at;
        at = escape;
        out = put_escape(out, &at, end);
    }
    memcpy(out, at, (size_t)(end - at));
    out += end - at;
    assert((size_t)(out - room) < text.length); /* an escape is longer than it says */
    return (struct dbk_slice){room, (size_t)(out - room)};
}

/* What the escape at *at is written as, in as few bytes as can be; returns how many. */
static size_t shortest_escape(const char **at, const char *end, char out[6])
{
    const char *from = *at, *value;
    const size_t length = (size_t)(put_escape(out, at, end) - out);

    if (length > 1)
        return length;
    value = *out ? strchr(values, *out) : NULL;
    if (value && *value != '/') {
        out[0] = '\\';
        out[1] = JSON_ESCAPES[value - values];
        return 2;
    }
    if ((unsigned char)*out >= ' ')
        return 1;
    memcpy(out, from, 6); /* a control character, which has no other */
    return 6;
}

size_t json_string_shorten(struct dbk_slice text, char *out)
{
    const char *at = text.data, *end = at + text.length;
    size_t length = 0;

    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        char bytes[6];

        if (out)
            memmove(out + length, at, plain);
        length += plain;
        at += plain;
        if (escape) {
            size_t count = shortest_escape(&at, end, bytes);
            if (out)
                memcpy(out + length, bytes, count);
            length += count;
        }
    }
    return length;
}
