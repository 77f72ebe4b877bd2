/* pg_wire.h - the inside of a connection, shared by the files of pg.h only. */
#ifndef DBK_PROJECTIONS_PG_WIRE_H
#define DBK_PROJECTIONS_PG_WIRE_H

#include "pg.h"
#include "store/clock.h"

#include <libpq-fe.h>

#define PG_PREPARED_MAX 48

/* What a connection is in the middle of, between two calls. */
enum pg_doing { PG_IDLE, PG_LAUNCHED, PG_COPYING };

struct pg {
    PGconn *conn; /* non-blocking once open */
    int sock;     /* a copy of its socket, which libpq may close when it likes; or -1 */
    bool binary_rows;
    bool (*stop)(void *context); /* as dbk_database has them */
    void *stop_context;
    pg_go_on *go_on; /* as pg_ask_while has set it */
    void *go_on_context;
    void (*damaged)(void *context, bool certain, const char *what);
    void *damaged_context;
    enum pg_doing doing; /* while it lives */
    bool dead; /* what the server still sends would be mistaken for another answer */
    char sqlstate[6];
    const char *prepared[PG_PREPARED_MAX]; /* names known to this session */
    size_t prepared_count;

    /* Where we are: what pg_place compares, and how statements name the schema. */
    const char *schema;         /* borrowed from the database that was opened */
    char *identifier, *literal; /* of it, quoted; libpq's memory */
    char process[16], name[64]; /* the server's process, the database */
    bool pooled;                /* the server is not who we are connected to */
};

/* Connect, and set nothing. Close with pg_close. Errors as pg_open. */
enum dbk_code pg_connect(const struct dbk_database *database,
                         const struct pg_options *options, dbk_deadline deadline,
                         struct pg **pg, struct dbk_error *err);

/* Whether the tables can be there: a database of UTF8, sessions that are ours as long as
 * the connection is. Sets nothing, and leaves nothing in any session. DBK_UNAVAILABLE, as
 * for all that makes PostgreSQL of no use; err says what is to be done. DBK_TIMEOUT. */
enum dbk_code pg_check_server(struct pg *pg, const struct dbk_database *database,
                              const struct pg_options *options, dbk_deadline deadline,
                              struct dbk_error *err);

/* sql with the schema's name where it says :"schema" or :'schema', as psql has it. *made
 * is to be freed, and NULL where *out is sql itself. DBK_NO_MEMORY. */
enum dbk_code pg_expand(const struct pg *pg, const char *sql, char **made,
                        const char **out, struct dbk_error *err);

/* Before each thing that is begun: forget the failure of the last one. DBK_UNAVAILABLE
 * where the connection is dead. */
enum dbk_code pg_ready(struct pg *pg, struct dbk_error *err);

/* Wait for the socket. events as poll(2) has them; *seen (may be NULL) what came.
 * DBK_TIMEOUT past the deadline, DBK_INTERRUPTED. The connection stays as it is. */
enum dbk_code pg_poll(const struct pg *pg, short events, dbk_deadline deadline,
                      short *seen, struct dbk_error *err);

/* Send what is buffered and wait until the next PQgetResult will not block. On failure
 * the connection is dead. */
enum dbk_code pg_await(struct pg *pg, dbk_deadline deadline, struct dbk_error *err);

/* Take the results of what was sent, to the last, and tell the first failure. *kept
 * receives the last result; clear it. */
enum dbk_code pg_finish(struct pg *pg, dbk_deadline deadline, PGresult **kept,
                        struct dbk_error *err);

/* DBK_UNSUPPORTED where the server is too old; err says which it is. */
enum dbk_code pg_check_version(const PGconn *conn, struct dbk_error *err);

/* Send SQL without parameters, of which pg_finish takes the results. DBK_UNAVAILABLE,
 * DBK_NO_MEMORY. */
enum dbk_code pg_send_text(struct pg *pg, const char *sql, struct dbk_error *err);

/* Run one plain statement and take its rows, in text. Errors as pg_run. */
enum dbk_code pg_ask(struct pg *pg, const char *sql, dbk_deadline deadline,
                     PGresult **result, struct dbk_error *err);

/* Whether a result is a success; else err and the SQLSTATE are filled. */
enum dbk_code pg_check(struct pg *pg, const PGresult *result, struct dbk_error *err);

/* Tell whoever wants to know what a connection was refused for. */
void pg_note_refusal(const struct pg *pg);

/* There was no connection yet; err has libpq's words. */
enum dbk_code pg_unreached(const PGconn *conn, struct dbk_error *err);

/* libpq itself failed: the connection is dead; err has its words. */
enum dbk_code pg_lost(struct pg *pg, struct dbk_error *err);

/* Prepare the statement unless it has no name or is prepared already. */
enum dbk_code pg_prepare(struct pg *pg, const struct pg_statement *statement,
                         dbk_deadline deadline, struct dbk_error *err);

/* Hand a prepared (or nameless) statement to libpq; pg_await sends it. */
enum dbk_code pg_send(struct pg *pg, const struct pg_statement *statement,
                      const struct pg_param *params, int count, struct dbk_error *err);

/* Write the binary form of an int4, as lengths are. */
void pg_put_int4(char out[4], uint32_t value);

#endif
