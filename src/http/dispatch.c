#include "dispatch.h"

#include "access_line.h"
#include "authorize.h"
#include "guard.h"
#include "routes.h"
#include "shown.h"
#include "status.h"
#include "store/clock.h"
#include "worker.h"

#include <civetweb.h>
#include <string.h>
#include <strings.h>

static enum dbk_code answer_options(const struct request *rq, struct response *rs)
{
    response_header_text(rs, "Allow", rq->match.allow);
    rs->status = 204;
    return DBK_OK;
}

/* Find the route, read what the request brings, let the handler answer. *status is that
 * of a failure in err, where its code alone does not tell. */
static enum dbk_code handle(struct request *rq, struct response *rs, int *status,
                            struct dbk_error *err)
{
    struct worker *worker = rq->worker;
    const struct route *route;

    *status = authorize_host(rq, err);
    if (*status != 0)
        return err->code;
    if (route_find(routes, routes_count, rq->method, routes_meant(rq->path), &rq->match,
                   err) != DBK_OK)
        return err->code;
    if (rq->match.options)
        return answer_options(rq, rs);
    route = rq->match.route;
    *status = authorize(rq, route->scope, err);
    if (*status != 0)
        return err->code;
    if (params_parse(worker->query, route->params, &rq->params, &rq->fields, err) !=
        DBK_OK)
        return err->code;
    shown_times(rq, rs);
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    *status = request_acceptable(rq, err); /* before anything is done */
    if (*status != 0)
        return err->code;
    *status = request_body(rq, err);
    if (*status != 0)
        return err->code;
    guarded_working(rq->guarded);
    return route->handle(rq, rs, err);
}

static void fail(struct request *rq, struct response *rs, int status,
                 const struct dbk_error *err)
{
    if (rq->match.wrong_method)
        status = 405;
    response_fail(rs, rq, status, err);
    if (rq->match.wrong_method)
        response_header_text(rs, "Allow", rq->match.allow);
}

static void begin(const struct service *service, struct worker *worker)
{
    worker_clear(worker);
    worker->request.service = service;
    worker->request.began = dbk_clock_us();
}

/* Those that find us stopping are refused; those under way are finished. NULL: it is
 * taken. */
static const char *refusal(const struct request *rq, bool stopping)
{
    if (stopping)
        return "The server is stopping; try again shortly";
    if (guarded_refused(rq->guarded))
        return "Too many connections are open from this address while others wait; "
               "use fewer, and keep them";
    return NULL;
}

static void answer(struct worker *worker)
{
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    struct dbk_error err = {0};
    bool stopping = atomic_load(&rq->service->stopping);
    int status = request_open(rq, rq->connection, &err);
    enum dbk_code code = err.code;

    guarded_reading(rq->guarded, rq->service->options.request_timeout_ms);
    rq->unavailable = refusal(rq, stopping);
    if (rq->unavailable) {
        status = 503;
        code = dbk_fail(&err, DBK_UNAVAILABLE, "refused");
    } else if (status == 0) {
        code = handle(rq, rs, &status, &err);
    }
    if (code != DBK_OK)
        fail(rq, rs, status, &err);
    response_send(rs, rq);
}

int dispatch(const struct service *service, struct worker *worker,
             struct mg_connection *connection)
{
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;

    begin(service, worker);
    rq->connection = connection;
    answer(worker);
    access_line_tell(rq, rs);
    guarded_idle(rq->guarded);
    return rs->status;
}

/* Nothing of the request can be relied on, so the access line shows none of it. */
void dispatch_unreadable(const struct service *service, struct worker *worker,
                         struct mg_connection *connection, int status,
                         const char *reason)
{
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    struct dbk_error err;

    begin(service, worker);
    rq->connection = connection;
    request_guard(rq);
    rq->method = rq->path = "-";
    rq->version = "1.1";
    rq->query = "";
    request_new_id(rq);
    dbk_fail(
        &err, DBK_INVALID,
        "The request cannot be read (%s): its head is malformed, over 16 KB, or did "
        "not arrive in time",
        reason);
    response_fail(rs, rq, status, &err);
    rs->close = true;
    response_send(rs, rq);
    access_line_tell(rq, rs);
}
