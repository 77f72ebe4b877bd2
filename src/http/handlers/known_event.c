#include "known_event.h"

#include "logged.h"

static enum dbk_code conflict(const struct dbk_record *brought, const char *why,
                              struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&brought->subject, id);
    return dbk_fail(err, DBK_CONFLICT, "The event %s %s", id, why);
}

enum dbk_code known_event_compare(const struct request *rq,
                                  const struct dbk_record *brought, uint64_t sequence,
                                  struct dbk_record *logged, struct dbk_error *err)
{
    if (logged_read(rq, sequence, logged, 1, err) != DBK_OK)
        return err->code;
    if (dbk_body_same_event(brought, logged))
        return DBK_OK;
    return conflict(brought,
                    "is there already, with other content; events are never "
                    "overwritten",
                    err);
}

enum dbk_code known_event_check(const struct request *rq,
                                const struct dbk_record *brought, struct dbk_error *err)
{
    struct dbk_event_state state;
    struct dbk_record logged;

    if (dbk_log_event(rq->service->log, &brought->subject, &state, err) != DBK_OK)
        return err->code;
    if (state.deleted_sequence != 0)
        return conflict(brought, "was deleted; its id cannot be used again", err);
    return known_event_compare(rq, brought, state.sequence, &logged, err);
}
