#include "proof.h"

#include "fresh.h"
#include "handlers.h"
#include "mismatches.h"
#include "store/proof/notary.h"
#include "worker.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    RETRY_S = 60, /* what an operator has to look after passes no sooner */
    STOP_LOOK_MS = 250,
};

bool proof_route(const struct route *route)
{
    return route->handle == handle_checkpoint || route->handle == handle_tile ||
           route->handle == handle_get_proof;
}

static void say(struct request *rq, const char *text)
{
    char *out = rq->worker->unavailable;

    snprintf(out, sizeof rq->worker->unavailable, "%s", text);
    out[0] = (char)toupper((unsigned char)out[0]);
}

/* A reason that may name a file is for the operator. */
static bool is_for_all(enum dbk_code code)
{
    return code == DBK_OK || code == DBK_UNAVAILABLE || code == DBK_MOVED ||
           code == DBK_CONFLICT;
}

#define OPERATORS "the log cannot be signed now; the server's log has the reason"

static enum dbk_code not_signed(struct request *rq, struct dbk_error *err)
{
    struct dbk_notary_state state;

    dbk_notary_state(rq->service->options.notary, &state);
    say(rq, is_for_all(state.code) ? err->text : OPERATORS);
    rq->unavailable = rq->worker->unavailable;
    if (state.code != DBK_OK && state.code != DBK_UNAVAILABLE)
        rq->retry_after = RETRY_S;
    return err->code;
}

static bool witnesses_fail(const struct dbk_notary_state *state, char *why, size_t size)
{
    if (state->alarms > 0)
        snprintf(why, size, "%s", state->alarm);
    else if (state->behind)
        snprintf(why, size,
                 "witnesses have signed %" PRIu64 " of %" PRIu64
                 " records, and nothing since",
                 state->cosigned_size, state->signed_size);
    return state->alarms > 0 || state->behind;
}

bool proof_fails(const struct service *service, char *why, size_t size)
{
    struct dbk_notary_state state;

    if (mismatches_look(service->mismatches, why, size))
        return true;
    if (!service->options.notary)
        return false;
    dbk_notary_state(service->options.notary, &state);
    if (state.signs || state.alarms > 0)
        return witnesses_fail(&state, why, size);
    if (state.code == DBK_UNAVAILABLE) /* not yet */
        return false;
    snprintf(why, size, "%s",
             is_for_all(state.code) && *state.why ? state.why : OPERATORS);
    return true;
}

enum dbk_code proof_newest(struct request *rq, struct dbk_error *err)
{
    struct dbk_notary *notary = rq->service->options.notary;

    if (!notary) {
        rq->unavailable = "This server does not sign its log";
        return dbk_fail(err, DBK_UNAVAILABLE, "there is no notary");
    }
    if (dbk_notary_checkpoint(notary, &rq->worker->checkpoint, err) != DBK_OK)
        return not_signed(rq, err);
    return DBK_OK;
}

/* By parts, for a server that stops waits for this thread. */
static void wait_for_it(const struct request *rq, uint64_t size, int wait_ms)
{
    const struct service *service = rq->service;
    enum dbk_code code = DBK_TIMEOUT;

    while (code == DBK_TIMEOUT && wait_ms > 0 && !atomic_load(&service->stopping)) {
        int part = wait_ms < STOP_LOOK_MS ? wait_ms : STOP_LOOK_MS;

        code = dbk_notary_await(service->options.notary, size, part,
                                &rq->worker->checkpoint, NULL);
        wait_ms -= part;
    }
}

enum dbk_code proof_await(struct request *rq, uint64_t size, int wait_ms,
                          struct dbk_error *err)
{
    const struct service *service = rq->service;
    struct dbk_error why;

    if (proof_newest(rq, err) == DBK_OK &&
        rq->worker->checkpoint.checkpoint.size >= size)
        return DBK_OK;
    /* As lists do: one client's leave threads to others, and all leave some to look-ups. */
    if (service->options.notary && wait_ms > 0 &&
        fresh_enter(rq, true, &why) == DBK_OK) {
        wait_for_it(rq, size, wait_ms);
        readers_leave(service->readers, &rq->reader);
    }
    rq->unavailable = NULL; /* what was said until now is not about what follows */
    rq->retry_after = 0;
    rq->failure = 0;
    return proof_newest(rq, err);
}

enum dbk_code proof_failed(struct request *rq, struct dbk_error *err)
{
    if (err->code == DBK_NOT_FOUND) { /* the notary has begun anew since it was asked */
        rq->unavailable = "The tree of the log is made again; try again shortly";
        err->code = DBK_UNAVAILABLE;
    } else if (err->code == DBK_UNAVAILABLE) { /* nor may what it had signed be shown */
        return not_signed(rq, err);
    } else if (err->code == DBK_DAMAGED) {
        mismatches_add(rq->service->mismatches, err->text);
        say(rq, err->text);
        rq->unreadable = rq->worker->unavailable;
    }
    return err->code;
}
