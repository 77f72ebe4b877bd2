#include "lend.h"

#include "access_line.h"
#include "guard.h"
#include "worker.h"

#include <civetweb.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

void lend_init(struct lent *lent)
{
    sem_init(&lent->back, 0, 0);
}

void lend_finish(struct lent *lent)
{
    sem_destroy(&lent->back);
}

/* The thread waits for its client meanwhile; this wakes it. */
static void end_reading(const struct response *rs)
{
    shutdown(rs->sock, rs->broken ? SHUT_RDWR : SHUT_RD);
}

static bool must_end(const struct response *rs)
{
    return rs->broken || rs->close || rs->unsent > 0;
}

static void tell_answered(struct request *rq, const struct response *rs)
{
    access_line_tell(rq, rs);
    atomic_fetch_sub(rq->service->under_way, 1);
}

static void answer(struct worker *worker)
{
    struct lent *lent = &worker->lent;
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    enum dbk_code code = lent->then(rq, rs, lent->look_up.code, &lent->look_up.error);

    if (code != DBK_OK)
        response_fail(rs, rq, 0, &lent->look_up.error);
    response_send(rs, rq);
    if (must_end(rs))
        end_reading(rs);
    else
        guarded_idle(rq->guarded);
    if (rs->unsent == 0)
        tell_answered(rq, rs);
    sem_post(&lent->back); /* nothing of it is ours from here on */
}

static struct worker *worker_of(struct lent *lent)
{
    return (struct worker *)((char *)lent - offsetof(struct worker, lent));
}

static void answer_aside(struct aside_item *item)
{
    answer(worker_of((struct lent *)((char *)item - offsetof(struct lent, aside))));
}

static void answered(struct dbk_look_up *look_up)
{
    struct worker *worker =
        worker_of((struct lent *)((char *)look_up - offsetof(struct lent, look_up)));

    if (look_up->code == DBK_NOT_FOUND)
        aside_put(worker->request.service->aside, &worker->lent.aside);
    else
        answer(worker);
}

/* Whether the client has taken all answers before this one, so that there is room. */
static bool has_room(int sock)
{
    int unsent = 0;

    return ioctl(sock, SIOCOUTQ, &unsent) == 0 && unsent == 0;
}

static bool needs_headers(const struct request *rq)
{
    return request_header(rq, "If-None-Match") ||
           (rq->service->options.cors_origins && request_header(rq, "Origin"));
}

struct dbk_look_up *lend(struct request *rq, struct response *rs, lend_then *then)
{
    struct lent *lent = &rq->worker->lent;

    int sock = rq->guarded ? guarded_socket(rq->guarded) : -1;

    if (sock < 0 || needs_headers(rq) || !response_keeps(rs, rq) || !has_room(sock))
        return NULL;
    access_line_note(rq);
    rs->sock = sock;
    rq->method = rq->match.head ? "HEAD" : "GET";
    rq->path = rq->query = rq->version = rq->host = "";
    rq->connection = NULL;
    lent->out = true;
    lent->then = then;
    lent->look_up.answered = answered;
    lent->aside.run = answer_aside;
    return &lent->look_up;
}

bool lend_take_back(struct worker *worker, struct mg_connection *connection)
{
    struct response *rs = &worker->response;
    struct request *rq = &worker->request;
    bool ends;

    if (!worker->lent.out)
        return true;
    while (sem_wait(&worker->lent.back) != 0)
        ; /* a signal handler ran */
    worker->lent.out = false;
    ends = must_end(rs);
    rq->connection = connection;
    if (ends)
        mg_disable_connection_keep_alive(connection);
    if (rs->unsent > 0) {
        response_send_rest(rs, rq);
        tell_answered(rq, rs);
    }
    return !ends;
}
