/* Answered rows: one buffer of JSON, one array that says where each begins. */
#include "rows.h"

#include <assert.h>
#include <stdlib.h>

void rows_clear(struct dbk_rows *rows)
{
    dbk_render_clear(&rows->json);
    rows->count = 0;
    rows->more = rows->no_memory = false;
}

/* Where the last row ends. */
static size_t end_of(const struct dbk_rows *rows)
{
    const struct dbk_row *last;

    if (rows->count == 0)
        return 0;
    last = &rows->rows[rows->count - 1];
    return last->offset + last->length;
}

void rows_truncate(struct dbk_rows *rows, size_t count)
{
    assert(count <= rows->count);
    rows->count = count;
    rows->json.length = end_of(rows);
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

bool rows_end(struct dbk_rows *rows, const struct dbk_row *row)
{
    size_t start = end_of(rows);
    struct dbk_row *added;

    if (dbk_render_code(&rows->json) != DBK_OK || !room_for_row(rows)) {
        rows->no_memory = true;
        rows_truncate(rows, rows->count);
        return false;
    }
    assert(start <= rows->json.length); /* nothing takes back what was a row */
    added = &rows->rows[rows->count++];
    *added = *row;
    added->offset = start;
    added->length = rows->json.length - start;
    return true;
}

void dbk_rows_finish(struct dbk_rows *rows)
{
    free(rows->rows);
    dbk_render_finish(&rows->json);
    *rows = (struct dbk_rows){0};
}
