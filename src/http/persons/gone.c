#include "gone.h"

#include "handlers.h"
#include "worker.h"

#include <string.h>

#define GONE 410

static bool begins(const struct route *route, const char *with)
{
    return strncmp(route->path, with, strlen(with)) == 0;
}

/* Its handler tells of the erasure itself. */
static bool tells_itself(const struct route *route)
{
    return route->handle == handle_get_receipt;
}

/* Where an event is recorded under the id of the path, it is its person that is not there. */
static bool records(const struct route *route)
{
    return route->handle == handle_post_event_at;
}

static bool is_erased(const struct request *rq, const struct dbk_uuid *id)
{
    struct dbk_person_state person;

    return dbk_log_person(rq->service->log, id, &person, NULL) == DBK_OK &&
           person.erased;
}

/* Forgotten by age, and its person is there still, or it is not known whose it was. */
static bool is_forgotten(const struct request *rq, const struct dbk_record *event)
{
    uint64_t through;

    return dbk_log_expired(rq->service->log, &through, NULL) == DBK_OK &&
           event->sequence <= through && !is_erased(rq, &event->person_id);
}

/* Its record cannot be opened any more: so also of an anonymous one, of which nobody knows whose
 * it was, and of one that was deleted before. */
static bool event_is(const struct request *rq)
{
    struct dbk_record event;

    return dbk_log_event_recorded(rq->service->log, &rq->match.id, &rq->worker->batch,
                                  &event, NULL) == DBK_OK &&
           event.erased && !is_forgotten(rq, &event);
}

int gone_status(const struct request *rq, struct dbk_error *err)
{
    const struct route *route = rq->match.route;

    if (rq->failure != 0 || err->code != DBK_NOT_FOUND || !route ||
        request_only_ingests(rq))
        return rq->failure;
    if (begins(route, "/persons/{id}") && !tells_itself(route) &&
        is_erased(rq, &rq->match.id)) {
        dbk_fail(
            err, DBK_NOT_FOUND,
            "The person has been erased: what was held is gone for good, and the id "
            "is never used again");
        return GONE;
    }
    if (begins(route, "/events/{id}") && !records(route) && event_is(rq)) {
        dbk_fail(err, DBK_NOT_FOUND,
                 "The event went with its person, who has been erased: what it said is "
                 "gone for good");
        return GONE;
    }
    return 0;
}
