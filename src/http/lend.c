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

static void answered(struct dbk_look_up *look_up)
{
    struct lent *lent =
        (struct lent *)((char *)look_up - offsetof(struct lent, look_up));
    struct worker *worker =
        (struct worker *)((char *)lent - offsetof(struct worker, lent));
    struct request *rq = &worker->request;
    struct response *rs = &worker->response;
    enum dbk_code code = lent->then(rq, rs, look_up->code, &look_up->error);

    if (code != DBK_OK)
        response_fail(rs, rq, 0, &look_up->error);
    response_send(rs, rq);
    access_line_tell(rq, rs);
    if (rs->broken || rs->close || rs->unsent > 0)
        end_reading(rs);
    else
        guarded_idle(rq->guarded);
    atomic_fetch_sub(rq->service->under_way, 1);
    sem_post(&lent->back); /* nothing of it is ours from here on */
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

    if (!rq->guarded || needs_headers(rq) || !response_keeps(rs, rq) ||
        !has_room(guarded_socket(rq->guarded)))
        return NULL;
    access_line_note(rq);
    rs->sock = guarded_socket(rq->guarded);
    rq->method = rq->match.head ? "HEAD" : "GET";
    rq->path = rq->query = rq->version = "";
    rq->connection = NULL;
    lent->out = true;
    lent->then = then;
    lent->look_up.answered = answered;
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
    ends = rs->broken || rs->close || rs->unsent > 0;
    rq->connection = connection;
    if (ends)
        mg_disable_connection_keep_alive(connection);
    if (rs->unsent > 0)
        response_send_rest(rs, rq);
    return !ends;
}
