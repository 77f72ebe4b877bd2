#include "expect.h"

#include "etag.h"

static bool expects(const struct request *rq)
{
    return request_header(rq, "If-Match") || request_header(rq, "If-None-Match");
}

/* Source: RFC 9110, section 13.1.2. */
enum dbk_code expect_excluded(const struct request *rq, uint64_t version,
                              struct dbk_error *err)
{
    const char *header = request_header(rq, "If-None-Match");
    struct etag_versions versions;
    uint32_t checksum = 0;

    if (!header)
        return DBK_OK;
    if (etag_excluded(header, &versions, err) != DBK_OK)
        return err->code;
    if (versions.any)
        return dbk_fail(err, DBK_MOVED,
                        "It is there, and If-None-Match says it is not");
    if (dbk_log_checksum(rq->service->log, version, &checksum, err) != DBK_OK)
        return err->code;
    if (etag_matches(&versions, version, checksum))
        return dbk_fail(err, DBK_MOVED,
                        "It is at a version that If-None-Match excludes");
    return DBK_OK;
}

enum dbk_code expect_version(const struct request *rq, uint64_t version, bool *asked,
                             struct dbk_error *err)
{
    uint32_t checksum = 0;
    struct etag_versions versions;

    *asked = false;
    if (etag_if_match(request_header(rq, "If-Match"), &versions, err) != DBK_OK)
        return err->code;
    if (!versions.any &&
        dbk_log_checksum(rq->service->log, version, &checksum, err) != DBK_OK)
        return err->code;
    if (!etag_matches(&versions, version, checksum))
        return dbk_fail(err, DBK_MOVED, "It has changed since the version of If-Match");
    *asked = !versions.any;
    return expect_excluded(rq, version, err);
}

/* The client may name several versions. The writer is told the one the person has now,
 * and refuses where it has moved in between. */
static enum dbk_code expect_one(const struct request *rq, bool erases,
                                struct dbk_command *command, struct dbk_error *err)
{
    struct dbk_person_state person;
    bool asked;

    if (!expects(rq))
        return DBK_OK;
    if (dbk_log_person(rq->service->log, &rq->match.id, &person, err) != DBK_OK)
        return err->code;
    if (erases ? person.erased : person.deleted)
        return DBK_OK; /* the writer says that there is none, or nothing more to do */
    if (expect_version(rq, person.version, &asked, err) != DBK_OK)
        return err->code;
    if (asked)
        dbk_command_expect(command, person.version);
    return DBK_OK;
}

enum dbk_code expect_person(const struct request *rq, struct dbk_command *command,
                            struct dbk_error *err)
{
    return expect_one(rq, false, command, err);
}

enum dbk_code expect_erased(const struct request *rq, struct dbk_command *command,
                            struct dbk_error *err)
{
    return expect_one(rq, true, command, err);
}

enum dbk_code expect_event(const struct request *rq, struct dbk_error *err)
{
    struct dbk_person_state person = {0};
    struct dbk_event_state event;
    bool asked;

    if (!expects(rq))
        return DBK_OK;
    if (dbk_log_event(rq->service->log, &rq->match.id, &event, err) != DBK_OK)
        return err->code;
    if (!dbk_uuid_is_nil(&event.person_id) && /* else it is nobody's */
        dbk_log_person(rq->service->log, &event.person_id, &person, err) != DBK_OK)
        return err->code;
    if (event.deleted_sequence != 0 || person.deleted)
        return DBK_OK; /* as above */
    return expect_version(rq, event.sequence, &asked, err);
}
