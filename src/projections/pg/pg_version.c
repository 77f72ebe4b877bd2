/* Which servers the statements of sql/ are for. */
#include "pg_wire.h"

#include <stdio.h>
#include <string.h>

/* The oldest has client_connection_check_interval, the newest is what the tests ran on. */
enum { OLDEST = 14, NEWEST = 18 };

static int major_of(const PGconn *conn)
{
    return PQserverVersion(conn) / 10000;
}

/* Text that a server sends may be anything. */
static int word_length(const char *text)
{
    return (int)strcspn(text, " \t\r\n");
}

static const char *version_of(const PGconn *conn)
{
    const char *text = PQparameterStatus(conn, "server_version");

    return text ? text : "of an unknown version";
}

enum dbk_code pg_check_version(const PGconn *conn, struct dbk_error *err)
{
    const char *version = version_of(conn), *host = PQhost(conn);

    if (major_of(conn) >= OLDEST)
        return DBK_OK;
    return dbk_fail(
        err, DBK_UNSUPPORTED,
        "the PostgreSQL at %s is %.*s, and the read tables need %d or newer: "
        "upgrade it, or name another by DB_HOST",
        host ? host : "DB_HOST", word_length(version), version, OLDEST);
}

bool pg_untested(const struct pg *pg, char *note, size_t size)
{
    const char *version = version_of(pg->conn);

    if (major_of(pg->conn) <= NEWEST)
        return false;
    snprintf(
        note, size,
        "PostgreSQL %.*s is newer than this daybook, which was tested with %d to %d",
        word_length(version), version, OLDEST, NEWEST);
    return true;
}
