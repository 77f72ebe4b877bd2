/* Where in the log the records of those lie who are to be tried again. Looked for slice by
 * slice, and the projector follows in between: the log may be long. */
#include "projector_private.h"

#include <stdlib.h>

enum { SLICE_RECORDS = 4096, SLICE_BYTES = 4 << 20 };
enum { NEAR = 16 }; /* reading so many records in between is cheaper than a new span */

void projector_scan_init(struct projector_scan *scan)
{
    fold_index_init(&scan->persons);
}

void projector_scan_free(struct projector_scan *scan)
{
    fold_index_free(&scan->persons);
    free(scan->spans);
}

enum dbk_code projector_scan_begin(struct projector_scan *scan,
                                   const struct projector_retry_row *rows, size_t count,
                                   struct dbk_error *err)
{
    uint64_t from = UINT64_MAX;

    fold_index_clear(&scan->persons);
    scan->span_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].scan_from < from)
            from = rows[i].scan_from;
        if (!fold_index_find(&scan->persons, &rows[i].person_id, NULL) &&
            !fold_index_add(&scan->persons, &rows[i].person_id, 0))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    scan->done = from - 1;
    return DBK_OK;
}

static bool note(struct projector_scan *scan, uint64_t sequence)
{
    size_t size = scan->spans_size ? scan->spans_size * 2 : 64;
    struct projector_span *bigger;

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
    scan->spans[scan->span_count++] = (struct projector_span){sequence, sequence};
    return true;
}

/* Whether it is one of theirs. Others that cannot be read have rows of their own. */
static bool concerns(const struct projector_scan *scan, const struct dbk_batch *batch,
                     size_t i)
{
    struct dbk_record record;

    return dbk_record_decode(batch->bytes + batch->entries[i].offset,
                             batch->entries[i].length, &record, NULL) == DBK_OK &&
           fold_index_find(&scan->persons, dbk_record_person(&record), NULL);
}

bool projector_scan_done(const struct dbk_projector *self)
{
    return self->retry.scan.done >= self->projected;
}

enum dbk_code projector_scan_slice(struct dbk_projector *self, struct dbk_error *err)
{
    struct projector_scan *scan = &self->retry.scan;
    const struct dbk_batch *batch = &self->batch;
    uint64_t left = self->projected - scan->done;
    enum dbk_code code =
        dbk_log_read(self->log, scan->done, left < SLICE_RECORDS ? left : SLICE_RECORDS,
                     SLICE_BYTES, &self->batch, err);

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
