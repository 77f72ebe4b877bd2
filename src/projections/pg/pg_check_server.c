/* What a server must be before anything is set or done there.
 *
 * A pooler in session mode is as good as PostgreSQL. One that gives each transaction, or
 * each statement, another session is not: what we prepare and set, and the locks we take,
 * would stay in sessions that others are given. It is known by this: PostgreSQL tells
 * its process's number when a connection is made; where that is not who answers, somebody
 * is in between. Then two connections, which are open at the same time, ask who answers
 * them. In session mode each has one process to the end, and not the same.
 */
#include "pg_wire.h"
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_MS = 5000 };
enum column { PROCESS, ENCODING, NAME };

/* Who asks next, A or B. In idle servers that are taken last in first out, the second
 * question tells; in turns, one of two in a row; among others' work, chance. */
static const char turns[] = "BAABBBABAAABBA";

static enum dbk_code look(struct pg *pg, dbk_deadline deadline, struct dbk_error *err)
{
    PGresult *row;
    enum dbk_code code = pg_ask(pg, sql_server, deadline, &row, err);

    if (code != DBK_OK)
        return code;
    if (PQntuples(row) != 1 || PQnfields(row) <= NAME) {
        code =
            dbk_fail(err, DBK_UNAVAILABLE, "what answers at DB_HOST is no PostgreSQL");
    } else if (strcmp(PQgetvalue(row, 0, ENCODING), "UTF8") != 0) {
        code = dbk_fail(
            err, DBK_UNAVAILABLE,
            "the database %.64s has the encoding %.32s, and the read tables need UTF8: "
            "make another one with create database daybook encoding 'UTF8' template "
            "template0; (or createdb -E UTF8 -T template0 daybook; where the server's "
            "locale refuses that, add locale 'C'), and name it in DB_NAME",
            PQgetvalue(row, 0, NAME), PQgetvalue(row, 0, ENCODING));
    } else {
        snprintf(pg->process, sizeof pg->process, "%s", PQgetvalue(row, 0, PROCESS));
        snprintf(pg->name, sizeof pg->name, "%s", PQgetvalue(row, 0, NAME));
    }
    PQclear(row);
    return code;
}

static enum dbk_code ask_process(struct pg *pg, dbk_deadline deadline, char out[16],
                                 struct dbk_error *err)
{
    PGresult *row;
    enum dbk_code code = pg_ask(pg, sql_server, deadline, &row, err);

    if (code == DBK_OK)
        snprintf(out, 16, "%s", PQntuples(row) == 1 ? PQgetvalue(row, 0, PROCESS) : "");
    PQclear(row);
    return code;
}

static enum dbk_code refuse(struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "DB_HOST is a pooler in transaction or statement mode, which gives "
                    "each transaction another session: use its session mode, or "
                    "PostgreSQL's own port");
}

static enum dbk_code compare(struct pg *pg, struct pg *other, dbk_deadline deadline,
                             struct dbk_error *err)
{
    char process[16];
    enum dbk_code code = ask_process(other, deadline, other->process, err);

    if (code == DBK_OK && !strcmp(other->process, pg->process))
        return refuse(err);
    for (const char *turn = turns; *turn && code == DBK_OK; turn++) {
        struct pg *asked = *turn == 'A' ? pg : other;

        code = ask_process(asked, deadline, process, err);
        if (code == DBK_OK && strcmp(process, asked->process) != 0)
            code = refuse(err);
    }
    return code;
}

/* There is a pooler: of which kind? */
static enum dbk_code probe(struct pg *pg, const struct dbk_database *database,
                           const struct pg_options *options, dbk_deadline deadline,
                           struct dbk_error *err)
{
    int left = dbk_deadline_left(deadline);
    dbk_deadline until = dbk_deadline_in(left < PROBE_MS ? left : PROBE_MS);
    struct pg *other;
    enum dbk_code code = pg_connect(database, options, until, &other, err);

    if (code == DBK_OK)
        code = compare(pg, other, until, err);
    pg_close(other);
    if (code == DBK_TIMEOUT)
        code = dbk_fail(err, DBK_UNAVAILABLE,
                        "the pooler at DB_HOST gives no second connection to tell its "
                        "mode by: let it have more (default_pool_size), or use "
                        "PostgreSQL's own port");
    return code;
}

enum dbk_code pg_check_server(struct pg *pg, const struct dbk_database *database,
                              const struct pg_options *options, dbk_deadline deadline,
                              struct dbk_error *err)
{
    char told[16];
    enum dbk_code code = look(pg, deadline, err);

    if (code != DBK_OK)
        return code;
    snprintf(told, sizeof told, "%d", PQbackendPID(pg->conn));
    if (!strcmp(told, pg->process))
        return DBK_OK;
    code = probe(pg, database, options, deadline, err);
    pg->pooled = code == DBK_OK;
    return code;
}
