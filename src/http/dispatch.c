#include "dispatch.h"

#include "access_line.h"
#include "authorize.h"
#include "budget.h"
#include "gone.h"
#include "guard.h"
#include "handlers.h"
#include "lent.h"
#include "media_type.h"
#include "members.h"
#include "proof.h"
#include "request_count.h"
#include "routes.h"
#include "shown.h"
#include "status.h"
#include "store/clock.h"
#include "worker.h"
#include "writes.h"

#include <assert.h>
#include <string.h>

static enum dbk_code answer_options(const struct request *rq, struct response *rs)
{
    response_header_text(rs, "Allow", rq->match.allow);
    if (strstr(rq->match.allow, "PATCH"))
        response_header_text(rs, "Accept-Patch", MEDIA_TYPES_PATCH);
    rs->status = 204;
    return DBK_OK;
}

/* OPTIONS * asks what the server can do. Returns 0, or 501. */
static int check_method(struct request *rq, struct dbk_error *err)
{
    static const char every[] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    size_t length = strlen(rq->method);
    const char *found = strstr(every, rq->method);

    static_assert(sizeof every <= sizeof rq->match.allow, "Allow of *");
    if (strcmp(rq->path, "*") == 0) {
        rq->match.options = true;
        memcpy(rq->match.allow, every, sizeof every);
    }
    if (found && (found == every || found[-1] == ' ') &&
        (found[length] == ',' || found[length] == '\0'))
        return 0;
    dbk_fail(err, DBK_INVALID, "No path here takes the method %.32s", rq->method);
    return 501;
}

#define SMALL_BODY (64u << 10)

/* A token that has used up its bounds is soon brought again, and so is what another server
 * leads for: where it brings little, its connection is kept, for to close it over what was
 * not read takes longer than to read. */
static void take_small_body(struct request *rq)
{
    struct dbk_error ignored;

    if (rq->has_length && rq->length <= SMALL_BODY && !request_header(rq, "Expect") &&
        request_body(rq, &ignored) != 0)
        rq->wrong_coding = false; /* it is refused for what it was */
}

/* The one that a token must have; 0: none is asked for. */
static unsigned scope_of(const struct request *rq, const struct route *route)
{
    return rq->service->options.audit_public && proof_route(route) ? 0 : route->scope;
}

/* Find the route, and read what the request brings: it is answered then (rs->status), or the
 * handler's. *status is that of a failure in err, where its code alone does not tell. */
static enum dbk_code let_in(struct request *rq, struct response *rs, int *status,
                            struct dbk_error *err)
{
    struct worker *worker = rq->worker;
    const struct route *route;

    *status = authorize_host(rq, err);
    if (*status == 0)
        *status = check_method(rq, err);
    if (*status != 0)
        return err->code;
    if (rq->match.options)
        return answer_options(rq, rs);
    if (route_find(routes, routes_count, rq->method, routes_meant(rq->path), &rq->match,
                   err) != DBK_OK)
        return err->code;
    if (rq->match.options)
        return answer_options(rq, rs);
    route = rq->match.route;
    *status = authorize(rq, scope_of(rq, route), err);
    if (*status == 429)
        take_small_body(rq);
    if (*status != 0)
        return err->code;
    *status = members_let(rq, err);
    if (*status != 0) {
        take_small_body(rq);
        return err->code;
    }
    if (params_parse(worker->query, route->params, &rq->params, &rq->fields, err) !=
        DBK_OK)
        return err->code;
    shown_read(rq, rs);
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    *status = request_acceptable(rq, err); /* before anything is done */
    if (*status != 0)
        return err->code;
    *status = request_body(rq, err);
    if (*status != 0)
        return err->code;
    *status = authorize_bytes(rq, rq->body.length, err);
    if (*status != 0)
        return err->code;
    guarded_working(rq->guarded);
    return DBK_OK;
}

static enum dbk_code handle(struct request *rq, struct response *rs, int *status,
                            struct dbk_error *err)
{
    enum dbk_code code = members_handle(rq, rs, err);

    readers_leave(rq->service->readers, &rq->reader);
    if (code != DBK_OK)
        *status = gone_status(rq, err);
    return code;
}

