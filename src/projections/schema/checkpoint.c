#include "checkpoint.h"

#include "sql.h"
#include "tables.h"

#include <string.h>

enum { CONNECT_MS = 5000, QUERY_MS = 30000 };
enum column { STORE_ID, SEQUENCE, QUARANTINED, PERSONS, EVENTS, BYTES, READ_ONLY };

static enum dbk_code no_tables(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NOT_FOUND,
                    "there are no read tables yet: run \"daybook serve\" or \"daybook "
                    "migrate\"");
}

/* Where the migrations have made tables, some of them are gone; else all are. */
static enum dbk_code explain(struct pg *pg, enum dbk_code code, struct dbk_error *err)
{
    bool made;

    if (!tables_broken(pg) || tables_made(pg, QUERY_MS, &made) != DBK_OK)
        return code;
    return made ? tables_advise(DBK_INVALID, err) : no_tables(err);
}

static enum dbk_code connect_pg(const struct dbk_database *database, struct pg **pg,
                                struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .statement_timeout_ms = QUERY_MS};

    return pg_open(database, &options, pg, err);
}

static enum dbk_code ask(struct pg *pg, const char *sql, const struct pg_param *params,
                         int count, struct pg_result **result, struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql};
    enum dbk_code code = pg_run(pg, &statement, params, count, QUERY_MS, result, err);

    return code == DBK_OK ? code : explain(pg, code, err);
}

/* One that does not answer in time is away. */
static enum dbk_code away_if_late(enum dbk_code code, struct dbk_error *err)
{
    if (code != DBK_TIMEOUT)
        return code;
    dbk_wrap(err, "PostgreSQL");
    return err ? (err->code = DBK_UNAVAILABLE) : DBK_UNAVAILABLE;
}

enum dbk_code checkpoint_ask(const struct dbk_database *database, const char *sql,
                             const struct pg_param *params, int count,
                             struct pg_result **result, struct dbk_error *err)
{
    struct pg *pg;
    enum dbk_code code = connect_pg(database, &pg, err);

    if (code == DBK_OK)
        code = ask(pg, sql, params, count, result, err);
    pg_close(pg);
    return away_if_late(code, err);
}

enum dbk_code dbk_checkpoint_read(const struct dbk_database *database,
                                  struct dbk_checkpoint *out, struct dbk_error *err)
{
    struct pg_result *result = NULL;
    struct pg *pg;
    enum dbk_code code = connect_pg(database, &pg, err);
    struct dbk_slice id;

    memset(out, 0, sizeof *out);
    if (code == DBK_OK)
        code = ask(pg, sql_tables_look, NULL, 0, NULL, err);
    if (code == DBK_OK)
        code = ask(pg, sql_checkpoint_read, NULL, 0, &result, err);
    pg_close(pg);
    code = away_if_late(code, err);
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) == 0) {
        pg_clear(result);
        return no_tables(err);
    }
    id = pg_value(result, 0, STORE_ID);
    if (!dbk_uuid_parse(id.data, id.length, &out->store_id))
        code = dbk_fail(err, DBK_INVALID, "the checkpoint's store id is no UUID");
    out->projected = pg_u64(result, 0, SEQUENCE);
    out->quarantined = pg_u64(result, 0, QUARANTINED);
    out->persons = pg_u64(result, 0, PERSONS);
    out->events = pg_u64(result, 0, EVENTS);
    out->table_bytes = pg_u64(result, 0, BYTES);
    out->read_only = pg_bool(result, 0, READ_ONLY);
    pg_clear(result);
    return code;
}
