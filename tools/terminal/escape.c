#include "escape.h"

#include "store/utf8.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ESCAPED_MAX 20 /* \xNN for each byte of a character, with a NUL */

/* What the text is written as. */
enum style {
    PLAIN,  /* for people, on one line */
    QUOTED, /* the same between quotes */
    STRING, /* the inside of a string of JSON */
    JSON,   /* JSON, where quotes and backslashes are as they must be */
};

/* Characters that end a line, move the cursor, or turn the text around. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static size_t escape_bytes(const char *from, size_t size, char out[ESCAPED_MAX])
{
    static const char known[] = "\n\r\t", letters[] = "nrt";
    const char *found = *from ? strchr(known, *from) : NULL;
    size_t length = 0;

    assert(4 * size < ESCAPED_MAX);
    if (found)
        return (size_t)sprintf(out, "\\%c", letters[found - known]);
    for (size_t i = 0; i < size; i++)
        length += (size_t)sprintf(out + length, "\\x%02x", (unsigned char)from[i]);
    return length;
}

/* What stands for the character at *at, which moves behind it: itself, or what is put
 * into out. What is not UTF-8 is taken a byte at a time. */
static struct dbk_slice take(const char **at, const char *end, enum style style,
                             char out[ESCAPED_MAX])
{
    const char *from = *at;
    uint32_t c;
    size_t size = dbk_utf8_decode(from, end, &c);
    bool shown = size > 0 && !is_hidden(c);

    *at += size > 0 ? size : 1;
    if (shown && (style == PLAIN || style == JSON || (c != '"' && c != '\\')))
        return (struct dbk_slice){from, size};
    if (shown)
        return (struct dbk_slice){out, (size_t)sprintf(out, "\\%c", *from)};
    if (style == JSON && size == 1 && memchr("\t\n\r", *from, 3))
        return dbk_slice(" "); /* it can only stand between values */
    if (style == PLAIN || style == QUOTED)
        return (struct dbk_slice){out, escape_bytes(from, (size_t)(*at - from), out)};
    return (struct dbk_slice){
        out, (size_t)sprintf(out, "\\u%04x", size > 0 ? (unsigned)c : 0xfffdU)};
}

static void print(FILE *out, struct dbk_slice text, enum style style)
{
    const char *at = text.data, *same = at; /* not printed yet: it stays as it is */

    if (text.length == 0)
        return;
    for (const char *end = at + text.length; at < end;) {
        char escaped[ESCAPED_MAX];
        const char *from = at;
        struct dbk_slice piece = take(&at, end, style, escaped);

        if (piece.data == from)
            continue;
        fwrite(same, 1, (size_t)(from - same), out);
        fwrite(piece.data, 1, piece.length, out);
        same = at;
    }
    fwrite(same, 1, (size_t)(at - same), out);
}

void escape_plain(FILE *out, struct dbk_slice text)
{
    print(out, text, PLAIN);
}

void escape_string(FILE *out, const char *text)
{
    fputc('"', out);
    print(out, dbk_slice(text), STRING);
    fputc('"', out);
}

void escape_json(FILE *out, struct dbk_slice json)
{
    print(out, json, JSON);
}

static void add_bytes(struct line *line, struct dbk_slice bytes)
{
    assert(line->length < line->size); /* the NUL is within */
    if (line->cut || line->length + bytes.length >= line->size) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->length, bytes.data, bytes.length);
    line->length += bytes.length;
    line->text[line->length] = '\0';
}

static void add(struct line *line, const char *text, enum style style)
{
    const char *end = text + strlen(text);
    char escaped[ESCAPED_MAX];

    while (text < end && !line->cut)
        add_bytes(line, take(&text, end, style, escaped));
}

void line_add(struct line *line, const char *text)
{
    add_bytes(line, dbk_slice(text));
}

void line_add_json(struct line *line, const char *text)
{
    add(line, text, STRING);
}

static bool is_plain_word(const char *text)
{
    const char *at = text;

    while (*at > ' ' && *at < 0x7f && !strchr("\"\\=", *at))
        at++;
    return *text && !*at;
}

void line_add_value(struct line *line, const char *text)
{
    const char *quote = is_plain_word(text) ? "" : "\"";

    line_add(line, quote);
    add(line, text, QUOTED);
    line_add(line, quote);
}

void line_add_plain(struct line *line, const char *text)
{
    add(line, text, PLAIN);
}
