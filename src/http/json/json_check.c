#include "json_check.h"

#include "json_keys.h"
#include "json_number.h"
#include "json_string.h"
#include "json_walk.h"
#include "store/json_plain.h"
#include "store/utf8.h"

#include <assert.h>
#include <stdio.h>

/* A pass over the text. Each check_ function reads one thing that begins at `at` and
 * leaves `at` behind it, or at what is wrong with it. */
struct check {
    const char *text, *at, *end;
    unsigned depth;
    size_t values, values_max;
    struct json_keys *keys; /* NULL: nobody asks whether they differ */
    struct dbk_error *err;
};

static enum dbk_code check_value(struct check *check);

enum dbk_code json_fail_at(const char *text, const char *at, const char *message,
                           struct dbk_error *err)
{
    unsigned long line = 1, column = 1;

    assert(text <= at);
    for (; text < at; text++) {
        if (*text == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*text & 0xC0) != 0x80) {
            column++;
        }
    }
    return dbk_fail(err, DBK_INVALID, "line %lu, column %lu: %s", line, column,
                    message);
}

static enum dbk_code refuse(const struct check *check, const char *message)
{
    assert(check->at <= check->end);
    return json_fail_at(check->text, check->at, message, check->err);
}

/* The character at hand, and -1 at the end. */
static int peek(const struct check *check)
{
    return check->at < check->end ? (unsigned char)*check->at : -1;
}

static void skip_space(struct check *check)
{
    while (check->at < check->end && (*check->at == ' ' || *check->at == '\n' ||
                                      *check->at == '\r' || *check->at == '\t'))
        check->at++;
}

/* What was found where something else belongs. */
static enum dbk_code refuse_found(const struct check *check, const char *otherwise)
{
    uint32_t point;

    if (check->at == check->end)
        return refuse(check, "the JSON ends too early");
    if (dbk_utf8_decode(check->at, check->end, &point) == 0)
        return refuse(check, "not UTF-8");
    return refuse(check, otherwise);
}

static enum dbk_code check_escape_u(struct check *check)
{
    int32_t unit = json_escape_unit(check->at, check->end);

    if (unit < 0)
        return refuse(check, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return refuse(check, "\\u0000 is not allowed");
    if (json_is_low_surrogate(unit))
        return refuse(check, "half of a surrogate pair");
    if (json_is_high_surrogate(unit)) {
        if (!json_is_low_surrogate(json_escape_unit(check->at + 6, check->end)))
            return refuse(check, "half of a surrogate pair");
        check->at += 6;
    }
    check->at += 6;
    return DBK_OK;
}

static enum dbk_code check_escape(struct check *check)
{
    if (check->end - check->at < 2)
        return refuse(check, "the JSON ends inside a string");
    if (check->at[1] == 'u')
        return check_escape_u(check);
    if (check->at[1] == '\0' || !strchr(JSON_ESCAPES, check->at[1]))
        return refuse(check, "no such escape in JSON");
    check->at += 2;
    return DBK_OK;
}

static enum dbk_code check_string(struct check *check)
{
    uint32_t point;

    check->at++;
    for (;;) {
        unsigned char byte;
        check->at += dbk_json_plain(check->at, check->end);
        if (check->at == check->end)
            break;
        byte = (unsigned char)*check->at;
        if (byte == '"') {
            check->at++;
            return DBK_OK;
        }
        if (byte == '\\') {
            if (check_escape(check) != DBK_OK)
                return DBK_INVALID;
        } else if (byte < 0x20) {
            return refuse(check, "a control character in a string must be escaped");
        } else if (byte < 0x80) {
            check->at++; /* DEL */
        } else {
            size_t length = dbk_utf8_decode(check->at, check->end, &point);
            if (length == 0)
                return refuse(check, "not UTF-8");
            check->at += length;
        }
    }
    return refuse(check, "the JSON ends inside a string");
}

static enum dbk_code check_literal(struct check *check, const char *literal)
{
    size_t length = strlen(literal);

    if ((size_t)(check->end - check->at) < length ||
        memcmp(check->at, literal, length) != 0)
        return refuse(check, "expected a JSON value");
    check->at += length;
    return DBK_OK;
}

static enum dbk_code check_number(struct check *check)
{
    const char *message = NULL;
    size_t length = json_number_scan(check->at, check->end, &message);

