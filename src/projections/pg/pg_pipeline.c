/* Several statements in one transaction and one round trip.
 *
 * Everything between two syncs of a pipeline is one implicit transaction: it commits at
 * the sync, and the first failure makes the server skip to it. */
#include "pg.h"
#include "pg_wire.h"
#include "store/clock.h"

/* The result of one step, and the NULL behind it. */
static enum dbk_code take_step(struct pg *pg, struct pg_step *step,
                               dbk_deadline deadline, struct dbk_error *err)
{
    enum dbk_code code, verdict = DBK_OK;
    PGresult *result;

    for (;;) {
        code = pg_await(pg, deadline, verdict == DBK_OK ? err : NULL);
        if (code != DBK_OK)
            return verdict != DBK_OK ? verdict : code;
        result = PQgetResult(pg->conn);
        if (!result)
            return verdict;
        if (verdict == DBK_OK)
            verdict = pg_check(pg, result, err);
        pg_clear(step->result);
        step->result = (struct pg_result *)result;
        if (!pg_alive(pg))
            return verdict != DBK_OK ? verdict : pg_lost(pg, err);
    }
}

/* The sync: the transaction is committed once it is here. */
static enum dbk_code take_sync(struct pg *pg, dbk_deadline deadline,
                               struct dbk_error *err)
{
    enum dbk_code code, verdict = DBK_OK;
    PGresult *result;
    bool synced = false;

    while (!synced) {
        code = pg_await(pg, deadline, verdict == DBK_OK ? err : NULL);
        if (code != DBK_OK)
            return verdict != DBK_OK ? verdict : code;
        result = PQgetResult(pg->conn);
        if (result && verdict == DBK_OK)
            verdict = pg_check(pg, result, err);
        synced = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
        if (!pg_alive(pg))
            return verdict != DBK_OK ? verdict : pg_lost(pg, err);
    }
    return verdict;
}

static enum dbk_code send_all(struct pg *pg, struct pg_step *steps, size_t count,
                              dbk_deadline deadline, struct dbk_error *err)
{
    enum dbk_code code;

    for (size_t i = 0; i < count; i++) {
        code = pg_prepare(pg, steps[i].statement, deadline, err);
        if (code != DBK_OK)
            return code;
    }
    if (!PQenterPipelineMode(pg->conn))
        return pg_lost(pg, err);
    for (size_t i = 0; i < count; i++) {
        code = pg_send(pg, steps[i].statement, steps[i].params, steps[i].count, err);
        if (code != DBK_OK) {
            pg->dead = true; /* the steps before it may be on their way */
            return code;
        }
    }
    return PQpipelineSync(pg->conn) ? DBK_OK : pg_lost(pg, err);
}

static enum dbk_code take_all(struct pg *pg, struct pg_step *steps, size_t count,
                              dbk_deadline deadline, size_t *failed,
                              struct dbk_error *err)
{
    enum dbk_code verdict = DBK_OK, code;

    for (size_t i = 0; i < count && pg_alive(pg); i++) {
        code = take_step(pg, &steps[i], deadline, verdict == DBK_OK ? err : NULL);
        if (verdict == DBK_OK && code != DBK_OK) {
            verdict = code;
            *failed = pg_alive(pg) ? i : count;
        }
    }
    if (pg_alive(pg)) {
        code = take_sync(pg, deadline, verdict == DBK_OK ? err : NULL);
        verdict = verdict != DBK_OK ? verdict : code;
    }
    if (pg_alive(pg) && !PQexitPipelineMode(pg->conn)) /* an answer is left */
        pg->dead = true;
    return verdict;
}

enum dbk_code pg_transact(struct pg *pg, struct pg_step *steps, size_t count,
                          int timeout_ms, size_t *failed, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    size_t unused, *at = failed ? failed : &unused;
    enum dbk_code code;

    *at = count;
    for (size_t i = 0; i < count; i++)
        steps[i].result = NULL;
    code = pg_ready(pg, err);
    if (code == DBK_OK)
        code = send_all(pg, steps, count, deadline, err);
    if (code == DBK_OK)
        code = take_all(pg, steps, count, deadline, at, err);
    for (size_t i = 0; i < count && code != DBK_OK; i++) {
        pg_clear(steps[i].result);
        steps[i].result = NULL;
    }
    return code;
}
