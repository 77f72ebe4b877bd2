#include "store/erasure.h"

#include "history_private.h"
#include "log_state.h"

#include <stdlib.h>

enum { PAGE = 4096 };

/* The person.erased is the last record of who was erased. */
static enum dbk_code find_record(struct dbk_log *log, const struct dbk_uuid *id,
                                 struct dbk_batch *batch, struct dbk_record *record,
                                 struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code = dbk_log_person(log, id, &person, err);

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "no person has or had this id");
    if (code != DBK_OK)
        return code;
    if (!person.erased)
        return dbk_fail(err, DBK_CONFLICT, "the person %s not erased",
                        person.deleted ? "was deleted, and" : "is there, and");
    code = dbk_log_record(log, person.version, batch, record, err);
    if (code == DBK_OK && record->type != DBK_PERSON_ERASED)
        code =
            dbk_fail(err, DBK_CONFLICT,
                     "no record says that the person was erased, and the ring of keys "
                     "does: the log was put back to an earlier state. Erase the "
                     "person again");
    return code;
}

static enum dbk_code count(struct dbk_history *history,
                           const struct dbk_person_records *records, uint64_t look_max,
                           struct dbk_erasure *out, struct dbk_error *err)
{
    uint64_t *sequences = calloc(PAGE, sizeof *sequences);
    struct dbk_history_page page = {.limit = PAGE, .sequences = sequences};
    struct history_count so_far = {
        .person = out->person, .erased = out->sequence, .erased_at = out->erased_at};
    uint64_t looked = 0;
    enum dbk_code code;

    if (!sequences)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to look at a history");
    history_recall_count(history, &so_far);
    page.after = so_far.after;
    out->records = so_far.records;
    do { /* a page that has room left, and yet more behind it, has looked enough */
        page.look_max = look_max > 0 ? look_max - looked : 0;
        code = dbk_history_find(history, records, &page, err);
        out->records += code == DBK_OK ? page.count : 0;
        looked += page.looked;
    } while (code == DBK_OK && page.more && page.count == PAGE &&
             (look_max == 0 || looked < look_max));
    out->counted = !page.more;
    so_far.after = page.after;
    so_far.records = out->records;
    if (code == DBK_OK)
        history_keep_count(history, &so_far);
    free(sequences);
    return code;
}

static enum dbk_code ask_ring(struct dbk_log *log, struct dbk_erasure *out,
                              struct dbk_error *err)
{
    if (!log->sealed || !log->options.keys)
        return DBK_OK;
    out->has_ring = true;
    if (dbk_keys_state(log->options.keys, &out->ring, err) != DBK_OK)
        return err->code;
    out->destroyed = out->ring.erased_through >= out->sequence;
    out->complete = out->ring.rotated_through >= out->sequence;
    return DBK_OK;
}

enum dbk_code dbk_erasure_find(struct dbk_log *log, struct dbk_history *history,
                               const struct dbk_uuid *person, uint64_t look_max,
                               struct dbk_erasure *out, struct dbk_error *err)
{
    struct dbk_person_records records;
    struct dbk_record record;
    enum dbk_code code;

    *out = (struct dbk_erasure){.person = *person};
    code = find_record(log, person, &out->batch, &record, err);
    if (code == DBK_OK) {
        out->bytes = (struct dbk_slice){out->batch.bytes + out->batch.entries[0].offset,
                                        out->batch.entries[0].length};
        out->sequence = record.sequence;
        out->erased_at = record.recorded_at;
        out->keys = record.keys.length / sizeof(uint64_t);
        dbk_person_records_erased(&records, log, person, record.keys);
        code = count(history, &records, look_max, out, err);
    }
    if (code == DBK_OK)
        code = ask_ring(log, out, err);
    return code;
}

void dbk_erasure_finish(struct dbk_erasure *erasure)
{
    dbk_batch_finish(&erasure->batch);
}
