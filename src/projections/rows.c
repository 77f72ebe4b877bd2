/* Answered rows: one buffer of JSON, one array that says where each begins. */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

void rows_clear(struct dbk_rows *rows)
{
    rows_truncate(rows, 0);
    rows->more = false;
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

    while (size - rows->bytes_used < length)
        size *= 2;
    if (size == rows->bytes_size)
        return true;
    bytes = realloc(rows->bytes, size);
    if (!bytes)
        return false;
    rows->bytes = bytes;
    rows->bytes_size = size;
    return true;
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

bool rows_add(struct dbk_rows *rows, uint64_t cursor, uint64_t version,
              struct dbk_slice json)
{
    if (!room_for_bytes(rows, json.length) || !room_for_row(rows))
        return false;
    if (json.length > 0)
        memcpy(rows->bytes + rows->bytes_used, json.data, json.length);
    rows->rows[rows->count++] =
        (struct dbk_row){cursor, version, rows->bytes_used, json.length};
    rows->bytes_used += json.length;
    return true;
}

void dbk_rows_finish(struct dbk_rows *rows)
{
    free(rows->rows);
    free(rows->bytes);
    *rows = (struct dbk_rows){0};
}
