/* Statements of several connections under way at once. */
#include "pg.h"
#include "pg_wire.h"
#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

enum { TOGETHER_MAX = 8, CONCLUDE_MS = 60000 };

enum dbk_code pg_launch(struct pg *pg, const char *sql, struct dbk_error *err)
{
    enum dbk_code code = pg_send_text(pg, sql, err);

    if (code != DBK_OK)
        return code;
    pg->doing = PG_LAUNCHED;
    return PQflush(pg->conn) >= 0 ? DBK_OK : pg_lost(pg, err);
}

/* Read what is there. True where there is a result to take, or no connection any more:
 * concluding tells which. */
static bool is_ready(struct pg *pg)
{
    assert(!pg_alive(pg) || pg->doing == PG_LAUNCHED);
    return !pg_alive(pg) || PQflush(pg->conn) < 0 || !PQconsumeInput(pg->conn) ||
           !PQisBusy(pg->conn);
}

/* DBK_OK: something came, on any of them. */
static enum dbk_code sleep_on(struct pg *const *pgs, size_t count,
                              dbk_deadline deadline, struct dbk_error *err)
{
    struct pollfd polled[TOGETHER_MAX];
    nfds_t used = 0;
    int rc;

    for (size_t i = 0; i < count; i++) {
        if (pgs[i])
            polled[used++] = (struct pollfd){
                .fd = PQsocket(pgs[i]->conn),
                .events = PQflush(pgs[i]->conn) == 1 ? POLLIN | POLLOUT : POLLIN};
    }
    rc = poll(polled, used, dbk_deadline_left(deadline));
    if (rc < 0 && errno != EINTR)
        return dbk_fail(err, DBK_UNAVAILABLE, "poll: %s", strerror(errno));
    if (rc == 0)
        return dbk_fail(err, DBK_TIMEOUT, "PostgreSQL has not answered yet");
    return DBK_OK;
}

enum dbk_code pg_wait_any(struct pg *const *pgs, size_t count, int timeout_ms,
                          size_t *which, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    enum dbk_code code = DBK_OK;

    assert(count <= TOGETHER_MAX);
    while (code == DBK_OK) {
        for (*which = 0; *which < count; (*which)++) {
            if (pgs[*which] && is_ready(pgs[*which]))
                return DBK_OK;
        }
        code = sleep_on(pgs, count, deadline, err);
    }
    return code;
}

enum dbk_code pg_conclude(struct pg *pg, struct pg_result **result,
                          struct dbk_error *err)
{
    PGresult *kept = NULL;
    enum dbk_code code;

    assert(!pg_alive(pg) || pg->doing == PG_LAUNCHED);
    if (PQstatus(pg->conn) != CONNECTION_OK)
        code = pg_lost(pg, err);
    else
        code = pg_finish(pg, dbk_deadline_in(CONCLUDE_MS), &kept, err);
    pg->doing = PG_IDLE;
    if (result)
        *result = code == DBK_OK ? (struct pg_result *)kept : NULL;
    if (!result || code != DBK_OK)
        PQclear(kept);
    return code;
}
