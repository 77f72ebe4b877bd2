/* Opening a connection without ever waiting past its deadline. */
#include "pg_wire.h"
#include "sql.h"
#include "store/clock.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keyword arrays rather than one string: nothing needs quoting, and no value can
 * smuggle in another keyword. */
static PGconn *connect_start(const struct dbk_database *database,
                             const char *application)
{
    const char *const keywords[] = {"host",
                                    "port",
                                    "dbname",
                                    "user",
                                    "password",
                                    "application_name",
                                    "client_encoding",
                                    NULL};
    const char *const values[] = {
        database->host,     database->port, database->name, database->user,
        database->password, application,    "UTF8",         NULL};

    return PQconnectStartParams(keywords, values, 0);
}

/* libpq would print notices ("already exists, skipping") to stderr. */
static void drop_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static enum dbk_code connect_finish(const struct pg *pg, dbk_deadline deadline,
                                    struct dbk_error *err)
{
    PGconn *conn = pg->conn;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    enum dbk_code code;

    if (PQstatus(conn) == CONNECTION_BAD)
        return pg_unreached(conn, err);
    while (state != PGRES_POLLING_OK) {
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        code = pg_poll(pg, events, deadline, NULL, err);
        if (code != DBK_OK)
            return code;
        state = PQconnectPoll(conn);
        if (state == PGRES_POLLING_FAILED) {
            pg_note_refusal(pg);
            return pg_unreached(conn, err);
        }
    }
    return DBK_OK;
}

const char *pg_schema(const struct dbk_database *database)
{
    return database->schema && *database->schema ? database->schema : "daybook";
}

/* As a statement, not as start-up options: connection poolers refuse those. */
static enum dbk_code set_session(struct pg *pg, const struct dbk_database *database,
                                 const struct pg_options *options,
                                 dbk_deadline deadline, struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql_session};
    char timeout[16];
    struct pg_param params[4];

    snprintf(timeout, sizeof timeout, "%d", options->statement_timeout_ms);
    params[0] = pg_text(pg_schema(database));
    params[1] = pg_text(timeout);
    params[2] = pg_text(options->async_commit ? "off" : "on");
    params[3] = pg_text(options->fixed_plans ? "on" : "off");
    return pg_run(pg, &statement, params, 4, dbk_deadline_left(deadline), NULL, err);
}

enum dbk_code pg_connect(const struct dbk_database *database,
                         const struct pg_options *options, dbk_deadline deadline,
                         struct pg **out, struct dbk_error *err)
{
    struct pg *pg = calloc(1, sizeof *pg);
    enum dbk_code code;

    *out = NULL;
    if (!pg)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    pg->sock = -1;
    pg->stop = database->stop;
    pg->stop_context = database->stop_context;
    pg_ask_while(pg, options->go_on, options->go_on_context);
    pg->damaged = database->damaged;
    pg->damaged_context = database->damaged_context;
    pg->conn = connect_start(database, options->application);
    if (!pg->conn) {
        code = dbk_fail(err, DBK_NO_MEMORY, "out of memory");
        goto fail;
    }
    PQsetNoticeReceiver(pg->conn, drop_notice, NULL);
    code = connect_finish(pg, deadline, err);
    if (code == DBK_OK && PQsetnonblocking(pg->conn, 1) != 0)
        code = pg_unreached(pg->conn, err);
    if (code != DBK_OK)
        goto fail;
    *out = pg;
    return DBK_OK;

fail:
    pg_close(pg);
    return code;
}

static enum dbk_code quote_schema(struct pg *pg, const struct dbk_database *database,
                                  struct dbk_error *err)
{
    pg->schema = pg_schema(database);
    pg->identifier = PQescapeIdentifier(pg->conn, pg->schema, strlen(pg->schema));
    pg->literal = PQescapeLiteral(pg->conn, pg->schema, strlen(pg->schema));
    return pg->identifier && pg->literal ? DBK_OK : pg_unreached(pg->conn, err);
}

enum dbk_code pg_open(const struct dbk_database *database,
                      const struct pg_options *options, struct pg **out,
                      struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(options->connect_timeout_ms);
    struct pg *pg;
    enum dbk_code code = pg_connect(database, options, deadline, &pg, err);

    *out = NULL;
    if (code != DBK_OK)
        return code;
    assert(pg); /* which DBK_OK says */
    code = pg_check_version(pg->conn, err);
    if (code == DBK_OK)
        code = quote_schema(pg, database, err);
    if (code == DBK_OK)
        code = pg_check_server(pg, database, options, deadline, err);
    if (code == DBK_OK && pg->pooled) /* of what a client that was killed has left */
        code = pg_script(pg, sql_session_ends, dbk_deadline_left(deadline), err);
    if (code == DBK_OK)
        code = set_session(pg, database, options, deadline, err);
    if (code != DBK_OK) {
        pg_close(pg);
        return code;
    }
    pg->binary_rows = options->binary_rows;
    pg->sock = fcntl(PQsocket(pg->conn), F_DUPFD_CLOEXEC, 0);
    *out = pg;
    return DBK_OK;
}

enum dbk_code dbk_database_check(const struct dbk_database *database, int timeout_ms,
                                 struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook",
                                       .connect_timeout_ms = timeout_ms};
    struct pg *pg;
    enum dbk_code code = pg_open(database, &options, &pg, err);

    pg_close(pg);
    return code;
}

bool pg_answers(const struct dbk_database *database)
{
    const char *const keywords[] = {"host", "port", "dbname", "user", "connect_timeout",
                                    NULL};
    const char *const values[] = {
        database->host, database->port, database->name, database->user, "2", NULL};

    return PQpingParams(keywords, values, 0) == PQPING_OK;
}

void pg_break(const struct pg *pg)
{
    if (pg->sock >= 0)
        shutdown(pg->sock, SHUT_RDWR);
}

/* What we have set stays in no session that a pooler gives to others, whatever its
 * server_reset_query is. Not waited for: to a pooler, a client that leaves in the middle of
 * a statement is reason to end that session. */
static void leave_clean(struct pg *pg)
{
    if (pg->pooled && PQtransactionStatus(pg->conn) == PQTRANS_IDLE &&
        PQsendQuery(pg->conn, sql_session_ends))
        PQflush(pg->conn);
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    if (pg->sock >= 0)
        close(pg->sock);
    leave_clean(pg);
    PQfreemem(pg->identifier);
    PQfreemem(pg->literal);
    PQfinish(pg->conn); /* non-blocking, so its goodbye does not wait for anyone */
    free(pg);
}
