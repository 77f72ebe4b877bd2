/* Tables anew, nothing beside them, then what only a superuser may clean. */
#include "rebuild_private.h"
#include "scrub_memory.h"
#include "scrub_wal.h"

#include "projections/projector.h"
#include "projections/scrub.h"
#include "sql.h"
#include "store/watch.h"

#include <stdio.h>
#include <string.h>

enum { QUERY_MS = 60000 };

/* One call. */
struct scrub {
    struct rebuild rebuild;
    struct dbk_log *log;
    const struct dbk_database *database;
    const struct dbk_scrub_options *options;
    struct dbk_scrub_result *result;
    struct dbk_error stays; /* why something that was to be dropped is there still */
};

/* On a server that others use, too, a replay may be of their log. */
static bool is_ours(const struct scrub *scrub, const char *schema)
{
    struct dbk_database there = *scrub->database;
    struct dbk_uuid ours = dbk_log_store_id(scrub->log), theirs;
    struct dbk_error unwanted;
    uint64_t sequence;

    if (scrub->options->private_cluster)
        return true;
    there.schema = schema;
    return dbk_tables_log(&there, &theirs, &sequence, &unwanted) == DBK_OK &&
           dbk_uuid_equal(&ours, &theirs);
}

static enum dbk_code drop(struct scrub *scrub, const char *name, const char *mark,
                          struct dbk_error *err)
{
    enum dbk_code code =
        schema_drop(scrub->rebuild.pg, name, mark, scrub->rebuild.watch, err);

    if (code == DBK_OK) {
        scrub->result->dropped++;
        dbk_watch_say(scrub->rebuild.watch, "dropped the schema %s", name);
    } else if (code == DBK_BUSY || code == DBK_CONFLICT) {
        scrub->stays = *err;
        code = DBK_OK;
    }
    return code;
}

/* Who follows one holds its lock. */
static enum dbk_code drop_replay(struct scrub *scrub, const char *name,
                                 struct dbk_error *err)
{
    static const struct pg_statement unlock = {NULL, sql_rebuild_unlock};
    const struct pg_param param = pg_text(name);
    bool locked;
    enum dbk_code code = rebuild_try_lock(scrub->rebuild.pg, name, &locked, err);

    if (code != DBK_OK)
        return code;
    if (!locked) {
        dbk_fail(&scrub->stays, DBK_BUSY,
                 "the replay %s is being made or followed: end that daybook replay",
                 name);
        return DBK_OK;
    }
    code = drop(scrub, name, SCHEMA_REPLAY, err);
    if (code == DBK_OK)
        code = pg_run(scrub->rebuild.pg, &unlock, &param, 1, QUERY_MS, NULL, err);
    return code;
}

static enum dbk_code drop_one(struct scrub *scrub, const char *name, const char *kind,
                              struct dbk_error *err)
{
    if (!is_ours(scrub, name))
        return DBK_OK;
    if (!strcmp(kind, "replay"))
        return drop_replay(scrub, name, err);
    if (!strcmp(name, scrub->rebuild.old_name))
        return drop(scrub, name, scrub->rebuild.old_mark, err);
    if (strcmp(name, scrub->rebuild.shadow_name) != 0)
        dbk_fail(&scrub->stays, DBK_BUSY,
                 "the schema %s is of another DB_SCHEMA: drop it", name);
    return DBK_OK;
}

/* Kept tables and replays; leftovers of builds that were killed. */
static enum dbk_code drop_beside(struct scrub *scrub, struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_schema_list};
    const struct pg_param params[] = {
        pg_text(SCHEMA_SHADOW_BEGINS), pg_text(SCHEMA_SHADOW_ENDS),
        pg_text(SCHEMA_KEPT_BEGINS), pg_text(SCHEMA_REPLAY)};
    struct pg_result *rows;
    enum dbk_code code = rebuild_open(&scrub->rebuild, scrub->log, scrub->database,
                                      &scrub->options->watch, err);

    if (code == DBK_OK)
        code = rebuild_drop_leftovers(&scrub->rebuild, &scrub->result->dropped, err);
    if (code == DBK_OK)
        code = pg_run(scrub->rebuild.pg, &statement, params, 4, QUERY_MS, &rows, err);
    if (code == DBK_OK) {
        for (size_t i = 0; code == DBK_OK && i < pg_rows(rows); i++)
            code = drop_one(scrub, pg_value(rows, i, 0).data, pg_value(rows, i, 1).data,
                            err);
        pg_clear(rows);
    }
    rebuild_close(&scrub->rebuild);
    return code;
}

/* The tables that were replaced wait for those who still read them. */
static enum dbk_code drop_replaced(struct scrub *scrub, struct dbk_error *err)
{
    unsigned dropped = 0;
    enum schema_state state = SCHEMA_ABSENT;
    struct rebuild *rebuild = &scrub->rebuild;
    enum dbk_code code =
        rebuild_open(rebuild, scrub->log, scrub->database, &scrub->options->watch, err);

    if (code == DBK_OK)
        code = rebuild_drop_leftovers(rebuild, &dropped, err);
    if (code == DBK_OK)
        code = schema_look(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark,
                           &state, err);
    if (code == DBK_OK && state == SCHEMA_OURS)
        dbk_fail(&scrub->stays, DBK_BUSY,
                 "the tables that were replaced are still read, as the schema %s: "
                 "do it again when their readers have ended",
                 rebuild->shadow_name);
    rebuild_close(rebuild);
    return code;
}

enum dbk_code dbk_scrub(struct dbk_log *log, const struct dbk_database *database,
                        const struct dbk_scrub_options *options,
                        struct dbk_scrub_result *result, struct dbk_error *err)
{
    const struct dbk_rebuild_options anew = {.watch = options->watch};
    struct scrub scrub = {
        .log = log, .database = database, .options = options, .result = result};
    struct dbk_error unwanted;
    enum dbk_code code;

    err = err ? err : &unwanted;
    *result = (struct dbk_scrub_result){0};
    code = drop_beside(&scrub, err);
    if (code == DBK_OK)
        code = dbk_rebuild(log, database, &anew, &result->rebuilt, err);
    if (code == DBK_OK)
        code = drop_replaced(&scrub, err);
    if (code == DBK_OK && options->private_cluster)
        code = scrub_wal(database, &options->watch, &result->segments, err);
    if (code == DBK_OK && options->private_cluster)
        code = scrub_memory(database, err);
    if (code == DBK_OK && scrub.stays.code != DBK_OK) {
        *err = scrub.stays;
        code = err->code;
    }
    return code;
}

const char *dbk_scrub_by_hand(void)
{
    return sql_scrub_by_hand;
}
