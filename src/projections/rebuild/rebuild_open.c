#include "rebuild_private.h"

#include "sql.h"
#include "store/clock.h"
#include "store/watch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_MS = 10000, QUERY_MS = 60000, LOCK_MS = 2000 };

/* A mark that was cut would not be known again. */
_Static_assert(sizeof SCHEMA_SHADOW_BEGINS SCHEMA_SHADOW_ENDS + SCHEMA_NAME <=
                   SCHEMA_MARK,
               "a mark has room for a name");
_Static_assert(sizeof SCHEMA_KEPT_BEGINS SCHEMA_KEPT_ENDS + SCHEMA_NAME <= SCHEMA_MARK,
               "a mark has room for a name");

static void name_schemas(struct rebuild *rebuild, const struct dbk_database *live)
{
    schema_derive(rebuild->live_name, pg_schema(live), "");
    schema_derive(rebuild->shadow_name, rebuild->live_name, "_shadow");
    schema_derive(rebuild->old_name, rebuild->live_name, "_old");
    snprintf(rebuild->shadow_mark, sizeof rebuild->shadow_mark,
             SCHEMA_SHADOW_BEGINS "%s" SCHEMA_SHADOW_ENDS, rebuild->live_name);
    snprintf(rebuild->old_mark, sizeof rebuild->old_mark,
             SCHEMA_KEPT_BEGINS "%s" SCHEMA_KEPT_ENDS, rebuild->live_name);
    rebuild->live = rebuild->shadow = rebuild->old = *live;
    rebuild->live.schema = rebuild->live_name;
    rebuild->shadow.schema = rebuild->shadow_name;
    rebuild->old.schema = rebuild->old_name;
}

static enum dbk_code connect_pg(struct rebuild *rebuild, struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook rebuild",
                                       .connect_timeout_ms = CONNECT_MS};
    enum dbk_code code = pg_open(&rebuild->live, &options, &rebuild->pg, err);

    if (code == DBK_OK)
        code = pg_script(rebuild->pg, sql_rebuild_session, QUERY_MS, err);
    if (code == DBK_OK) /* older servers do not know it */
        pg_script(rebuild->pg, sql_rebuild_session_stays, QUERY_MS, NULL);
    if (code == DBK_TIMEOUT)
        code = dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL did not answer in time");
    return code;
}

/* The lock is the session's, and so ends with a call that was killed. */
enum dbk_code rebuild_try_lock(struct pg *pg, const char *live, bool *locked,
                               struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_rebuild_lock};
    const struct pg_param param = pg_text(live);
    struct pg_result *result;
    enum dbk_code code = pg_run(pg, &statement, &param, 1, QUERY_MS, &result, err);

    *locked = false;
    if (code != DBK_OK)
        return code;
    *locked = pg_bool(result, 0, 0);
    pg_clear(result);
    return DBK_OK;
}

/* Of a call that has just ended, or was killed, PostgreSQL may not know yet. */
static enum dbk_code keep_others_out(struct rebuild *rebuild, struct dbk_error *err)
{
    dbk_deadline patience = dbk_deadline_in(LOCK_MS);
    bool locked;
    enum dbk_code code =
        rebuild_try_lock(rebuild->pg, rebuild->live_name, &locked, err);

    while (code == DBK_OK && !locked && dbk_deadline_left(patience) > 0) {
        code = schema_pause(rebuild->watch, err);
        if (code == DBK_OK)
            code = rebuild_try_lock(rebuild->pg, rebuild->live_name, &locked, err);
    }
    if (code == DBK_OK && !locked)
        code = dbk_fail(err, DBK_BUSY,
                        "another rebuild, replay or check of the schema %s is at work: "
                        "wait for its end",
                        rebuild->live_name);
    return code;
}

enum dbk_code rebuild_open(struct rebuild *rebuild, struct dbk_log *log,
                           const struct dbk_database *live,
                           const struct dbk_watch *watch, struct dbk_error *err)
{
    enum dbk_code code;

    *rebuild = (struct rebuild){.log = log, .watch = watch};
    name_schemas(rebuild, live);
    code = connect_pg(rebuild, err);
    return code == DBK_OK ? keep_others_out(rebuild, err) : code;
}

enum dbk_code rebuild_check_holder(struct rebuild *rebuild, struct dbk_error *err)
{
    struct holder_seen seen;
    struct holder ours;
    enum dbk_code code = holder_look(rebuild->pg, rebuild->live_name, &seen, err);

    holder_name(rebuild->log, &ours);
    if (code != DBK_OK || !seen.held || !*seen.id || !strcmp(seen.id, ours.id))
        return code;
    return dbk_fail(
        err, DBK_CONFLICT,
        "another server posts to the tables of the schema %s (%s): stop that "
        "one, or give this log a DB_SCHEMA or DB_NAME of its own",
        rebuild->live_name, seen.text);
}

void rebuild_close(struct rebuild *rebuild)
{
    rebuild_post_close(rebuild);
    pg_close(rebuild->pg);
    rebuild->pg = NULL;
}

void rebuild_abandon(struct rebuild *rebuild)
{
    enum schema_state state;

    rebuild_post_close(rebuild);
    if (!rebuild->pg || !pg_alive(rebuild->pg))
        return;
    if (pg_in_transaction(rebuild->pg))
        pg_rollback(rebuild->pg, QUERY_MS, NULL);
    if (schema_look(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark, &state,
                    NULL) == DBK_OK &&
        state == SCHEMA_OURS)
        /* Not interrupted a second time: this is what follows an interruption. */
        schema_drop(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark, NULL,
                    NULL);
}
