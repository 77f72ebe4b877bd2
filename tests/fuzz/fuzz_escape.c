/* fuzz_escape.c - whatever is printed for the operator: nothing in it acts on a terminal
 * or ends a line, quotes stay closed, and as JSON it is the same text again. */
#include "escape.h"
#include "fuzz.h"
#include "store/utf8.h"

#include <jansson.h>

#define LINE_MAX_BYTES 4096

/* UTF-8, of characters that are only shown. */
static void require_shown(const char *at, size_t length)
{
    const char *end = at + length;

    while (at < end) {
        uint32_t point;
        size_t size = dbk_utf8_decode(at, end, &point);
        require(size > 0);
        require(point >= 0x20 && !(point >= 0x7f && point < 0xa0));
        require(point != 0x2028 && point != 0x2029 && point != 0xfeff);
        require(!(point >= 0x202a && point <= 0x202e) &&
                !(point >= 0x2066 && point <= 0x2069));
        at += size;
    }
}

static void require_line(const struct line *line)
{
    require(line->length < line->size && line->text[line->length] == '\0');
    require(strlen(line->text) == line->length);
    require_shown(line->text, line->length);
}

/* The quotes around it are its only ones that no backslash hides. */
static void require_closed(const char *text, size_t length)
{
    require(length >= 2 && text[0] == '"' && text[length - 1] == '"');
    for (size_t i = 1; i + 1 < length; i++) {
        require(text[i] != '"');
        i += text[i] == '\\';
        require(i + 1 < length);
    }
}

static void try_value(const char *text)
{
    char bytes[LINE_MAX_BYTES] = "";
    struct line line = {.text = bytes, .size = sizeof bytes};

    line_add_value(&line, text);
    require_line(&line);
    if (strpbrk(bytes, " \"\\=") && !line.cut)
        require_closed(bytes, line.length);
    require(line.length > 0);
    line = (struct line){.text = bytes, .size = sizeof bytes};
    bytes[0] = '\0';
    line_add_plain(&line, text);
    require_line(&line);
}

/* Each byte that is not UTF-8 as U+FFFD; free it. */
static char *replaced(const char *text)
{
    const char *end = text + strlen(text);
    char *out = malloc(3 * (size_t)(end - text) + 1), *at = out;

    require(out != NULL);
    while (text < end) {
        uint32_t point;
        size_t size = dbk_utf8_decode(text, end, &point);
        memcpy(at, size ? text : "\xEF\xBF\xBD", size ? size : 3);
        at += size ? size : 3;
        text += size ? size : 1;
    }
    *at = '\0';
    return out;
}

static void require_means(const char *json, size_t length, const char *text)
{
    json_t *value = json_loadb(json, length, JSON_DECODE_ANY, NULL);
    char *wanted = replaced(text);

    require(json_is_string(value) && strcmp(json_string_value(value), wanted) == 0);
    json_decref(value);
    free(wanted);
}

/* A string is printed as a line has it. */
static void require_printed(const char *text, const char *wanted)
{
    char *printed;
    size_t length;
    FILE *out = open_memstream(&printed, &length);

    require(out != NULL);
    escape_string(out, text);
    require(fclose(out) == 0);
    require(strcmp(printed, wanted) == 0);
    free(printed);
}

static void try_json(const char *text)
{
    char bytes[LINE_MAX_BYTES] = "";
    struct line line = {.text = bytes, .size = sizeof bytes - 1};

    line_add(&line, "\"");
    line_add_json(&line, text);
    require_line(&line);
    if (line.cut)
        return;
    memcpy(bytes + line.length, "\"", 2); /* one byte was kept for it */
    require_means(bytes, line.length + 1, text);
    require_printed(text, bytes);
}

/* JSON that holds such characters as they are means the same when they are escaped. */
static void try_printed(const char *text)
{
    size_t size = strlen(text);
    json_t *value = json_loadb(text, size, JSON_DECODE_ANY, NULL), *again;
    char *printed;
    size_t length;
    FILE *out = open_memstream(&printed, &length);

    require(out != NULL);
    escape_json(out, dbk_slice(text));
    require(fclose(out) == 0);
    require_shown(printed, length);
    again = json_loadb(printed, length, JSON_DECODE_ANY, NULL);
    if (value)
        require(again != NULL && json_equal(value, again));
    json_decref(value);
    json_decref(again);
    free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_text(data, size);

    try_value(text);
    try_json(text);
    try_printed(text);
    free(text);
    return 0;
}
