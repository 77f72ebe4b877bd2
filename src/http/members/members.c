#include "members.h"

#include "forward.h"
#include "handlers.h"
#include "worker.h"

#include <stdio.h>
#include <string.h>

#define FORWARDED "Daybook-Forwarded"

enum { CONFIRM_MS = 3000 };

bool members_writes(const struct route *route)
{
    if (route->handle == handle_post_hand_over)
        return true;
    return strcmp(route->method, "GET") != 0 && (route->scope & DBK_SCOPE_WRITE);
}

/* A stream is followed, and so shows what comes; a checkpoint says which it is of, and what
 * a tile has never changes. */
bool members_reads(const struct route *route)
{
    return strcmp(route->method, "GET") == 0 && route->handle != handle_stream &&
           route->handle != handle_checkpoint && route->handle != handle_tile &&
           (route->scope == DBK_SCOPE_READ || route->scope == DBK_SCOPE_AUDIT);
}

static const struct dbk_membership *membership_of(const struct request *rq)
{
    return rq->service->options.membership;
}

static void look(const struct request *rq, struct dbk_membership_look *out)
{
    const struct dbk_membership *membership = membership_of(rq);

    memset(out, 0, sizeof *out);
    membership->look(membership->context, out);
}

/* It comes from another machine, and is to stand in a header. */
static bool is_url(const char *text)
{
    if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
        return false;
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

/* Keep where the leader is, for the answer. False: nobody else leads, as far as this one
 * knows. */
static bool note_leader(struct request *rq, const struct dbk_membership_look *now)
{
    struct worker *worker = rq->worker;

    if (!*now->leader || strcmp(now->leader, now->node) == 0 ||
        !is_url(now->leader_url))
        return false;
    snprintf(worker->leader_url, sizeof worker->leader_url, "%s", now->leader_url);
    rq->leader_url = worker->leader_url;
    return true;
}

/* As it was when the server started. */
static bool sends_on(const struct request *rq)
{
    return rq->service->forward != NULL;
}

static int refuse(struct request *rq, int status, const char *why,
                  struct dbk_error *err)
{
    rq->unavailable = why;
    rq->failure = status;
    dbk_fail(err, DBK_NOT_LEADER, "%s", why);
    return status;
}

/* Another leads, or none. Returns the status; rq->leader_url is set where one does. */
static int refuse_write(struct request *rq, const struct dbk_membership_look *now,
                        struct dbk_error *err)
{
    struct worker *worker = rq->worker;

    if (!note_leader(rq, now))
        return refuse(rq, 503,
                      "No server is known to lead now; nothing was written. Try again "
                      "shortly",
                      err);
    if (request_header(rq, FORWARDED)) /* else it could go round for ever */
        return refuse(rq, 503,
                      "Another server sent this on, and this one does not lead; "
                      "nothing was written. Try again shortly",
                      err);
    snprintf(worker->unavailable, sizeof worker->unavailable,
             "This server does not lead; nothing was written. Send it to %s",
             rq->leader_url);
    return refuse(rq, 307, worker->unavailable, err);
}

int members_let(struct request *rq, struct dbk_error *err)
{
    const struct dbk_membership *membership = membership_of(rq);
    struct dbk_membership_look now;
    int status;

    if (!membership || !members_writes(rq->match.route))
        return 0;
    look(rq, &now);
    rq->leads = now.leads;
    rq->epoch = now.epoch;
    if (now.leads)
        return 0;
    status = refuse_write(rq, &now, err);
    if (status != 307 || !sends_on(rq))
        return status;
    rq->unavailable = NULL;
    rq->failure = 0;
    *err = (struct dbk_error){0};
    return 0;
}

/* To the leader. */
static enum dbk_code elsewhere(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    rq->failure = 0;
    rq->unavailable = NULL;
    return forward_send(rq->service->forward, rq, rs, rq->leader_url, err);
}

/* It led, and another does by now; or the log cannot be appended to here at all. */
static enum dbk_code deposed(struct request *rq, struct response *rs,
                             struct dbk_error *err)
{
    struct dbk_membership_look now = {0};

    if (!membership_of(rq)) {
        refuse(rq, 503,
               "This log is one of several copies, and this server was started alone; "
               "nothing was written",
               err);
        return err->code;
    }
    look(rq, &now);
    if (now.leads) { /* again, meanwhile */
        refuse(rq, 503,
               "Who leads has just changed; nothing was written. Try again shortly",
               err);
        return err->code;
    }
    if (refuse_write(rq, &now, err) == 307 && sends_on(rq))
        return elsewhere(rq, rs, err);
    return err->code;
}

/* What was answered without an append rests on what this copy knew. Who was deposed and
 * has not heard of it would refuse by what is no longer so. */
static bool rests_on_the_log(const struct request *rq, enum dbk_code code)
{
    return !rq->submitted &&
           (code == DBK_OK || code == DBK_NOT_FOUND || code == DBK_EXISTS ||
            code == DBK_CONFLICT || code == DBK_MOVED);
}

/* The answer stands where nobody else led since before it was made. */
static enum dbk_code confirm(struct request *rq, enum dbk_code code,
                             struct dbk_error *err)
{
    const struct dbk_membership *membership = membership_of(rq);
    struct dbk_membership_look now;
    struct dbk_error why = {0};

    if (membership->fresh(membership->context, CONFIRM_MS, &why) != DBK_OK) {
        *err = why;
        err->code = DBK_UNAVAILABLE;
        rq->failure = 0;
        rq->unavailable =
            "Whether this server still leads cannot be found out now; nothing was "
            "written. Try again shortly";
        return err->code;
    }
    look(rq, &now);
    if (now.leads && now.epoch == rq->epoch)
        return code;
    return dbk_fail(err, DBK_NOT_LEADER, "deposed since epoch %lld",
                    (long long)rq->epoch);
}

/* What these are of a log that is one of several copies: not of a disk. */
static void explain(struct request *rq, enum dbk_code code)
{
    if (rq->unavailable)
        return;
    if (code == DBK_UNAVAILABLE)
        rq->unavailable = "The other copies of the log cannot be reached, or it is "
                          "opened again; nothing was written. Try again shortly";
    else if (code == DBK_IN_DOUBT)
        rq->unavailable =
            "Whether this was written is not known yet, for the other copies of the "
            "log, or the disk, did not answer; send it again with the same id or "
            "Idempotency-Key to find out";
}

/* Events are handed to the log as they are. All else is first looked up, here: and another
 * copy may have shown already what this one has shipped and not yet committed. So it has to
 * have all that was acknowledged, as for a read. */
static bool looks_up(const struct route *route)
{
    return route->handle != handle_post_event && route->handle != handle_post_batch &&
           route->handle != handle_post_event_at &&
           route->handle != handle_post_hand_over;
}

enum dbk_code members_decided(struct request *rq, struct response *rs,
                              enum dbk_code code, struct dbk_error *err)
{
    return code == DBK_NOT_LEADER ? deposed(rq, rs, err) : code;
}

static enum dbk_code write_here(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    const struct route *route = rq->match.route;
    bool member = membership_of(rq) != NULL, first = member && looks_up(route);
    enum dbk_code code = first ? confirm(rq, DBK_OK, err) : DBK_OK;

    if (code == DBK_OK)
        code = route->handle(rq, rs, err);
    if (member && !first && rests_on_the_log(rq, code))
        code = confirm(rq, code, err);
    if (member)
        explain(rq, code);
    return members_decided(rq, rs, code, err);
}

enum dbk_code members_handle(struct request *rq, struct response *rs,
                             struct dbk_error *err)
{
    const struct route *route = rq->match.route;

    if (members_reads(route) && members_fresh(rq, err) != DBK_OK)
        return err->code;
    if (!members_writes(route))
        return route->handle(rq, rs, err);
    if (membership_of(rq) && !rq->leads)
        return elsewhere(rq, rs, err);
    return write_here(rq, rs, err);
}

void members_render(const struct request *rq, struct response *rs)
{
    if (!rq->leader_url)
        return;
    if (rs->status == 307) {
        dbk_render_text(&rs->head, "Location: ");
        dbk_render_text(&rs->head, rq->leader_url);
        dbk_render_text(&rs->head, rq->path); /* printable: head.h */
        if (*rq->query)
            dbk_render_raw(&rs->head, "?", 1);
        dbk_render_text(&rs->head, rq->query);
        dbk_render_raw(&rs->head, "\r\n", 2);
    }
    response_header_text(rs, "Daybook-Leader", rq->leader_url);
}

const char *members_role(const struct service *service,
                         const struct dbk_membership_look *now)
{
    if (!service->options.membership)
        return "single";
    return now->leads ? "leader" : "follower";
}

void members_render_role(const struct service *service,
                         const struct dbk_membership_look *now, struct dbk_render *out)
{
    dbk_render_named(out, ",\"role\":", dbk_slice(members_role(service, now)));
    if (!service->options.membership)
        return;
    dbk_render_named(out, ",\"node\":", dbk_slice(now->node));
    dbk_render_named(out, ",\"state\":", dbk_slice(now->state));
    dbk_render_named(out, ",\"leader\":", dbk_slice(now->leader));
    dbk_render_named(out, ",\"leader_url\":", dbk_slice(now->leader_url));
}
