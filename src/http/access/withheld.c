#include "withheld.h"

#include "http/tokens.h"
#include "worker.h"

static bool sees_all(const struct request *rq)
{
    return (rq->scopes & DBK_SCOPE_ADMIN) != 0;
}

enum dbk_code withheld_refuse(struct request *rq, struct dbk_error *err)
{
    rq->failure = 403;
    return dbk_fail(err, DBK_INVALID,
                    "The person is restricted: what is held of the person is kept, and "
                    "shown only to tokens with the scope admin");
}

enum dbk_code withheld_check(struct request *rq, const struct dbk_uuid *person,
                             struct dbk_error *err)
{
    uint64_t since = 0;

    if (sees_all(rq))
        return DBK_OK;
    if (dbk_log_restricted(rq->service->log, person, &since, err) != DBK_OK)
        return err->code;
    return since == 0 ? DBK_OK : withheld_refuse(rq, err);
}

bool withheld_is(const struct request *rq, const struct dbk_uuid *person)
{
    uint64_t since = 0;

    return !sees_all(rq) &&
           (dbk_log_restricted(rq->service->log, person, &since, NULL) != DBK_OK ||
            since > 0);
}

/* The head is looked at first: what follows from it is as of that, or newer. */
static enum dbk_code look(struct dbk_log *log, struct withheld_known *withheld,
                          struct dbk_error *err)
{
    uint32_t checksum = 0;
    uint64_t head;

    if (dbk_log_head(log, &head, err) != DBK_OK ||
        (head > 0 && dbk_log_checksum(log, head, &checksum, err) != DBK_OK))
        return err->code;
    if (withheld->known && withheld->head == head && withheld->checksum == checksum)
        return DBK_OK;
    withheld->known = false;
    if (dbk_log_restricted_all(log, &withheld->all, err) != DBK_OK)
        return err->code;
    withheld->known = true;
    withheld->head = head;
    withheld->checksum = checksum;
    return DBK_OK;
}

enum dbk_code withheld_all(const struct request *rq, const struct dbk_restricted **out,
                           struct dbk_error *err)
{
    static const struct dbk_restricted nobody;
    struct withheld_known *withheld = &rq->worker->withheld;

    *out = &nobody;
    if (sees_all(rq))
        return DBK_OK;
    if (look(rq->service->log, withheld, err) != DBK_OK)
        return err->code;
    *out = &withheld->all;
    return DBK_OK;
}
