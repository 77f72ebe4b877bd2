/* Answered rows: one buffer of JSON, one array that says where each begins. */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

void rows_clear(struct dbk_rows *rows)
{
    rows_truncate(rows, 0);
    rows->more = rows->no_memory = false;
}

void rows_truncate(struct dbk_rows *rows, size_t count)
{
    rows->count = count;
    rows->bytes_used =
        count > 0 ? rows->rows[count - 1].offset + rows->rows[count - 1].length : 0;
}

static bool room_for_bytes(struct dbk_rows *rows, size_t length)
{
    size_t size = rows->bytes_size ? rows->bytes_size : 4096;
    char *bytes;

    if (rows->no_memory)
        return false;
    while (size - rows->bytes_used < length)
        size *= 2;
    if (size == rows->bytes_size)
        return true;
    bytes = realloc(rows->bytes, size);
    if (!bytes) {
        rows->no_memory = true;
        return false;
    }
    rows->bytes = bytes;
    rows->bytes_size = size;
    return true;
}

void rows_raw(struct dbk_rows *rows, const char *bytes, size_t length)
{
    if (length == 0 || !room_for_bytes(rows, length))
        return;
    memcpy(rows->bytes + rows->bytes_used, bytes, length);
    rows->bytes_used += length;
}

void rows_uuid(struct dbk_rows *rows, const struct dbk_uuid *id)
{
    char text[DBK_UUID_TEXT + 1];

    dbk_uuid_format(id, text);
    rows_text(rows, "\"");
    rows_raw(rows, text, DBK_UUID_TEXT);
    rows_text(rows, "\"");
}

void rows_timestamp(struct dbk_rows *rows, dbk_timestamp at)
{
    char text[DBK_TIMESTAMP_TEXT + 1];

    dbk_timestamp_format(at, text);
    rows_text(rows, "\"");
    rows_raw(rows, text, DBK_TIMESTAMP_TEXT);
    rows_text(rows, "\"");
}

/* What to_json(text) of PostgreSQL escapes, and how (escape_json). */
static void put_escaped(struct dbk_rows *rows, unsigned char byte)
{
    static const char names[] = "b\bf\fn\nr\rt\t\"\"\\\\";
    static const char digits[] = "0123456789abcdef";
    char text[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};

    for (const char *name = names; *name; name += 2) {
        if ((unsigned char)name[1] == byte) {
            text[1] = name[0];
            rows_raw(rows, text, 2);
            return;
        }
    }
    rows_raw(rows, text, sizeof text);
}

void rows_string(struct dbk_rows *rows, struct dbk_slice text)
{
    size_t plain = 0;

    rows_text(rows, "\"");
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        rows_raw(rows, text.data + plain, i - plain);
        put_escaped(rows, byte);
        plain = i + 1;
    }
    rows_raw(rows, text.data + plain, text.length - plain);
    rows_text(rows, "\"");
}

static bool room_for_row(struct dbk_rows *rows)
{
    size_t size = rows->rows_size ? rows->rows_size * 2 : 64;
    struct dbk_row *bigger;

    if (rows->count < rows->rows_size)
        return true;
    bigger = realloc(rows->rows, size * sizeof *bigger);
    if (!bigger)
        return false;
    rows->rows = bigger;
    rows->rows_size = size;
    return true;
}

bool rows_end(struct dbk_rows *rows, uint64_t cursor, uint64_t version)
{
    size_t start = rows->count > 0 ? rows->rows[rows->count - 1].offset +
                                         rows->rows[rows->count - 1].length
                                   : 0;

    if (rows->no_memory || !room_for_row(rows)) {
        rows->no_memory = true;
        rows_truncate(rows, rows->count);
        return false;
    }
    rows->rows[rows->count++] =
        (struct dbk_row){cursor, version, start, rows->bytes_used - start};
    return true;
}

void dbk_rows_finish(struct dbk_rows *rows)
{
    free(rows->rows);
    free(rows->bytes);
    *rows = (struct dbk_rows){0};
}
