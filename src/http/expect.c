#include "expect.h"

#include "etag.h"

/* The client may name several versions. The writer is told the one the person has now,
 * and refuses where it has moved in between. */
enum dbk_code expect_person(const struct request *rq, struct dbk_command *command,
                            struct dbk_error *err)
{
    struct etag_versions versions;
    struct dbk_person_state person;

    if (etag_if_match(request_header(rq, "If-Match"), &versions, err) != DBK_OK)
        return err->code;
    if (versions.any)
        return DBK_OK;
    if (dbk_log_person(rq->service->log, &rq->match.id, &person, err) != DBK_OK)
        return err->code;
    if (person.deleted)
        return DBK_OK; /* the writer says that there is none */
    if (!etag_matches(&versions, person.version))
        return dbk_fail(err, DBK_MOVED, "the person has changed since that version");
    dbk_command_expect(command, person.version);
    return DBK_OK;
}

enum dbk_code expect_event(const struct request *rq, struct dbk_error *err)
{
    struct etag_versions versions;
    struct dbk_event_state event;

    if (etag_if_match(request_header(rq, "If-Match"), &versions, err) != DBK_OK)
        return err->code;
    if (versions.any)
        return DBK_OK;
    if (dbk_log_event(rq->service->log, &rq->match.id, &event, err) != DBK_OK)
        return err->code;
    if (!etag_matches(&versions, event.sequence))
        return dbk_fail(err, DBK_MOVED, "the event is not of that version");
    return DBK_OK;
}
