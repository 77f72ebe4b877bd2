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
        if (dbk_batch_record(batch, i, &records[i], err) != DBK_OK)
            return err->code;
    }
    return DBK_OK;
}

enum dbk_code logged_event(const struct request *rq, const struct dbk_uuid *id,
                           struct dbk_record *event, uint64_t *sequence,
                           struct dbk_error *err)
{
    struct dbk_batch *batch = &rq->worker->batch;
    enum dbk_code code = dbk_log_read_event(rq->service->log, id, batch, err);

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "There is no event with this id");
    if (code != DBK_OK)
        return code;
    *sequence = batch->entries[0].sequence;
    return dbk_batch_record(batch, 0, event, err);
}
