/* What PostgreSQL's failures mean to callers. */
#include "pg_wire.h"

#include <string.h>

static bool class_is(const char *sqlstate, const char *class)
{
    return !strncmp(sqlstate, class, 2);
}

static enum dbk_code code_of(const char *sqlstate)
{
    if (class_is(sqlstate, "22") || class_is(sqlstate, "23") ||
        class_is(sqlstate, "54"))
        return DBK_INVALID;
    if (!strcmp(sqlstate, "57014")) /* query_canceled: statement_timeout */
        return DBK_TIMEOUT;
    if (class_is(sqlstate, "21"))
        return DBK_INTERNAL;
    return DBK_UNAVAILABLE;
}

/* What was prepared in this session no longer fits the tables ("cached plan must not change
 * result type"), or is unknown to it (a pooler gave another): only a new one helps. */
static bool needs_new_session(const char *sqlstate)
{
    return !strcmp(sqlstate, "0A000") || !strcmp(sqlstate, "26000");
}

/* Both are codes of much else, which a trigger may raise for one row: the function of
 * PostgreSQL tells them apart. A pooler names none. */
static bool is_certain(const PGresult *result)
{
    static const char *const functions[] = {
        "RevalidateCachedQuery", "FetchPreparedStatement", "exec_bind_message"};
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    for (size_t i = 0; function && i < sizeof functions / sizeof *functions; i++) {
        if (!strcmp(function, functions[i]))
            return true;
    }
    return !function;
}

static int without_newline(const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        length--;
    return (int)length;
}

/* libpq gives no SQLSTATE here. */
static bool says_full(const char *text)
{
    return strstr(text, "too many c") || strstr(text, "connection slots");
}

enum dbk_code pg_unreached(const PGconn *conn, struct dbk_error *err)
{
    const char *text = PQerrorMessage(conn);

    return dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL cannot be reached: %.*s%s",
                    without_newline(text), text,
                    says_full(text)
                        ? ": raise the role's connection limit, or max_connections"
                        : "");
}

enum dbk_code pg_lost(struct pg *pg, struct dbk_error *err)
{
    const char *text = PQerrorMessage(pg->conn);

    pg->dead = true;
    return dbk_fail(err, DBK_UNAVAILABLE, "The connection to PostgreSQL is lost: %.*s",
                    without_newline(text), text);
}

/* Pages and files that are not as PostgreSQL has written them; its internal errors may be
 * about them, or about two who change a thing at once. */
static void note_damage(const struct pg *pg, const char *text)
{
    bool certain = !strcmp(pg->sqlstate, "XX001") || !strcmp(pg->sqlstate, "XX002") ||
                   !strcmp(pg->sqlstate, "58P01");

    if (pg->damaged && (certain || class_is(pg->sqlstate, "XX")))
        pg->damaged(pg->damaged_context, certain, text ? text : pg->sqlstate);
}

/* libpq gives no SQLSTATE here. These are of a server that starts, stops or is full. */
void pg_note_refusal(const struct pg *pg)
{
    static const char *const passing[] = {
        "starting up", "shutting down",    "recovery mode", "not yet accepting",
        "too many",    "connection slots", "terminating"};
    const char *text = PQerrorMessage(pg->conn);

    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (strstr(text, passing[i]))
            return;
    }
    if (pg->damaged && strstr(text, "FATAL:"))
        pg->damaged(pg->damaged_context, false, text);
}

static enum dbk_code refused(struct pg *pg, const PGresult *result,
                             struct dbk_error *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (!sqlstate) /* libpq made this result itself */
        return pg_lost(pg, err);
    memcpy(pg->sqlstate, sqlstate, strnlen(sqlstate, 5));
    pg->sqlstate[5] = '\0';
    note_damage(pg, text);
    if (needs_new_session(pg->sqlstate))
        pg->dead = is_certain(result);
    return dbk_fail(
        err, code_of(pg->sqlstate), "PostgreSQL: %s (%s)%s", text ? text : "no message",
        pg->sqlstate,
        pg_read_only(pg)
            ? ": name the primary in DB_HOST, where this is a standby; else "
              "set default_transaction_read_only off again, for the role, the "
              "database or the server"
            : "");
}

enum dbk_code pg_check(struct pg *pg, const PGresult *result, struct dbk_error *err)
{
    switch (PQresultStatus(result)) {
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_SYNC:
    case PGRES_NONFATAL_ERROR:
#ifdef LIBPQ_HAS_CHUNK_MODE /* from libpq 17 on; never asked for */
    case PGRES_TUPLES_CHUNK:
#endif
        return DBK_OK;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        pg->dead = true;
        return dbk_fail(err, DBK_INVALID, "COPY to or from the client is not possible");
    case PGRES_PIPELINE_ABORTED:
        return dbk_fail(err, DBK_UNAVAILABLE, "An earlier statement failed");
    case PGRES_BAD_RESPONSE:
    case PGRES_FATAL_ERROR:
        return refused(pg, result, err);
    }
    return pg_lost(pg, err);
}
