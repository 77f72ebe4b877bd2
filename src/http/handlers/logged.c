#include "logged.h"

#include "worker.h"

#include <inttypes.h>

enum dbk_code logged_read(const struct request *rq, uint64_t sequence,
                          struct dbk_record *records, size_t count,
                          struct dbk_error *err)
{
    struct dbk_batch *batch = &rq->worker->batch;

    if (dbk_log_read(rq->service->log, sequence - 1, count, count * DBK_RECORD_MAX,
                     batch, err) != DBK_OK)
        return err->code;
    if (batch->count < count)
        return dbk_fail(err, DBK_NOT_FOUND, "The log has no record %" PRIu64 " yet",
                        sequence + batch->count);
    for (size_t i = 0; i < count; i++) {
        const struct dbk_batch_entry *entry = &batch->entries[i];
        if (dbk_record_decode(batch->bytes + entry->offset, entry->length, &records[i],
                              err) != DBK_OK)
            return dbk_wrap(err, "record %" PRIu64, entry->sequence);
    }
    return DBK_OK;
}
