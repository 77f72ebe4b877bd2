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

/* From the last row to the first, so that each moves behind what has not moved yet. */
bool rows_close(struct dbk_rows *rows, const struct rows_closing *closings,
                size_t count)
{
    static const char blank[64];
    size_t more = 0, left;
    char *text;

    for (size_t i = 0; i < count; i++)
        more += closings[i].text.length - 1;
    for (left = more; left > 0; left -= left < sizeof blank ? left : sizeof blank)
        dbk_render_raw(&rows->json, blank, left < sizeof blank ? left : sizeof blank);
    if (dbk_render_code(&rows->json) != DBK_OK) {
        rows->no_memory = true;
        return false;
    }
    text = rows->json.text;
    for (size_t at = rows->count; more > 0; at--) {
        struct dbk_row *row = &rows->rows[at - 1];
        bool closes = count > 0 && closings[count - 1].row == at - 1;
        struct dbk_slice closing =
            closes ? closings[--count].text : (struct dbk_slice){NULL, 0};
        size_t kept = row->length - closes;

        if (closes)
            memcpy(text + row->offset + more + kept - (closing.length - 1),
                   closing.data, closing.length);
        more -= closes ? closing.length - 1 : 0;
        memmove(text + row->offset + more, text + row->offset, kept);
        row->offset += more;
        row->length = kept + closing.length;
    }
    return true;
}

void dbk_rows_finish(struct dbk_rows *rows)
{
    free(rows->rows);
    dbk_render_finish(&rows->json);
    *rows = (struct dbk_rows){0};
}