    if (message)
        return refuse(check, message);
    if (check->keys && json_number_is_huge((struct dbk_slice){check->at, length}))
        return refuse(check, "a number past 1.8e308");
    check->at += length;
    return DBK_OK;
}

static enum dbk_code check_member(struct check *check)
{
    const char *start = check->at;

    if (peek(check) != '"')
        return refuse_found(check, "expected a key in double quotes");
    if (check_string(check) != DBK_OK)
        return DBK_INVALID;
    if (check->keys)
        json_keys_add(check->keys,
                      (struct dbk_slice){start, (size_t)(check->at - start)},
                      check->end);
    skip_space(check);
    if (peek(check) != ':')
        return refuse_found(check, "expected a colon behind the key");
    check->at++;
    return check_value(check);
}

/* An array or an object: they differ in the bracket and in what an item is. */
static enum dbk_code check_items(struct check *check, char closing,
                                 enum dbk_code (*check_item)(struct check *),
                                 const char *otherwise)
{
    if (++check->depth > JSON_DEPTH_MAX)
        return refuse(check, "nested deeper than 32 levels");
    check->at++;
    skip_space(check);
    if (peek(check) != closing) {
        for (;;) {
            if (check_item(check) != DBK_OK)
                return DBK_INVALID;
            skip_space(check);
            if (peek(check) != ',')
                break;
            check->at++;
            skip_space(check);
        }
        if (peek(check) != closing)
            return refuse_found(check, otherwise);
    }
    check->at++;
    check->depth--;
    return DBK_OK;
}

static enum dbk_code check_object(struct check *check)
{
    size_t outer = check->keys ? json_keys_open(check->keys) : 0;

    if (check_items(check, '}', check_member, "expected a comma or }") != DBK_OK)
        return DBK_INVALID;
    if (check->keys)
        json_keys_close(check->keys, outer);
    return DBK_OK;
}

static enum dbk_code check_value(struct check *check)
{
    skip_space(check);
    if (++check->values > check->values_max)
        return refuse(check, "too many values");
    switch (peek(check)) {
    case '{':
        return check_object(check);
    case '[':
        return check_items(check, ']', check_value, "expected a comma or ]");
    case '"':
        return check_string(check);
    case 't':
        return check_literal(check, "true");
    case 'f':
        return check_literal(check, "false");
    case 'n':
        return check_literal(check, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return check_number(check);
    default:
        return refuse_found(check, "expected a JSON value");
    }
}

/* *value receives the text without the white space around it. */
static enum dbk_code check_text(struct check *check, struct dbk_slice *value)
{
    skip_space(check);
    if (check->at == check->end)
        return dbk_fail(check->err, DBK_INVALID, "empty, where JSON is expected");
    value->data = check->at;
    if (check_value(check) != DBK_OK)
        return DBK_INVALID;
    assert(check->depth == 0);
    value->length = (size_t)(check->at - value->data);
    skip_space(check);
    if (check->at != check->end)
        return refuse(check, "trailing bytes after the JSON value");
    return DBK_OK;
}

enum dbk_code json_check(const char *text, size_t length, size_t values_max,
                         struct dbk_error *err)
{
    struct dbk_slice value;
    struct check check = {.text = text,
                          .at = text,
                          .end = text + length,
                          .values_max = values_max,
                          .err = err};

    return check_text(&check, &value);
}

static enum dbk_code refuse_repeated(struct check *check)
{
    char message[128];
    const char *key = check->keys->repeated;
    size_t length = json_span(key, check->end);
    int shown = length > 80 ? 80 : (int)length;

    while (shown > 0 && ((unsigned char)key[shown] & 0xC0) == 0x80)
        shown--; /* not through the middle of a character */
    snprintf(message, sizeof message, "duplicate key %.*s%s", shown, key,
             (size_t)shown < length ? "..." : "");
    check->at = key;
    return refuse(check, message);
}

enum dbk_code json_accept(const char *text, size_t length, struct dbk_slice *value,
                          struct dbk_error *err)
{
    struct json_keys keys;
    struct check check = {.text = text,
                          .at = text,
                          .end = text + length,
                          .values_max = JSON_VALUES_MAX,
                          .keys = &keys,
                          .err = err};
    enum dbk_code code;

    json_keys_init(&keys);
    code = check_text(&check, value);
    if (code == DBK_OK && keys.repeated)
        code = refuse_repeated(&check);
    if (code == DBK_OK && keys.no_memory)
        code = dbk_fail(err, DBK_NO_MEMORY, "out of memory while reading JSON");
    json_keys_finish(&keys);
    return code;
}
