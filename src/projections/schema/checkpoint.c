#include "checkpoint.h"

#include "history.h"
#include "holder.h"
#include "projections/migrate.h"
#include "sql.h"
#include "tables.h"

#include <stdio.h>
#include <string.h>

enum { CONNECT_MS = 5000, QUERY_MS = 30000 };
enum column {
    STORE_ID,
    SEQUENCE,
    QUARANTINED,
    PERSONS,
    EVENTS,
    BYTES,
    READ_ONLY,
    CHECKSUM,
    COUNTED
};

static enum dbk_code no_tables(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NOT_FOUND,
                    "there are no read tables yet: run \"daybook serve\" or \"daybook "
                    "migrate\"");
}

static void note_pending(void *context, const struct dbk_migration_state *state)
{
    *(bool *)context |= !state->applied;
}

/* Where the migrations have made tables, some of them are gone, or this program would make
 * more; else all are gone. */
static enum dbk_code explain(const struct dbk_database *database, struct pg *pg,
                             enum dbk_code code, struct dbk_error *err)
{
    bool made, pending = false;

    if (!tables_broken(pg) || tables_made(pg, QUERY_MS, &made) != DBK_OK)
        return code;
    if (!made)
        return no_tables(err);
    if (dbk_migrate_status(database, note_pending, &pending, NULL) == DBK_OK && pending)
        return dbk_fail(err, DBK_INVALID,
                        "the read tables are of an older version: \"daybook serve\" or "
                        "\"daybook migrate\" brings them up to date");
    return tables_advise(DBK_INVALID, err);
}

static enum dbk_code connect_pg(const struct dbk_database *database, struct pg **pg,
                                struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .statement_timeout_ms = QUERY_MS};

    return pg_open(database, &options, pg, err);
}

static enum dbk_code ask(const struct dbk_database *database, struct pg *pg,
                         const char *sql, const struct pg_param *params, int count,
                         struct pg_result **result, struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql};
    enum dbk_code code = pg_run(pg, &statement, params, count, QUERY_MS, result, err);

    return code == DBK_OK ? code : explain(database, pg, code, err);
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
        code = ask(database, pg, sql, params, count, result, err);
    pg_close(pg);
    return away_if_late(code, err);
}

enum dbk_code dbk_tables_read(const struct dbk_database *database,
                              struct dbk_tables_state *out, struct dbk_error *err)
{
    struct pg_result *result = NULL;
    struct pg *pg;
    enum dbk_code code = connect_pg(database, &pg, err);
    struct holder_seen seen;
    struct history_place place;

    memset(out, 0, sizeof *out);
    if (code == DBK_OK)
        code = ask(database, pg, sql_tables_look, NULL, 0, NULL, err);
    if (code == DBK_OK)
        code = ask(database, pg, sql_checkpoint_read, NULL, 0, &result, err);
    if (code == DBK_OK)
        code = holder_look(pg, pg_schema(database), &seen, err);
    pg_close(pg);
    code = away_if_late(code, err);
    if (code != DBK_OK) {
        pg_clear(result);
        return code;
    }
    if (pg_rows(result) == 0) {
        pg_clear(result);
        return no_tables(err);
    }
    if (!history_read(result, 0, STORE_ID, SEQUENCE, CHECKSUM, &place))
        code = dbk_fail(err, DBK_INVALID, "the checkpoint's store id is no UUID");
    out->store_id = place.store_id;
    out->projected = place.sequence;
    out->checksum = place.checksum;
    out->held = seen.held;
    snprintf(out->holder_id, sizeof out->holder_id, "%s", seen.id);
    snprintf(out->holder, sizeof out->holder, "%s", *seen.id ? seen.text : "");
    out->quarantined = pg_u64(result, 0, QUARANTINED);
    out->persons = pg_u64(result, 0, PERSONS);
    out->events = pg_u64(result, 0, EVENTS);
    out->table_bytes = pg_u64(result, 0, BYTES);
    out->read_only = pg_bool(result, 0, READ_ONLY);
    out->events_exact = pg_bool(result, 0, COUNTED);
    pg_clear(result);
    return code;
}

enum dbk_code dbk_tables_log(const struct dbk_database *database,
                             struct dbk_uuid *store_id, uint64_t *sequence,
                             struct dbk_error *err)
{
    struct pg_result *result = NULL;
    struct dbk_slice id;
    enum dbk_code code =
        checkpoint_ask(database, sql_checkpoint_log, NULL, 0, &result, err);

    *sequence = 0;
    if (code == DBK_INVALID) /* some tables are there, and not this one */
        return dbk_fail(err, DBK_NOT_FOUND, "the read tables have no checkpoint");
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) == 0) {
        code = dbk_fail(err, DBK_NOT_FOUND, "the read tables have no checkpoint");
    } else {
        id = pg_value(result, 0, 0);
        *sequence = pg_u64(result, 0, 1);
        if (!dbk_uuid_parse(id.data, id.length, store_id))
            code = dbk_fail(err, DBK_NOT_FOUND, "the read tables name no log");
    }
    pg_clear(result);
    return code;
}

enum dbk_code dbk_tables_check(struct dbk_log *log,
                               const struct dbk_tables_state *checkpoint,
                               struct dbk_error *err)
{
    const struct history_place place = {checkpoint->store_id, checkpoint->projected,
                                        checkpoint->checksum};
    struct holder ours;

    holder_name(log, &ours);
    if (checkpoint->held && *checkpoint->holder_id &&
        strcmp(ours.id, checkpoint->holder_id) != 0)
        return holder_fail(log, &checkpoint->store_id, checkpoint->holder, err);
    return history_check(log, &place, err);
}
