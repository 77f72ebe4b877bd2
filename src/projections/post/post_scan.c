#include "post_scan.h"

#include <assert.h>
#include <stdlib.h>

enum { NEAR = 16 }; /* reading so many records in between is cheaper than a new span */

void post_wanted_init(struct post_wanted *wanted)
{
    fold_index_init(&wanted->persons);
    fold_index_init(&wanted->anonymous);
    anonymous_secret_init(&wanted->secret);
}

void post_wanted_finish(struct post_wanted *wanted)
{
    fold_index_finish(&wanted->persons);
    fold_index_finish(&wanted->anonymous);
}

static bool want(struct post_wanted *wanted, const struct post_row *row)
{
    struct dbk_uuid key;

    if (!*row->anonymous_id)
        return fold_index_put(&wanted->persons, &row->person_id);
    key = anonymous_key(&wanted->secret, dbk_slice(row->anonymous_id));
    return fold_index_put(&wanted->anonymous, &key);
}

enum dbk_code post_wanted_set(struct post_wanted *wanted, const struct post_row *rows,
                              size_t count, struct dbk_error *err)
{
    fold_index_clear(&wanted->persons);
    fold_index_clear(&wanted->anonymous);
    for (size_t i = 0; i < count; i++) {
        if (!want(wanted, &rows[i]))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    return DBK_OK;
}

enum dbk_code post_wanted_has(const struct post_wanted *wanted, struct poster *poster,
                              const struct dbk_record *record, bool *has,
                              struct dbk_error *err)
{
    struct post_party party;
    struct dbk_uuid key;
    bool nobody;
    enum dbk_code code;

    *has = false;
    if (wanted->anonymous.count == 0 &&
        !fold_index_find(&wanted->persons, dbk_record_person(record), NULL))
        return DBK_OK;
    code = post_party(poster->log, record, &poster->event, &party, &nobody, err);
    if (code != DBK_OK || nobody)
        return code;
    if (party.anonymous_id.length == 0) {
        *has = fold_index_find(&wanted->persons, &party.person_id, NULL);
    } else {
        key = anonymous_key(&wanted->secret, party.anonymous_id);
        *has = fold_index_find(&wanted->anonymous, &key, NULL);
    }
    return DBK_OK;
}

void post_scan_init(struct post_scan *scan)
{
    post_wanted_init(&scan->wanted);
    post_claims_init(&scan->claims);
}

void post_scan_finish(struct post_scan *scan)
{
    post_wanted_finish(&scan->wanted);
    post_claims_finish(&scan->claims);
    free(scan->spans);
}

enum dbk_code post_scan_begin(struct post_scan *scan, const struct post_row *rows,
                              size_t count, struct dbk_error *err)
{
    uint64_t from = UINT64_MAX;

    scan->span_count = 0;
    post_claims_clear(&scan->claims);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].scan_from < from)
            from = rows[i].scan_from;
        if (*rows[i].anonymous_id &&
            !post_claims_add(&scan->claims, dbk_slice(rows[i].anonymous_id)))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    scan->done = from - 1;
    return post_wanted_set(&scan->wanted, rows, count, err);
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

static enum dbk_code out_of_memory(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

/* What cannot be read has a row of its own. */
static enum dbk_code look_at(struct post_scan *scan, struct poster *poster, size_t i,
                             struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code = dbk_batch_record(&poster->batch, i, &record, err);
    bool theirs;

    if (code != DBK_OK)
        return poster_data_fault(code) ? DBK_OK : code;
    if (post_wanted_has(&scan->wanted, poster, &record, &theirs, err) != DBK_OK)
        return err->code;
    if (theirs && record.type == DBK_PERSON_ALIASED && !record.erased &&
        !post_claims_add(&scan->claims, record.anonymous_id))
        return out_of_memory(err);
    if (!post_claims_note(&scan->claims, &record))
        return out_of_memory(err);
    return theirs && !note(scan, record.sequence) ? out_of_memory(err) : DBK_OK;
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
    for (size_t i = 0; i < batch->count && code == DBK_OK; i++) {
        code = look_at(scan, poster, i, err);
        if (code == DBK_OK)
            scan->done = batch->entries[i].sequence;
    }
    return code;
}
