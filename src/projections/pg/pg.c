/* Running one statement: send, wait with a deadline, tell what happened. */
#include "pg.h"
#include "pg_wire.h"
#include "sql.h"
#include "store/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* After a visitor has had enough, reading on is cheaper than a new connection, up to
 * about here. */
#define DRAIN_BYTES (1 << 20)

bool pg_alive(const struct pg *pg)
{
    return !pg->dead && PQstatus(pg->conn) == CONNECTION_OK;
}

bool pg_read_only(const struct pg *pg)
{
    return !strcmp(pg_sqlstate(pg), "25006"); /* read_only_sql_transaction */
}

const char *pg_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

bool pg_in_transaction(const struct pg *pg)
{
    PGTransactionStatusType status = PQtransactionStatus(pg->conn);

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

enum dbk_code pg_ready(struct pg *pg, struct dbk_error *err)
{
    pg->sqlstate[0] = '\0';
    if (!pg_alive(pg))
        return dbk_fail(err, DBK_UNAVAILABLE, "The connection to PostgreSQL is lost");
    assert(pg->doing == PG_IDLE); /* else its answer would be taken for ours */
    return DBK_OK;
}

enum dbk_code pg_prepare(struct pg *pg, const struct pg_statement *statement,
                         dbk_deadline deadline, struct dbk_error *err)
{
    const char *sql;
    PGresult *result;
    enum dbk_code code;
    char *made;
    int sent;

    if (!statement->name)
        return DBK_OK;
    for (size_t i = 0; i < pg->prepared_count; i++) {
        if (!strcmp(pg->prepared[i], statement->name))
            return DBK_OK;
    }
    assert(pg->prepared_count < PG_PREPARED_MAX); /* there are fewer names */
    code = pg_expand(pg, statement->sql, &made, &sql, err);
    if (code != DBK_OK)
        return code;
    sent = PQsendPrepare(pg->conn, statement->name, sql, 0, NULL);
    free(made);
    if (!sent)
        return pg_lost(pg, err);
    code = pg_finish(pg, deadline, &result, err);
    PQclear(result);
    if (code == DBK_OK)
        pg->prepared[pg->prepared_count++] = statement->name;
    return code;
}

enum dbk_code pg_send(struct pg *pg, const struct pg_statement *statement,
                      const struct pg_param *params, int count, struct dbk_error *err)
{
    const char *values[PG_PARAMS_MAX], *sql;
    int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
    char *made = NULL;
    int sent;

    assert(count >= 0 && count <= PG_PARAMS_MAX);
    for (int i = 0; i < count; i++) {
        values[i] = params[i].data;
        lengths[i] = params[i].length;
        formats[i] = params[i].binary;
    }
    if (!statement->name && pg_expand(pg, statement->sql, &made, &sql, err) != DBK_OK)
        return DBK_NO_MEMORY;
    if (statement->name)
        sent = PQsendQueryPrepared(pg->conn, statement->name, count, values, lengths,
                                   formats, pg->binary_rows);
    else
        sent = PQsendQueryParams(pg->conn, sql, count, NULL, values, lengths, formats,
                                 pg->binary_rows);
    free(made);
    return sent ? DBK_OK : pg_lost(pg, err);
}

static enum dbk_code start(struct pg *pg, const struct pg_statement *statement,
                           const struct pg_param *params, int count,
                           dbk_deadline deadline, struct dbk_error *err)
{
    enum dbk_code code;

    code = pg_ready(pg, err);
    if (code == DBK_OK)
        code = pg_prepare(pg, statement, deadline, err);
    if (code != DBK_OK)
        return code;
    return pg_send(pg, statement, params, count, err);
}

enum dbk_code pg_run(struct pg *pg, const struct pg_statement *statement,
                     const struct pg_param *params, int count, int timeout_ms,
                     struct pg_result **result, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    PGresult *kept = NULL;
    enum dbk_code code;

    code = start(pg, statement, params, count, deadline, err);
    if (code == DBK_OK)
        code = pg_finish(pg, deadline, &kept, err);
    if (result)
        *result = code == DBK_OK ? (struct pg_result *)kept : NULL;
    if (!result || code != DBK_OK)
        PQclear(kept);
    return code;
}

enum dbk_code pg_send_text(struct pg *pg, const char *sql, struct dbk_error *err)
{
    enum dbk_code code = pg_ready(pg, err);
    const char *expanded;
    char *made = NULL;
    int sent;

    if (code == DBK_OK)
        code = pg_expand(pg, sql, &made, &expanded, err);
    if (code != DBK_OK)
        return code;
    sent = PQsendQuery(pg->conn, expanded);
    free(made);
    return sent ? DBK_OK : pg_lost(pg, err);
}

enum dbk_code pg_ask(struct pg *pg, const char *sql, dbk_deadline deadline,
                     PGresult **result, struct dbk_error *err)
{
    enum dbk_code code = pg_send_text(pg, sql, err);

    *result = NULL;
    if (code != DBK_OK)
        return code;
    code = pg_finish(pg, deadline, result, err);
    if (code == DBK_OK)
        return DBK_OK;
    PQclear(*result);
    *result = NULL;
    return code;
}

enum dbk_code pg_script(struct pg *pg, const char *sql, int timeout_ms,
                        struct dbk_error *err)
{
    PGresult *result;
    enum dbk_code code = pg_ask(pg, sql, dbk_deadline_in(timeout_ms), &result, err);

    PQclear(result);
    return code;
}

static size_t row_bytes(const PGresult *result)
{
    size_t bytes = 0;

    for (int i = 0; i < PQnfields(result); i++)
        bytes += (size_t)PQgetlength(result, 0, i);
    return bytes;
}

enum dbk_code pg_each(struct pg *pg, const struct pg_statement *statement,
                      const struct pg_param *params, int count, int timeout_ms,
                      pg_visit *visit, void *context, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    enum dbk_code code, failed = DBK_OK;
    bool wanted = true;
    size_t drained = 0;
    PGresult *result;

    code = start(pg, statement, params, count, deadline, err);
    if (code != DBK_OK)
        return code;
    if (!PQsetSingleRowMode(pg->conn))
        return pg_lost(pg, err);
    for (;;) {
        code = pg_await(pg, deadline, failed == DBK_OK ? err : NULL);
        if (code != DBK_OK)
            break;
        result = PQgetResult(pg->conn);
        if (!result)
            break;
        if (PQresultStatus(result) != PGRES_SINGLE_TUPLE)
            failed = failed != DBK_OK ? failed : pg_check(pg, result, err);
        else if (wanted)
            wanted = visit(context, (const struct pg_result *)result);
        else
            drained += row_bytes(result);
        PQclear(result);
        pg->dead = pg->dead || drained > DRAIN_BYTES;
        if (pg->dead)
            break;
    }
    if (!wanted) /* the caller has what it asked for, however the rest ended */
        return DBK_OK;
    return failed != DBK_OK ? failed : code;
}

enum dbk_code pg_begin(struct pg *pg, int timeout_ms, struct dbk_error *err)
{
    return pg_script(pg, sql_begin, timeout_ms, err);
}

enum dbk_code pg_commit(struct pg *pg, int timeout_ms, struct dbk_error *err)
{
    /* COMMIT of a failed transaction rolls back and calls that a success. */
    if (PQtransactionStatus(pg->conn) == PQTRANS_INERROR)
        return dbk_fail(err, DBK_INTERNAL, "Commit of a transaction that failed");
    return pg_script(pg, sql_commit, timeout_ms, err);
}

enum dbk_code pg_rollback(struct pg *pg, int timeout_ms, struct dbk_error *err)
{
    char before[sizeof pg->sqlstate];
    enum dbk_code code;

    memcpy(before, pg->sqlstate, sizeof before);
    code = pg_script(pg, sql_rollback, timeout_ms, err);
    if (code == DBK_OK)
        memcpy(pg->sqlstate, before, sizeof before);
    return code;
}
