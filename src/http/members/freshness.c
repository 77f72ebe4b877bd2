/* Reads of a copy: what it is to have before they are answered. */
#include "fresh.h"
#include "members.h"
#include "store/clock.h"

#include <string.h>

#define SEQUENCE "Daybook-Sequence"

/* *there tells whether the client names one; rq->wanted is it then. */
static enum dbk_code read_sequence(struct request *rq, struct dbk_error *err)
{
    unsigned count = 0;
    const char *text = head_field(rq->head, SEQUENCE, &count);
    uint64_t number = 0;
    size_t digits = text ? strspn(text, "0123456789") : 0;

    if (!text)
        return DBK_OK;
    for (size_t i = 0; i < digits; i++) {
        if (digits > 18) /* no sequence is as long */
            break;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    if (count > 1 || digits == 0 || digits > 18 || text[digits] != '\0')
        return dbk_fail(err, DBK_INVALID,
                        SEQUENCE ": one whole number is needed, of a write's answer");
    rq->wants = true;
    rq->wanted = number;
    return DBK_OK;
}

/* Until the log has that one, at most until the bound. */
static enum dbk_code wait_for_record(struct request *rq, int bound_ms,
                                     struct dbk_error *err)
{
    struct dbk_log *log = rq->service->log;
    int64_t until = dbk_clock_ms() + bound_ms, left = bound_ms;
    uint64_t head;

    do {
        if (dbk_log_wait(log, rq->wanted - 1, (int)left, &head, err) != DBK_OK)
            return err->code;
        left = until - dbk_clock_ms();
    } while (head < rq->wanted && left > 0 && !atomic_load(&rq->service->stopping));
    return DBK_OK;
}

static enum dbk_code ask_the_others(struct request *rq, int bound_ms,
                                    struct dbk_error *err)
{
    const struct dbk_membership *membership = rq->service->options.membership;
    enum dbk_code code = membership->fresh(membership->context, bound_ms, err);

    rq->timed_out =
        "This copy has not yet all that was acknowledged; try again shortly, or ask "
        "with Prefer: wait=0 for what it has, or with Daybook-Sequence for what you "
        "wrote";
    if (code == DBK_TIMEOUT || code == DBK_OK)
        return code;
    err->code = DBK_UNAVAILABLE;
    rq->unavailable =
        "Whether this copy has all that was acknowledged cannot be found out now; try "
        "again shortly, or ask with Prefer: wait=0 for what it has, or with "
        "Daybook-Sequence for what you wrote";
    return err->code;
}

/* Both wait, so each has a place among those that do; not while it is answered. */
static enum dbk_code wait_in_place(struct request *rq, int bound_ms,
                                   struct dbk_error *err)
{
    int64_t began = dbk_clock_ms();
    enum dbk_code code = fresh_enter(rq, false, err);

    if (code != DBK_OK)
        return code;
    if (rq->wants)
        code = wait_for_record(rq, bound_ms, err);
    else
        code = ask_the_others(rq, bound_ms, err);
    readers_leave(rq->service->readers, &rq->reader);
    rq->waited_ms = dbk_clock_ms() - began;
    if (code == DBK_OK) /* what was said of this wait is not about what follows */
        rq->timed_out = rq->unavailable = NULL;
    return code;
}

enum dbk_code members_fresh(struct request *rq, struct dbk_error *err)
{
    int bound_ms = rq->service->options.read_wait_ms, seconds;
    uint64_t head;

    if (read_sequence(rq, err) != DBK_OK)
        return err->code;
    if (!rq->wants && !rq->service->options.membership)
        return DBK_OK;
    if (fresh_prefer_wait(rq->head, &seconds))
        bound_ms = seconds * 1000;
    if (bound_ms == 0)
        return DBK_OK;
    if (rq->wants) {
        if (dbk_log_head(rq->service->log, &head, err) != DBK_OK)
            return err->code;
        if (head >= rq->wanted)
            return DBK_OK;
    }
    return wait_in_place(rq, bound_ms, err);
}
