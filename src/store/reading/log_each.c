#include "log_read.h"
#include "sealed.h"
#include "store/log.h"

#include <string.h>

enum { BATCH_RECORDS = 4096, BATCH_BYTES = 1 << 20 };

/* Its own key is there still, as before months had one; nobody is to be told all the same. What
 * was opened is wiped, and the record is as it was decoded first. */
static void shut_expired(const struct dbk_batch *batch,
                         const struct dbk_batch_entry *entry, struct dbk_record *record)
{
    char *bytes = batch->bytes + entry->offset;

    if (record->type != DBK_EVENT_RECORDED || entry->sequence > batch->expired ||
        record->sealed.length == 0 || record->erased)
        return;
    explicit_bzero(bytes + entry->length, record->sealed.length);
    dbk_record_decode(bytes, entry->length, record, NULL);
    record->erased = record->expired = true;
}

enum dbk_code dbk_batch_record(const struct dbk_batch *batch, size_t i,
                               struct dbk_record *record, struct dbk_error *err)
{
    const struct dbk_batch_entry *entry = &batch->entries[i];

    char *bytes = batch->bytes + entry->offset;

    /* Behind the bytes of one that is sealed is room for what it says. */
    if (dbk_record_decode(bytes, entry->length, record, err) == DBK_OK &&
        sealed_open_record(batch->keys, record, bytes + entry->length, err) == DBK_OK) {
        shut_expired(batch, entry, record);
        return DBK_OK;
    }
    return dbk_wrap(err, "record %llu", (unsigned long long)entry->sequence);
}

bool dbk_record_lacks_key(enum dbk_code code, const struct dbk_record *record)
{
    return code == DBK_DAMAGED && record->damaged > 0;
}

/* The next records, not past `to`. Sequences have no gaps: none is a log cut short. */
static enum dbk_code read_some(struct dbk_log *log, uint64_t after, uint64_t to,
                               struct dbk_batch *batch, struct dbk_error *err)
{
    uint64_t left = to - after;
    enum dbk_code code =
        dbk_log_read(log, after, left < BATCH_RECORDS ? (size_t)left : BATCH_RECORDS,
                     BATCH_BYTES, batch, err);

    if (code == DBK_OK && batch->count == 0)
        code = dbk_fail(err, DBK_DAMAGED, "the log ends at record %llu, not %llu",
                        (unsigned long long)after, (unsigned long long)to);
    return code;
}

enum dbk_code dbk_log_record(struct dbk_log *log, uint64_t sequence,
                             struct dbk_batch *batch, struct dbk_record *record,
                             struct dbk_error *err)
{
    enum dbk_code code = read_some(log, sequence - 1, sequence, batch, err);

    *record = (struct dbk_record){.format = 0}; /* where nothing was decoded */
    return code == DBK_OK ? dbk_batch_record(batch, 0, record, err) : code;
}

static enum dbk_code visit_batch(const struct dbk_batch *batch,
                                 const struct dbk_log_visitor *visitor,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < batch->count && code == DBK_OK; i++) {
        struct dbk_record record;

        code = dbk_batch_record(batch, i, &record, err);
        if (code == DBK_OK)
            code = visitor->record(visitor->context, &record, err);
        else if (visitor->unreadable &&
                 (code == DBK_DAMAGED || code == DBK_UNSUPPORTED))
            code = visitor->unreadable(visitor->context, err);
    }
    return code;
}

enum dbk_code dbk_log_each(struct dbk_log *log, uint64_t after, uint64_t to,
                           const struct dbk_log_visitor *visitor, struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && after < to) {
        if (visitor->before)
            code = visitor->before(visitor->context, after, err);
        if (code == DBK_OK)
            code = read_some(log, after, to, &batch, err);
        if (code != DBK_OK)
            break;
        code = visit_batch(&batch, visitor, err);
        after = batch.entries[batch.count - 1].sequence;
    }
    dbk_batch_finish(&batch);
    return code;
}
