/* pg.h - the one owner of libpq: connections to PostgreSQL, with a deadline on
 * everything.
 *
 * It knows nothing of persons, events or migrations: it runs the statements it is given
 * and says how they failed. It does not retry, log, or keep a pool (pool.h does that).
 * A connection belongs to one thread at a time.
 *
 * Failures of a statement, by SQLSTATE (pg_sqlstate has the code itself):
 *
 *   DBK_INVALID      22, 23, 54: the data is at fault; sending it again will not help
 *   DBK_TIMEOUT      not done by the deadline; or 57014, the server's statement_timeout
 *   DBK_UNAVAILABLE  everything else: the connection is lost (no SQLSTATE), the server
 *                    stops (57), is full (53), lacks tables (42), wants a retry (40), ...
 *   DBK_INTERNAL     21: one statement touched a row twice, which is the caller's bug
 *   DBK_NO_MEMORY
 *
 * After a deadline or a loss the connection is dead (pg_alive): all that is left is
 * pg_close. What a statement did that was under way then is unknown.
 */
#ifndef DBK_PROJECTIONS_PG_H
#define DBK_PROJECTIONS_PG_H

#include "projections/database.h"
#include "store/error.h"
#include "store/slice.h"
#include "store/timestamp.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg;        /* one connection */
struct pg_result; /* rows of one statement; owned by whoever asked for them */

/* Whether to go on waiting for PostgreSQL: DBK_OK, or why not. Asked now and then by the
 * thread that waits; must not wait itself. */
typedef enum dbk_code pg_go_on(void *context, struct dbk_error *err);

struct pg_options {
    const char *application;  /* shown in pg_stat_activity; borrowed for the call */
    int connect_timeout_ms;   /* for the whole of opening */
    int statement_timeout_ms; /* the server's own; 0: none */
    bool async_commit;        /* synchronous_commit = off: for whoever can redo it */
    /* For whoever has an index for each statement: go by index though a table is small
     * yet, and plan a named statement once, not for its parameters. */
    bool fixed_plans;
    bool binary_rows; /* the dbk_pg_binary calls read them */
    pg_go_on *go_on;  /* while opening; NULL: it is not asked */
    void *go_on_context;
};

/* The name of the schema, where none is configured the default one. */
const char *pg_schema(const struct dbk_database *database);

/* Whether the server is newer than any this program was tested with; note (as many bytes as
 * size) then says so. */
bool pg_untested(const struct pg *pg, char *note, size_t size);

/* Connect. The session has search_path on the database's schema (which need not exist
 * yet) and nothing else, UTF8, UTC, ISO dates. Resolving a host name is libpq's, and
 * blocks. Before anything is set it is made sure that the session is ours to the end, and
 * the database one of UTF8.
 *
 * DBK_UNAVAILABLE  not reached, or refused; err has libpq's words, never a password. Or of
 *                  no use: a pooler in transaction mode, another encoding
 * DBK_UNSUPPORTED  the server is too old
 * DBK_TIMEOUT, DBK_NO_MEMORY
 */
enum dbk_code pg_open(const struct dbk_database *database,
                      const struct pg_options *options, struct pg **pg,
                      struct dbk_error *err);

/* Whether a server accepts connections there, as who it does not say: one that asks for a
 * password does. Takes two seconds at most, but for resolving a host name. */
bool pg_answers(const struct dbk_database *database);

/* From now on ask this while PostgreSQL is waited for; NULL: nobody. Where it does not go
 * on, the call fails as it says, and the connection is dead. */
void pg_ask_while(struct pg *pg, pg_go_on *go_on, void *context);

/* Break the connection off: what waits for PostgreSQL fails at once, as it does when the
 * connection is lost. The one call that another thread may make, until pg_close. */
void pg_break(const struct pg *pg);

/* Never blocks; an open transaction is rolled back by the server. NULL is fine. */
void pg_close(struct pg *pg);

