#include "store/render.h"

#include "store/decimal.h"
#include "store/json_plain.h"
#include "store/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_SIZE 512

void dbk_render_init(struct dbk_render *render, size_t limit)
{
    *render = (struct dbk_render){.limit = limit};
}

void dbk_render_finish(struct dbk_render *render)
{
    free(render->text);
    dbk_render_init(render, render->limit);
}

void dbk_render_clear(struct dbk_render *render)
{
    /* What is kept is memory, not what was said of a person. */
    if (render->length > 0)
        explicit_bzero(render->text, render->length);
    render->length = 0;
    render->replaced = false;
    render->code = DBK_OK;
}

void dbk_render_trim(struct dbk_render *render, size_t kept)
{
    if (render->size > kept)
        dbk_render_finish(render);
    else
        dbk_render_clear(render);
}

void dbk_render_take(struct dbk_render *render, struct dbk_render *from)
{
    dbk_render_clear(from);
    free(render->text);
    render->length = 0;
    render->text = from->text;
    render->size = from->size;
    assert(render->limit == 0 || render->size <= render->limit);
    dbk_render_clear(render);
    from->text = NULL;
    from->size = 0;
    dbk_render_clear(from);
}

enum dbk_code dbk_render_code(const struct dbk_render *render)
{
    return render->code;
}

/* Make room for more bytes behind the text; false once anything has failed. */
static bool reserve(struct dbk_render *render, size_t more)
{
    size_t size = render->size ? render->size : FIRST_SIZE;
    char *text;

    if (render->code != DBK_OK)
        return false;
    if (more <= render->size - render->length)
        return true;
    if (render->limit > 0 && more > render->limit - render->length) {
        render->code = DBK_TOO_LARGE;
        return false;
    }
    while (size < render->length + more)
        size *= 2;
    if (render->limit > 0 && size > render->limit)
        size = render->limit;
    text = realloc(render->text, size);
    if (!text) {
        render->code = DBK_NO_MEMORY;
        return false;
    }
    render->text = text;
    render->size = size;
    return true;
}

void dbk_render_grow(struct dbk_render *render, const char *bytes, size_t length)
{
    if (length == 0 || !reserve(render, length))
        return;
    memcpy(render->text + render->length, bytes, length);
    render->length += length;
}

void dbk_render_json(struct dbk_render *render, struct dbk_slice json)
{
    static const char breaks[] = {'\n', '\r'};
    size_t start = render->length;

    dbk_render_raw(render, json.data, json.length);
    for (size_t i = 0; i < sizeof breaks && render->length > start; i++) {
        char *at = render->text + start, *end = render->text + render->length;
        while (at < end && (at = memchr(at, breaks[i], (size_t)(end - at))))
            *at = ' ';
    }
}

/* The two-character escape of a byte, or NULL. */
static const char *short_escape(unsigned char byte)
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    }
    return NULL;
}

static void write_escaped(struct dbk_render *render, unsigned char byte)
{
    const char *escape = short_escape(byte);
    char text[8];

    if (!escape) {
        snprintf(text, sizeof text, "\\u%04x", byte);
        escape = text;
    }
    dbk_render_text(render, escape);
}

/* How many bytes from at on can be written as they are. */
static size_t plain_length(const char *at, const char *end)
{
    const char *start = at;
    uint32_t point;

    for (;;) {
        size_t length;
        at += dbk_json_plain(at, end);
        if (at == end || (unsigned char)*at < 0x80)
            break;
        length = dbk_utf8_decode(at, end, &point);
        if (length == 0)
            break;
        at += length;
    }
    return (size_t)(at - start);
}

void dbk_render_string(struct dbk_render *render, struct dbk_slice text)
{
    const char *at = text.data, *end = text.data + text.length;

    dbk_render_raw(render, "\"", 1);
    while (at < end) {
        size_t plain = plain_length(at, end);
        dbk_render_raw(render, at, plain);
        at += plain;
        if (at == end)
            break;
        if ((unsigned char)*at < 0x80) {
            write_escaped(render, (unsigned char)*at);
        } else {
            dbk_render_text(render, "\xEF\xBF\xBD"); /* U+FFFD */
            render->replaced = true;
        }
        at++;
    }
    dbk_render_raw(render, "\"", 1);
}

void dbk_render_named(struct dbk_render *render, const char *name,
                      struct dbk_slice text)
{
    dbk_render_text(render, name);
    if (text.length > 0)
        dbk_render_string(render, text);
    else
        dbk_render_text(render, "null");
}

void dbk_render_number(struct dbk_render *render, uint64_t number)
{
    char text[DECIMAL_MAX + 1];

    dbk_render_raw(render, text, decimal_format(number, text));
}

void dbk_render_uuid(struct dbk_render *render, const struct dbk_uuid *id)
{
    char text[DBK_UUID_TEXT + 3];

    text[0] = '"';
    dbk_uuid_format(id, text + 1);
    text[DBK_UUID_TEXT + 1] = '"';
    dbk_render_raw(render, text, DBK_UUID_TEXT + 2);
}

void dbk_render_timestamp(struct dbk_render *render, dbk_timestamp at)
{
    char text[DBK_TIMESTAMP_TEXT + 4];
    size_t length = DBK_TIMESTAMP_TEXT + 1;

    text[0] = '"';
    dbk_timestamp_format(at, text + 1);
    if (render->zone)
        text[length++] = 'Z';
    text[length++] = '"';
    dbk_render_raw(render, text, length);
}
