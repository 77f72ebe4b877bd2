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

enum dbk_code logged_again(const struct request *rq, uint64_t sequence,
                           struct dbk_record *records, size_t count,
                           struct dbk_error *err)
{
    enum dbk_code code = logged_read(rq, sequence, records, count, err);

    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        if (records[i].erased)
            code = dbk_fail(err, DBK_CONFLICT,
                            "It was recorded before, and has been erased or forgotten "
                            "since: what it said nobody knows any more");
    }
    return code;
}

enum dbk_code logged_event(const struct request *rq, const struct dbk_uuid *id,
                           struct dbk_record *event, uint64_t *sequence,
                           struct dbk_error *err)
{
    struct dbk_batch *batch = &rq->worker->batch;
    enum dbk_code code = dbk_log_read_event(rq->service->log, id, batch, event, err);

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "There is no event with this id");
    if (code == DBK_OK)
        *sequence = batch->entries[0].sequence;
    return code;
}

static enum dbk_code refuse(enum dbk_code code, const struct dbk_record *brought,
                            const char *why, struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&brought->subject, id);
    return dbk_fail(err, code, "The event %s %s", id, why);
}

enum dbk_code logged_compare(const struct request *rq, const struct dbk_record *brought,
                             uint64_t sequence, struct dbk_record *logged,
                             struct dbk_error *err)
{
    if (logged_again(rq, sequence, logged, 1, err) != DBK_OK)
        return err->code;
    if (dbk_body_same_event(brought, logged))
        return DBK_OK;
    return refuse(DBK_EXISTS, brought,
                  "is there already, with other content; events are never "
                  "overwritten",
                  err);
}

enum dbk_code logged_check(const struct request *rq, const struct dbk_record *brought,
                           struct dbk_error *err)
{
    struct dbk_event_state state;
    struct dbk_record logged;

    if (dbk_log_event(rq->service->log, &brought->subject, &state, err) != DBK_OK)
        return err->code;
    if (state.deleted_sequence != 0)
        return refuse(DBK_CONFLICT, brought, "was deleted; its id cannot be used again",
                      err);
    return logged_compare(rq, brought, state.sequence, &logged, err);
}

enum dbk_code logged_person_tag(const struct request *rq, uint64_t version,
                                struct dbk_slice content, char tag[ETAG_MAX],
                                struct dbk_error *err)
{
    uint32_t checksum;

    if (dbk_log_checksum(rq->service->log, version, &checksum, err) != DBK_OK)
        return err->code;
    etag_format_record(tag, version, checksum, content);
    return DBK_OK;
}