/* Whether statements can still be run, as far as is known without asking the server. */
bool pg_alive(const struct pg *pg);

/* Of the last statement: five characters, or "" where it did not fail or PostgreSQL was
 * not heard. Valid until the next call with pg. */
const char *pg_sqlstate(const struct pg *pg);

/* Whether the last statement failed because nothing can be changed: a standby, or set so. */
bool pg_read_only(const struct pg *pg);

/* What was to be done. */
enum pg_right {
    PG_RIGHT_SCHEMA, /* make the connection's schema */
    PG_RIGHT_SHADOW, /* make another one beside it */
    PG_RIGHT_TABLES, /* make and change tables in it */
};
/* Where the last statement failed for want of a right, put behind the text of err what
 * grants it. Returns code. */
enum dbk_code pg_name_right(const struct pg *pg, enum pg_right right,
                            enum dbk_code code, struct dbk_error *err);

/* A statement: with a name it is prepared once per connection, when first run. name and
 * sql must outlive the connection (they are constants).
 *
 * Here, and wherever else SQL is taken, :"schema" is the name of the connection's schema
 * and :'schema' the same as a text, as psql has them (psql -v schema=daybook). A statement
 * that overwrites or destroys names its schema so. */
struct pg_statement {
    const char *name; /* NULL: parse it each time */
    const char *sql;
};

/* A parameter, borrowed for the call. Its type is what the statement says ($1::uuid).
 */
struct pg_param {
    const char *data; /* NULL: SQL NULL */
    int length;       /* of binary data; text ends with NUL */
    bool binary;
};
#define PG_PARAMS_MAX 24

struct pg_param pg_text(const char *text);
struct pg_param pg_uuid(const struct dbk_uuid *id); /* borrows id */
/* These write the binary form to out, which must live as long as the parameter. */
struct pg_param pg_int8(char out[8], int64_t value);
struct pg_param pg_timestamp(char out[8], dbk_timestamp at);
/* The bytes as they are, for types whose binary form is their text: text, varchar, json
 * (not jsonb). NUL inside is the server's to refuse. Length 0 is "", not NULL. */
struct pg_param pg_bytes(struct dbk_slice bytes);

/* Run one statement and wait for it. result (NULL: not wanted) receives its rows on
 * DBK_OK, else NULL. Outside pg_begin it is a transaction of its own. */
enum dbk_code pg_run(struct pg *pg, const struct pg_statement *statement,
                     const struct pg_param *params, int count, int timeout_ms,
                     struct pg_result **result, struct dbk_error *err);

/* Run one statement and visit its rows as they come, so that memory holds one at a
 * time; row is the result with that row as row 0. Where visit returns false the rest is
 * thrown away: DBK_OK, and where the rest was long the connection is dead. */
typedef bool pg_visit(void *context, const struct pg_result *row);
enum dbk_code pg_each(struct pg *pg, const struct pg_statement *statement,
                      const struct pg_param *params, int count, int timeout_ms,
                      pg_visit *visit, void *context, struct dbk_error *err);

/* Run several statements, separated by semicolons, without parameters or rows. */
enum dbk_code pg_script(struct pg *pg, const char *sql, int timeout_ms,
                        struct dbk_error *err);

/* A transaction of several calls. After a statement in it failed only pg_rollback
 * is of use (pg_commit then fails). */
enum dbk_code pg_begin(struct pg *pg, int timeout_ms, struct dbk_error *err);
enum dbk_code pg_commit(struct pg *pg, int timeout_ms, struct dbk_error *err);
/* Leaves pg_sqlstate as the failure before it has it. */
enum dbk_code pg_rollback(struct pg *pg, int timeout_ms, struct dbk_error *err);
bool pg_in_transaction(const struct pg *pg);

/* In the transaction that is open, before what destroys: whether this is still the session,
 * the database and the schema that the connection was opened with. DBK_UNAVAILABLE: it is
 * not, nothing is to be done, and the connection is dead. */
