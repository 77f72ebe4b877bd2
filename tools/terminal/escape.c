#include "escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void add_bytes(struct line *line, const char *bytes, size_t length)
{
    if (line->cut || line->length + length >= line->size) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
    line->text[line->length] = '\0';
}

void line_add(struct line *line, const char *text)
{
    add_bytes(line, text, strlen(text));
}

/* How many bytes the character at `at` has, and which it is; 0 where it is not UTF-8
 * (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF). */
static size_t read_character(const unsigned char *at, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *at < 0x80           ? 1
                    : (*at >> 5) == 0x06 ? 2
                    : (*at >> 4) == 0x0e ? 3
                    : (*at >> 3) == 0x1e ? 4
                                         : 0;

    if (length <= 1) {
        *out = *at;
        return length;
    }
    *out = *at & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) /* the closing NUL too */
            return 0;
        *out = *out << 6 | (at[i] & 0x3fU);
    }
    if (*out < least[length] || *out > 0x10ffff || (*out >= 0xd800 && *out <= 0xdfff))
        return 0;
    return length;
}

/* Characters that end a line, move the cursor, or turn the text around. */
static bool hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void line_add_json(struct line *line, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at && !line->cut) {
        char escaped[8];
        uint32_t c;
        size_t length = read_character(at, &c);

        if (length == 0)
            add_bytes(line, "\\ufffd", 6);
        else if (c == '"' || c == '\\')
            add_bytes(line, (char[]){'\\', (char)c}, 2);
        else if (hidden(c))
            add_bytes(
                line, escaped,
                (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)c));
        else
            add_bytes(line, (const char *)at, length);
        at += length ? length : 1;
    }
}

void escape_json(FILE *out, const char *json)
{
    const char *plain = json; /* not printed yet */

    while (*json) {
        uint32_t c;
        size_t size = read_character((const unsigned char *)json, &c);

        if (size > 0 && !hidden(c)) {
            json += size;
            continue;
        }
        fwrite(plain, 1, (size_t)(json - plain), out);
        fprintf(out, "\\u%04x", size ? (unsigned)c : 0xfffdU);
        json += size ? size : 1;
        plain = json;
    }
    fwrite(plain, 1, (size_t)(json - plain), out);
}

static void add_hex(struct line *line, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char escaped[8];

        snprintf(escaped, sizeof escaped, "\\x%02x", bytes[i]);
        add_bytes(line, escaped, 4);
    }
}

static void add_escaped(struct line *line, const char *text, bool quoted)
{
    static const char known[] = "\n\r\t", letters[] = "nrt";
    const unsigned char *at = (const unsigned char *)text;

    while (*at && !line->cut) {
        uint32_t c;
        size_t length = read_character(at, &c);
        const char *found = length == 1 ? strchr(known, (int)c) : NULL;

        if (found)
            add_bytes(line, (char[]){'\\', letters[found - known]}, 2);
        else if (length == 0 || hidden(c))
            add_hex(line, at, length ? length : 1);
        else if (quoted && (c == '"' || c == '\\'))
            add_bytes(line, (char[]){'\\', (char)c}, 2);
        else
            add_bytes(line, (const char *)at, length);
        at += length ? length : 1;
    }
}

static bool plain_word(const char *text)
{
    const char *at = text;

    while (*at > ' ' && *at < 0x7f && !strchr("\"\\=", *at))
        at++;
    return *text && !*at;
}

void line_add_value(struct line *line, const char *text)
{
    if (plain_word(text)) {
        line_add(line, text);
        return;
    }
    line_add(line, "\"");
    add_escaped(line, text, true);
    line_add(line, "\"");
}

void line_add_plain(struct line *line, const char *text)
{
    add_escaped(line, text, false);
}
