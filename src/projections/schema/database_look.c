#include "projections/database_look.h"

#include "pg.h"
#include "sql.h"

#include <stdio.h>
#include <string.h>

enum { CONNECT_MS = 5000, QUERY_MS = 10000 };
enum column {
    VERSION,
    ENCODING,
    READ_ONLY,
    HAS_SCHEMA,
    MAY_MAKE,
    MAY_USE,
    REPLICA,
    CONNECTIONS
};

static void copy(const struct pg_result *result, enum column column, char *out,
                 size_t size)
{
    struct dbk_slice value = pg_value(result, 0, column);

    snprintf(out, size, "%.*s", (int)value.length, value.data);
}

static enum dbk_code ask(struct pg *pg, const char *schema,
                         struct dbk_database_state *out, struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql_database_look};
    const struct pg_param param = pg_text(schema);
    struct pg_result *result;

    if (pg_run(pg, &statement, &param, 1, QUERY_MS, &result, err) != DBK_OK)
        return err->code;
    copy(result, VERSION, out->version, sizeof out->version);
    copy(result, ENCODING, out->encoding, sizeof out->encoding);
    out->read_only = pg_bool(result, 0, READ_ONLY);
    out->has_schema = pg_bool(result, 0, HAS_SCHEMA);
    out->may_make = pg_bool(result, 0, MAY_MAKE);
    out->may_use = pg_bool(result, 0, MAY_USE);
    out->replica = pg_bool(result, 0, REPLICA);
    out->connections = (unsigned)pg_u64(result, 0, CONNECTIONS);
    pg_clear(result);
    pg_untested(pg, out->untested, sizeof out->untested);
    return DBK_OK;
}

enum dbk_code dbk_database_look(const struct dbk_database *database,
                                struct dbk_database_state *out, struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .statement_timeout_ms = QUERY_MS};
    struct dbk_error why;
    enum dbk_code code;
    struct pg *pg;

    memset(out, 0, sizeof *out);
    code = pg_open(database, &options, &pg, &why);
    if (code == DBK_OK)
        code = ask(pg, pg_schema(database), out, &why);
    pg_close(pg);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}
