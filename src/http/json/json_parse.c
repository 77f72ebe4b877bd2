#include "json_parse.h"

#include "json_check.h"

#include <stdio.h>

/* Where the string begins that ends (behind its closing quote) at offset end. A quote
 * inside a string has an odd number of backslashes before it, an opening one has none.
 */
static size_t string_start(const char *text, size_t end)
{
    size_t at = end - 1;

    while (at > 0) {
        size_t slashes = 0;
        at--;
        if (text[at] != '"')
            continue;
        while (slashes < at && text[at - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            break;
    }
    return at;
}

static enum dbk_code fail_duplicate(const char *text, size_t length, size_t end,
                                    struct dbk_error *err)
{
    char message[128];
    size_t start = string_start(text, end);
    int shown = end - start > 80 ? 80 : (int)(end - start);

    while (shown > 0 && ((unsigned char)text[start + (size_t)shown] & 0xC0) == 0x80)
        shown--; /* not through the middle of a character */
    snprintf(message, sizeof message, "duplicate key %.*s%s", shown, text + start,
             (size_t)shown < end - start ? "..." : "");
    return dbk_json_fail(text, length, start, message, err);
}

/* jansson's codes in our own words. What the check has passed leaves it little to find.
 */
static enum dbk_code fail(const char *text, size_t length, const json_error_t *error,
                          struct dbk_error *err)
{
    size_t position = error->position > 0 ? (size_t)error->position : 0;
    enum json_error_code code = json_error_code(error);

    if (code == json_error_out_of_memory ||
        (code == json_error_unknown && !*error->text))
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory while reading JSON");
    if (code == json_error_duplicate_key && position > 1 && position <= length)
        return fail_duplicate(text, length, position, err);
    if (code == json_error_numeric_overflow)
        return dbk_json_fail(text, length, position, "a number past 1e308", err);
    return dbk_json_fail(text, length, position, "not JSON", err);
}

/* Text that has been checked. */
static enum dbk_code load(const char *text, size_t length, json_t **value,
                          struct dbk_error *err)
{
    json_error_t error = {0};

    *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    return *value ? DBK_OK : fail(text, length, &error, err);
}

enum dbk_code dbk_json_parse(const char *text, size_t length, json_t **value,
                             struct dbk_error *err)
{
    *value = NULL;
    if (dbk_json_check(text, length, DBK_JSON_VALUES_MAX, err) != DBK_OK)
        return DBK_INVALID;
    return load(text, length, value, err);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum dbk_code dbk_json_accept(const char *text, size_t length, struct dbk_slice *value,
                              struct dbk_error *err)
{
    const char *end = text + length;
    json_t *tree;
    bool settled;

    if (dbk_json_check_keys(text, length, &settled, err) != DBK_OK)
        return DBK_INVALID;
    if (!settled) {
        enum dbk_code code = load(text, length, &tree, err);
        if (code != DBK_OK)
            return code;
        json_decref(tree);
    }
    while (is_space(*text))
        text++;
    while (is_space(end[-1]))
        end--;
    *value = (struct dbk_slice){text, (size_t)(end - text)};
    return DBK_OK;
}

bool dbk_json_string(struct dbk_slice text, char *room, struct dbk_slice *out)
{
    json_t *string;

    *out = (struct dbk_slice){text.data + 1, text.length - 2};
    if (!memchr(out->data, '\\', out->length))
        return true;
    string = json_loadb(text.data, text.length, JSON_DECODE_ANY, NULL);
    if (!string)
        return false;
    *out = (struct dbk_slice){room, json_string_length(string)};
    memcpy(room, json_string_value(string), out->length);
    json_decref(string);
    return true;
}
