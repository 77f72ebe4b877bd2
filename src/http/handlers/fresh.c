#include "fresh.h"

#include "ahead.h"
#include "guard.h"
#include "prefer.h"
#include "store/clock.h"
#include "worker.h"

#include <assert.h>
#include <stdio.h>

enum { SLOW_DOWN_MS = 150 };

bool fresh_prefer_wait(const struct head *head, int *seconds)
{
    struct dbk_slice value;
    int found = 0;

    if (!prefer_find(head, "wait", &value) || value.length == 0)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        if (found <= FRESH_WAIT_MAX)
            found = found * 10 + (value.data[i] - '0');
    }
    *seconds = found < FRESH_WAIT_MAX ? found : FRESH_WAIT_MAX;
    return true;
}

static int bound_ms(const struct request *rq, struct response *rs)
{
    int bound = rq->service->options.read_wait_ms, seconds;

    if (fresh_prefer_wait(rq->head, &seconds)) {
        assert(seconds >= 0 && seconds <= FRESH_WAIT_MAX);
        response_header(rs, "Preference-Applied", "wait=%d", seconds);
        bound = seconds * 1000;
    }
    return bound > rq->waited_ms ? bound - (int)rq->waited_ms : 0;
}

/* Why tables that are there are not read, told to everyone: which record differs is no
 * secret. Who has them is for the operator. */
static void say_refusal(struct request *rq, const struct dbk_projector_status *status)
{
    switch (status->refusal) {
    case DBK_REFUSAL_NONE:
        break;
    case DBK_REFUSAL_HISTORY:
        snprintf(rq->worker->unavailable, sizeof rq->worker->unavailable, "%s",
                 status->state);
        rq->unavailable = rq->worker->unavailable;
        break;
    case DBK_REFUSAL_EMPTIED:
        snprintf(rq->worker->unavailable, sizeof rq->worker->unavailable,
                 "%.400s; writes, GET /log and GET /events/{id} go on", status->state);
        rq->unavailable = rq->worker->unavailable;
        break;
    case DBK_REFUSAL_HELD:
        rq->unavailable =
            "the read tables are held by another server, and are not shown as this "
            "one's; writes, GET /log and GET /events/{id} go on";
        break;
    }
}

enum dbk_code fresh_enter(struct request *rq, bool lists, struct dbk_error *err)
{
    if (ahead_of(rq)) /* it waits for nothing any more */
        return DBK_OK;
    switch (
        readers_enter(rq->service->readers, &rq->reader, request_share(rq), lists)) {
    case READERS_IN:
        break;
    case READERS_FULL:
        rq->unavailable = "As many reads are under way as may be at a time; try again "
                          "shortly. Writes, GET /log and GET /events/{id} go on";
        return dbk_fail(err, DBK_UNAVAILABLE, "too many reads are under way");
    case READERS_SHARE:
        rq->unavailable =
            "This client has as many lists under way as one may at a time; "
            "wait for their answers, and try again then";
        rq->failure = 429;
        return dbk_fail(err, DBK_UNAVAILABLE, "too many lists of one client");
    }
    return DBK_OK;
}

/* Tables that are not followed, while the ring of keys is away: that is the reason, which
 * PostgreSQL's administrator would look for in vain. */
static enum dbk_code not_followed(struct request *rq, enum dbk_code code,
                                  const struct dbk_projector_status *status,
                                  struct dbk_error *err)
{
    struct dbk_log_health health;

    dbk_log_health(rq->service->log, &health);
    if (health.code == DBK_KEYS_AWAY)
        return dbk_fail(err, DBK_KEYS_AWAY, "%s", health.why);
    say_refusal(rq, status);
    return code;
}

/* Those who ask again at once, and they are more than there are threads, would have the
 * processors to be refused with. They wait a little, where reads may. */
static void slow_down(struct request *rq)
{
    if (guard_full(rq->service->guard) && fresh_enter(rq, false, NULL) == DBK_OK)
        dbk_sleep_ms(SLOW_DOWN_MS);
}

/* What hangs would be waited for in vain. */
static enum dbk_code check_answers(struct request *rq, struct dbk_error *err)
{
    int64_t hangs = dbk_read_model_hangs(rq->service->model);

    if (hangs == 0)
        return DBK_OK;
    slow_down(rq);
    return dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL has not answered for %lld ms",
                    (long long)hangs);
}

enum dbk_code fresh_wait(struct request *rq, struct response *rs, uint64_t wanted,
                         struct fresh *fresh, struct dbk_error *err)
{
    const struct service *service = rq->service;
    struct dbk_projector_status status;
    const struct ahead *ahead = ahead_of(rq);
    enum dbk_code code;

    fresh->wanted = wanted == 0 && rq->wants ? rq->wanted : wanted;
    if (wanted == 0 && !rq->wants &&
        dbk_log_head(service->log, &fresh->wanted, err) != DBK_OK)
        return err->code;
    rq->unavailable =
        "PostgreSQL, which answers reads, is not available now; writes, GET /log and "
        "GET /events/{id} go on";
    if (ahead) {
        *fresh = (struct fresh){ahead->wanted, ahead->projected};
        response_header_number(rs, "Daybook-Projected-Sequence", fresh->projected);
        return DBK_OK;
    }
    if (!service->projector)
        return dbk_fail(err, DBK_UNAVAILABLE, "this server has no read tables");
    if (check_answers(rq, err) != DBK_OK)
        return err->code;
    if (fresh_enter(rq, false, err) != DBK_OK)
        return err->code;
    rq->was_fresh =
        dbk_projector_wait(service->projector, fresh->wanted, 0, NULL) == DBK_OK;
    code = dbk_projector_wait(service->projector, fresh->wanted, bound_ms(rq, rs), err);
    dbk_projector_status(service->projector, &status);
    if (code != DBK_OK && code != DBK_TIMEOUT)
        return not_followed(rq, code, &status, err);
    fresh->projected = status.projected;
    dbk_read_model_claim(service->model, fresh->projected);
    dbk_read_model_rearranged(service->model,
                              dbk_projector_rearranged(service->projector));
    response_header_number(rs, "Daybook-Projected-Sequence", fresh->projected);
    return DBK_OK;
}

/* Who asked to see less than the person may be answered before the tables have it. */
static enum dbk_code not_yet(struct request *rq, uint64_t version,
                             const struct fresh *fresh, struct dbk_error *err)
{
    bool behind = fresh->projected < fresh->wanted || fresh->projected < version;

    rq->unavailable = behind ? "It is in the log, and not yet in the read tables; try "
                               "again shortly"
                             : "It is in the log, but its person is set aside; GET "
                               "/health counts such persons";
    return dbk_fail(err, DBK_UNAVAILABLE, "in the log, %s",
                    behind ? "and the projection is behind" : "but quarantined");
}

enum dbk_code fresh_no_person(struct request *rq, const struct dbk_uuid *id,
                              const struct fresh *fresh, struct dbk_error *err)
{
    struct dbk_person_state state;
    enum dbk_code code;

    rq->unavailable = NULL; /* it is the log that is asked now */
    code = dbk_log_person(rq->service->log, id, &state, err);
    if (code == DBK_OK && !state.deleted)
        return not_yet(rq, state.version, fresh, err);
    if (code != DBK_OK && code != DBK_NOT_FOUND)
        return code;
    return dbk_fail(err, DBK_NOT_FOUND, "There is no person with this id");
}
