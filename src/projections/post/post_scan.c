#include "post_scan.h"

#include <assert.h>
#include <stdlib.h>

enum { NEAR = 16 }; /* reading so many records in between is cheaper than a new span */

void post_scan_init(struct post_scan *scan)
{
    fold_index_init(&scan->persons);
}

void post_scan_finish(struct post_scan *scan)
{
    fold_index_finish(&scan->persons);
    free(scan->spans);
}

enum dbk_code post_scan_begin(struct post_scan *scan, const struct post_row *rows,
                              size_t count, struct dbk_error *err)
{
    uint64_t from = UINT64_MAX;

    fold_index_clear(&scan->persons);
    scan->span_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].scan_from < from)
            from = rows[i].scan_from;
        if (!fold_index_put(&scan->persons, &rows[i].person_id))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    scan->done = from - 1;
    return DBK_OK;
}

static bool note(struct post_scan *scan, uint64_t sequence)
{
    size_t size = scan->spans_size ? scan->spans_size * 2 : 64;
    struct post_span *bigger;

    assert(sequence > scan->done); /* so spans rise, and do not overlap */
    if (scan->span_count > 0 &&
        sequence - scan->spans[scan->span_count - 1].last <= NEAR) {
        scan->spans[scan->span_count - 1].last = sequence;
        return true;
    }
    if (scan->span_count == scan->spans_size) {
        bigger = realloc(scan->spans, size * sizeof *bigger);
        if (!bigger)
            return false;
        scan->spans = bigger;
        scan->spans_size = size;
    }
    scan->spans[scan->span_count++] = (struct post_span){sequence, sequence};
    return true;
}

/* Whether it is one of theirs. Others that cannot be read have rows of their own. */
static bool concerns(const struct post_scan *scan, const struct dbk_batch *batch,
                     size_t i)
{
    struct dbk_record record;

    return dbk_batch_record(batch, i, &record, NULL) == DBK_OK &&
           fold_index_find(&scan->persons, dbk_record_person(&record), NULL);
}

bool post_scan_done(const struct post_scan *scan, const struct poster *poster)
{
    return scan->done >= poster->projected;
}

enum dbk_code post_scan_slice(struct post_scan *scan, struct poster *poster,
                              struct dbk_error *err)
{
    const struct dbk_batch *batch = &poster->batch;
    enum dbk_code code = poster_read(poster, scan->done, poster->projected, err);

    if (code == DBK_OK && batch->count == 0)
        code = dbk_fail(err, DBK_IO, "the log ends before the checkpoint");
    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < batch->count; i++) {
        if (concerns(scan, batch, i) && !note(scan, batch->entries[i].sequence))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
        scan->done = batch->entries[i].sequence;
    }
    return DBK_OK;
}
