#include "json_walk.h"

#include "json_number.h"
#include "json_string.h"
#include "store/json_plain.h"

#include <assert.h>

/* Skips what stands between values: white space, commas, colons. */
static const char *skip_between(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' ||
                        *at == ',' || *at == ':'))
        at++;
    return at;
}

static const char *skip_string(const char *at, const char *end)
{
    for (at++;; at++) {
        at += dbk_json_plain(at, end);
        if (at == end || *at == '"')
            break;
        if (*at == '\\' && end - at > 1)
            at++;
    }
    return at < end ? at + 1 : end;
}

static const char *skip_scalar(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != ']' && *at != '}' && *at != ' ' &&
           *at != '\n' && *at != '\r' && *at != '\t')
        at++;
    return at;
}

static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
        if (depth == 0)
            break;
    }
    return at;
}

static const char *skip_value(const char *at, const char *end)
{
    if (*at == '"')
        return skip_string(at, end);
    if (*at == '{' || *at == '[')
        return skip_container(at, end);
    return skip_scalar(at, end);
}

void json_walk_start(struct json_walk *walk, struct dbk_slice container)
{
    walk->end = container.data + container.length;
    walk->at = skip_between(container.data, walk->end);
    walk->keyed = walk->at < walk->end && *walk->at == '{';
    if (walk->at < walk->end)
        walk->at++;
}

bool json_walk_next(struct json_walk *walk, struct dbk_slice *value)
{
    const char *at = skip_between(walk->at, walk->end);

    assert(at <= walk->end);
    if (walk->keyed && at < walk->end && *at == '"') {
        const char *behind = skip_string(at, walk->end);
        walk->key = (struct dbk_slice){at, (size_t)(behind - at)};
        at = skip_between(behind, walk->end);
    }
    if (at == walk->end || *at == '}' || *at == ']')
        return false;
    walk->at = skip_value(at, walk->end);
    *value = (struct dbk_slice){at, (size_t)(walk->at - at)};
    return true;
}

size_t json_count(struct dbk_slice container)
{
    struct json_walk walk;
    struct dbk_slice value;
    size_t count = 0;

    json_walk_start(&walk, container);
    while (json_walk_next(&walk, &value))
        count++;
    return count;
}

size_t json_span(const char *at, const char *end)
{
    assert(at < end);
    return (size_t)(skip_value(at, end) - at);
}

/* How long a number is without an exponent. */
static size_t written_length(struct dbk_slice text)
{
    struct json_number number;
    int behind, length;

    if (!memchr(text.data, 'e', text.length) && !memchr(text.data, 'E', text.length))
        return text.length;
    json_number_read(text, &number);
    behind = json_number_behind(&number);
    length = number.negative + json_number_before(&number) + (behind > 0) + behind;
    return (size_t)length;
}

struct json_extent json_measure(struct dbk_slice value)
{
    struct json_extent extent = {0};
    const char *at = value.data, *end = value.data + value.length;
    unsigned depth = 0;

    while (at < end) {
        const char *start = at;
        if (*at == '"') {
            size_t length;
            at = skip_string(at, end);
            length = json_string_shorten(
                (struct dbk_slice){start, (size_t)(at - start)}, NULL);
            extent.compact += length;
            extent.written += length;
            continue;
        }
        if (*at == '-' || (*at >= '0' && *at <= '9')) {
            at = skip_scalar(at, end);
            extent.compact += (size_t)(at - start);
            extent.written +=
                written_length((struct dbk_slice){start, (size_t)(at - start)});
            continue;
        }
        extent.compact += !json_is_space(*at);
        extent.written += !json_is_space(*at);
        if ((*at == '{' || *at == '[') && ++depth > extent.depth)
            extent.depth = depth;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    }
    return extent;
}

size_t json_compact(struct dbk_slice value, char *out)
{
    const char *at = value.data, *end = value.data + value.length;
    size_t length = 0;

    while (at < end) {
        if (*at == '"') {
            const char *behind = skip_string(at, end);
            length += json_string_shorten((struct dbk_slice){at, (size_t)(behind - at)},
                                          out + length);
            at = behind;
            continue;
        }
        if (!json_is_space(*at))
            out[length++] = *at;
        at++;
    }
    return length;
}

const char *json_kind(struct dbk_slice value)
{
    switch (value.length > 0 ? value.data[0] : '\0') {
    case '{':
        return "an object";
    case '[':
        return "an array";
    case '"':
        return "a string";
    case 't':
    case 'f':
        return "a boolean";
    case 'n':
        return "null";
    default:
        return "a number";
    }
}