enum dbk_code pg_check_place(struct pg *pg, int timeout_ms, struct dbk_error *err);
/* The same as a step of pg_transact. Where that step divides by zero (22012), pg_misplaced
 * says so. What the parameters point to is the connection's. */
enum { PG_PLACE_PARAMS = 3 };
extern const struct pg_statement pg_place;
void pg_place_params(const struct pg *pg, struct pg_param params[PG_PLACE_PARAMS]);
enum dbk_code pg_misplaced(struct pg *pg, struct dbk_error *err);

/* Run all steps in one transaction and one round trip (libpq's pipeline mode): all take
 * effect or none. Not inside pg_begin. */
struct pg_step {
    const struct pg_statement *statement;
    const struct pg_param *params;
    int count;
    struct pg_result *result; /* out, with DBK_OK; free with pg_clear */
};
/* *failed (may be NULL) receives the index of the step that failed; count where the
 * commit or the connection did. */
enum dbk_code pg_transact(struct pg *pg, struct pg_step *steps, size_t count,
                          int timeout_ms, size_t *failed, struct dbk_error *err);

/* COPY ... FROM STDIN: a stream of bytes in the format that sql names. Begin, put again
 * and again, end; in between the connection takes nothing else. A put returns once the
 * bytes of the puts before it are on their way, so that the caller makes the next while
 * the server works on them. What the server refuses is told by the end only. To give up
 * in between, close the connection. */
enum dbk_code pg_copy_begin(struct pg *pg, const char *sql, int timeout_ms,
                            struct dbk_error *err);
enum dbk_code pg_copy_put(struct pg *pg, const char *bytes, size_t length,
                          int timeout_ms, struct dbk_error *err);
/* *rows (may be NULL) receives how many were taken. */
enum dbk_code pg_copy_end(struct pg *pg, int timeout_ms, uint64_t *rows,
                          struct dbk_error *err);

/* Statements of several connections under way at once, by one thread: launch one on
 * each, wait for any, conclude that one. sql as pg_script takes it. */
enum dbk_code pg_launch(struct pg *pg, const char *sql, struct dbk_error *err);
/* *which receives the index of one that can be concluded without waiting; NULL entries
 * are passed over. DBK_TIMEOUT: none yet, and nothing is lost by it. */
enum dbk_code pg_wait_any(struct pg *const *pgs, size_t count, int timeout_ms,
                          size_t *which, struct dbk_error *err);
/* result (NULL: not wanted) receives its rows, as for pg_run. */
enum dbk_code pg_conclude(struct pg *pg, struct pg_result **result,
                          struct dbk_error *err);

/* Rows and columns count from 0; those asked for must exist. */
size_t pg_rows(const struct pg_result *result);
/* Rows inserted, updated or deleted. */
uint64_t pg_affected(const struct pg_result *result);
bool pg_null(const struct pg_result *result, size_t row, int column);
/* Text form, without binary_rows. data ends with NUL and is never NULL; valid until pg_clear. */
struct dbk_slice pg_value(const struct pg_result *result, size_t row, int column);
uint64_t pg_u64(const struct pg_result *result, size_t row, int column);
bool pg_bool(const struct pg_result *result, size_t row, int column);

/* Values of rows in binary form (binary_rows), whose column must have the type. Text is
 * the same in either form: pg_value. What is borrowed is valid until pg_clear. */
int64_t pg_binary_int8(const struct pg_result *result, size_t row, int column);
dbk_timestamp pg_binary_timestamp(const struct pg_result *result, size_t row,
                                  int column);
void pg_binary_uuid(const struct pg_result *result, size_t row, int column,
                    struct dbk_uuid *out);
/* The JSON text of a jsonb, as PostgreSQL writes it; borrowed. */
struct dbk_slice pg_binary_jsonb(const struct pg_result *result, size_t row,
                                 int column);

void pg_clear(struct pg_result *result); /* NULL is fine */

#endif
