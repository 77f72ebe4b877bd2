#include "load_scan.h"

#include "load_watch.h"

enum { BATCH_RECORDS = 4096, BATCH_BYTES = 1 << 20 };

static enum dbk_code visit_batch(const struct dbk_batch *batch, load_visit *visit,
                                 void *context, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < batch->count && code == DBK_OK; i++) {
        const struct dbk_batch_entry *entry = &batch->entries[i];
        struct dbk_record record;

        code = dbk_record_decode(batch->bytes + entry->offset, entry->length, &record,
                                 err);
        if (code != DBK_OK)
            return dbk_wrap(err, "record %llu", (unsigned long long)entry->sequence);
        code = visit(context, &record, err);
    }
    return code;
}

enum dbk_code load_scan(const struct load_source *source, const char *phase,
                        load_visit *visit, void *context, struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    enum dbk_code code = DBK_OK;
    uint64_t at = 0;

    while (code == DBK_OK && at < source->to) {
        uint64_t left = source->to - at;

        code = watch_progress(source->watch, phase, "records", at, source->to, err);
        if (code == DBK_OK)
            code = dbk_log_read(source->log, at,
                                left < BATCH_RECORDS ? (size_t)left : BATCH_RECORDS,
                                BATCH_BYTES, &batch, err);
        if (code == DBK_OK && batch.count == 0)
            code = dbk_fail(err, DBK_DAMAGED, "the log ends at record %llu, not %llu",
                            (unsigned long long)at, (unsigned long long)source->to);
        if (code == DBK_OK)
            code = visit_batch(&batch, visit, context, err);
        at += batch.count;
    }
    dbk_batch_finish(&batch);
    return code;
}
