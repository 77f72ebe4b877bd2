/* COPY from the client. */
#include "pg.h"
#include "pg_wire.h"
#include "store/clock.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

static enum dbk_code take_answer(struct pg *pg, dbk_deadline deadline,
                                 struct dbk_error *err)
{
    PGresult *result, *rest;
    enum dbk_code code = pg_await(pg, deadline, err);

    if (code != DBK_OK)
        return code;
    result = PQgetResult(pg->conn);
    if (PQresultStatus(result) == PGRES_COPY_IN) {
        PQclear(result);
        pg->doing = PG_COPYING;
        return DBK_OK;
    }
    code = pg_check(pg, result, err);
    PQclear(result);
    if (!pg->dead) {
        pg_finish(pg, deadline, &rest, NULL);
        PQclear(rest);
    }
    return code != DBK_OK ? code : dbk_fail(err, DBK_INTERNAL, "Not a COPY FROM STDIN");
}

enum dbk_code pg_copy_begin(struct pg *pg, const char *sql, int timeout_ms,
                            struct dbk_error *err)
{
    enum dbk_code code = pg_send_text(pg, sql, err);

    return code == DBK_OK ? take_answer(pg, dbk_deadline_in(timeout_ms), err) : code;
}

/* Until nothing waits in libpq. Reading meanwhile: a server that has much to say would
 * else wait for us, as we for it. */
static enum dbk_code flush(struct pg *pg, dbk_deadline deadline, struct dbk_error *err)
{
    enum dbk_code code;
    short seen;
    int unsent;

    while ((unsent = PQflush(pg->conn)) == 1) {
        code = pg_poll(pg, POLLIN | POLLOUT, deadline, &seen, err);
        if (code != DBK_OK) {
            pg->dead = true;
            return code;
        }
        if ((seen & ~POLLOUT) && !PQconsumeInput(pg->conn))
            return pg_lost(pg, err);
    }
    return unsent == 0 ? DBK_OK : pg_lost(pg, err);
}

enum dbk_code pg_copy_put(struct pg *pg, const char *bytes, size_t length,
                          int timeout_ms, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    enum dbk_code code;

    if (!pg_alive(pg))
        return dbk_fail(err, DBK_UNAVAILABLE, "The connection to PostgreSQL is lost");
    assert(pg->doing == PG_COPYING && length <= INT_MAX);
    code = flush(pg, deadline, err);
    if (code != DBK_OK)
        return code;
    /* 0 would mean that there is no room, but all was sent. */
    if (PQputCopyData(pg->conn, bytes, (int)length) != 1)
        return pg_lost(pg, err);
    return PQflush(pg->conn) >= 0 ? DBK_OK : pg_lost(pg, err);
}

enum dbk_code pg_copy_end(struct pg *pg, int timeout_ms, uint64_t *rows,
                          struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    PGresult *kept = NULL;
    enum dbk_code code;

    if (!pg_alive(pg))
        return dbk_fail(err, DBK_UNAVAILABLE, "The connection to PostgreSQL is lost");
    assert(pg->doing == PG_COPYING);
    code = flush(pg, deadline, err);
    if (code != DBK_OK)
        return code;
    if (PQputCopyEnd(pg->conn, NULL) != 1)
        return pg_lost(pg, err);
    code = pg_finish(pg, deadline, &kept, err);
    pg->doing = PG_IDLE;
    if (code == DBK_OK && rows)
        *rows = strtoull(PQcmdTuples(kept), NULL, 10);
    PQclear(kept);
    return code;
}
