#include "rebuild_private.h"

#include "dbk_sql.h"
#include "load_watch.h"

#include <stdio.h>
#include <string.h>

enum { QUERY_MS = 60000 };

/* With the lock held, so nobody works on it. A failure keeps nobody from his work. */
static enum dbk_code drop_one(struct rebuild *rebuild, const char *name,
                              const char *live, unsigned *dropped,
                              struct dbk_error *err)
{
    char mark[SCHEMA_MARK];
    enum schema_state state;
    enum dbk_code code;

    snprintf(mark, sizeof mark, SCHEMA_SHADOW_BEGINS "%s" SCHEMA_SHADOW_ENDS, live);
    code = schema_look(rebuild->pg, name, mark, &state, err);
    if (code == DBK_OK && state == SCHEMA_OURS) {
        code = schema_drop(rebuild->pg, name, rebuild->watch, err);
        if (code == DBK_OK) {
            ++*dropped;
            watch_say(rebuild->watch, "dropped the schema %s, left by an earlier run",
                      name);
        }
    }
    if (code == DBK_OK || code == DBK_INTERRUPTED || !dbk_pg_alive(rebuild->pg))
        return code;
    watch_say(rebuild->watch, "the schema %s, left by an earlier run, stays: %s", name,
              err->text);
    return DBK_OK;
}

static enum dbk_code unlock(struct rebuild *rebuild, const char *live,
                            struct dbk_error *err)
{
    static const struct dbk_pg_statement statement = {NULL, dbk_sql_rebuild_unlock};
    const struct dbk_pg_param param = dbk_pg_text(live);

    return dbk_pg_run(rebuild->pg, &statement, &param, 1, QUERY_MS, NULL, err);
}

static enum dbk_code try_one(struct rebuild *rebuild, const char *name,
                             const char *live, unsigned *dropped, struct dbk_error *err)
{
    bool locked;
    enum dbk_code code = rebuild_try_lock(rebuild->pg, live, &locked, err);

    if (code != DBK_OK || !locked)
        return code;
    code = drop_one(rebuild, name, live, dropped, err);
    return code == DBK_OK ? unlock(rebuild, live, err) : code;
}

enum dbk_code rebuild_drop_leftovers(struct rebuild *rebuild, unsigned *dropped,
                                     struct dbk_error *err)
{
    static const struct dbk_pg_statement statement = {NULL, dbk_sql_schema_leftovers};
    const struct dbk_pg_param params[] = {dbk_pg_text(SCHEMA_SHADOW_BEGINS),
                                          dbk_pg_text(SCHEMA_SHADOW_ENDS)};
    struct dbk_pg_result *found;
    struct dbk_error unwanted;
    unsigned count = 0;
    enum dbk_code code;

    err = err ? err : &unwanted;
    code = dbk_pg_run(rebuild->pg, &statement, params, 2, QUERY_MS, &found, err);
    if (code != DBK_OK)
        return code;
    for (size_t i = 0; code == DBK_OK && i < dbk_pg_rows(found); i++)
        code = try_one(rebuild, dbk_pg_value(found, i, 0).data,
                       dbk_pg_value(found, i, 1).data, &count, err);
    dbk_pg_clear(found);
    if (dropped)
        *dropped = count;
    return code;
}