static void fail(struct request *rq, struct response *rs, int status,
                 const struct dbk_error *err)
{
    if (rq->match.wrong_method)
        status = 405;
    response_fail(rs, rq, status, err);
    /* It is to come again later: until then others can have its thread. */
    if (status_passes(rs->status) && guard_full(rq->service->guard))
        rs->close = true;
    if (rq->match.wrong_method)
        response_header_text(rs, "Allow", rq->match.allow);
    members_render(rq, rs);
}

static void begin(const struct service *service, struct worker *worker,
                  struct mg_connection *connection, struct lent *lent)
{
    worker_clear(worker);
    worker->request.service = service;
    worker->request.began = dbk_clock_us();
    worker->request.connection = connection;
    worker->request.lent = lent;
}

/* Whether it asks how we are: that we are stopping is among the answers. */
static bool is_probe(const struct request *rq)
{
    return strcmp(rq->path, "/health/live") == 0 ||
           strcmp(rq->path, "/health/ready") == 0;
}

/* Those that find us stopping are refused; those under way are finished. NULL: it is
 * taken. */
static const char *refusal(const struct request *rq, bool stopping)
{
    if (stopping && !is_probe(rq))
        return "The server is stopping; try again shortly";
    if (guarded_refused(rq->guarded))
        return "Too many connections are open from this address while others wait; "
               "use fewer, and keep them";
    return NULL;
}

/* As let_in, from its head on. */
static enum dbk_code receive(struct request *rq, struct response *rs, int *status,
                             struct dbk_error *err)
{
    bool stopping = atomic_load(&rq->service->stopping);

    *status = request_open(rq, rq->connection, err);
    guarded_reading(rq->guarded, rq->service->options.request_timeout_ms);
    rq->unavailable = refusal(rq, stopping);
    if (rq->unavailable) {
        *status = 503;
        return dbk_fail(err, DBK_UNAVAILABLE, "refused");
    }
    return *status == 0 ? let_in(rq, rs, status, err) : err->code;
}

static int answer(struct worker *worker, enum dbk_code code, int status,
                  const struct dbk_error *err)
{
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    const struct service *service = rq->service;
    int64_t took_us;

    if (code != DBK_OK)
        fail(rq, rs, status, err);
    else if (rs->relayed)
        members_render(rq, rs);
    response_send(rs, rq);
    took_us = dbk_clock_us() - rq->began;
    request_count(rq, rs, took_us);
    access_line_tell(rq, rs, took_us);
    worker_trim(worker);
    budget_release(service->budget, &rq->held);
    if (!rq->lent || !rq->lent->unsent) /* else it is still being written */
        guarded_idle(rq->guarded);
    return rs->status;
}

int dispatch(const struct service *service, struct worker *worker,
             struct mg_connection *connection, struct lent *lent)
{
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    struct dbk_error err = {0};
    enum dbk_code code;
    int status;

    begin(service, worker, connection, lent);
    code = receive(rq, rs, &status, &err);
    if (code == DBK_OK && rs->status == 0)
        code = handle(rq, rs, &status, &err);
    return answer(worker, code, status, &err);
}

bool dispatch_begin(const struct service *service, struct write_place *place,
                    struct lent *lent)
{
    struct worker *worker = place->worker;
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    struct dbk_error err = {0};
    enum dbk_code code;
    int status;

    assert(!service->options.membership);
    begin(service, worker, NULL, lent);
    code = receive(rq, rs, &status, &err);
    if (code == DBK_OK && rs->status == 0) {
        assert(rq->match.route->handle == handle_post_event);
        code = event_write_begin(rq, &place->write, &err);
        if (code == DBK_OK)
            return true;
        status = rq->failure;
    }
    answer(worker, code, status, &err);
    return false;
}

void dispatch_end(struct write_place *place, enum dbk_code code,
                  const struct dbk_error *failure)
{
    struct worker *worker = place->worker;
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    struct dbk_error err = *failure;

    code = event_write_end(rq, rs, &place->write, code, &err);
    code = members_decided(rq, rs, code, &err);
    answer(worker, code, rq->failure, &err);
}
