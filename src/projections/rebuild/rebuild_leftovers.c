/* The schemas of ours beside the live ones: dropped where nobody is at work any more, and
 * listed. */
#include "rebuild_private.h"

#include "checkpoint.h"
#include "sql.h"
#include "store/watch.h"

#include <stdio.h>
#include <string.h>

enum { QUERY_MS = 60000 };
enum list_column { NAME, KIND, HELD, BYTES };

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
        code = schema_drop(rebuild->pg, name, mark, rebuild->watch, err);
        if (code == DBK_OK) {
            ++*dropped;
            dbk_watch_say(rebuild->watch,
                          "dropped the schema %s, left by an earlier run", name);
        }
    }
    if (code == DBK_OK || code == DBK_INTERRUPTED || !pg_alive(rebuild->pg))
        return code;
    dbk_watch_say(rebuild->watch, "the schema %s, left by an earlier run, stays: %s",
                  name, err->text);
    return DBK_OK;
}

static enum dbk_code unlock(struct rebuild *rebuild, const char *live,
                            struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_rebuild_unlock};
    const struct pg_param param = pg_text(live);

    return pg_run(rebuild->pg, &statement, &param, 1, QUERY_MS, NULL, err);
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
    static const struct pg_statement statement = {NULL, sql_schema_leftovers};
    const struct pg_param params[] = {pg_text(SCHEMA_SHADOW_BEGINS),
                                      pg_text(SCHEMA_SHADOW_ENDS)};
    struct pg_result *found;
    struct dbk_error unwanted;
    unsigned count = 0;
    enum dbk_code code;

    err = err ? err : &unwanted;
    code = pg_run(rebuild->pg, &statement, params, 2, QUERY_MS, &found, err);
    if (code != DBK_OK)
        return code;
    for (size_t i = 0; code == DBK_OK && i < pg_rows(found); i++)
        code = try_one(rebuild, pg_value(found, i, 0).data, pg_value(found, i, 1).data,
                       &count, err);
    pg_clear(found);
    if (dropped)
        *dropped = count;
    return code;
}

static void read_row(const struct pg_result *rows, size_t row,
                     struct dbk_side_schema *out)
{
    const char *kind = pg_value(rows, row, KIND).data;

    *out = (struct dbk_side_schema){.name = pg_value(rows, row, NAME).data,
                                    .kind = !strcmp(kind, "kept")     ? DBK_SIDE_KEPT
                                            : !strcmp(kind, "shadow") ? DBK_SIDE_SHADOW
                                                                      : DBK_SIDE_REPLAY,
                                    .held = pg_bool(rows, row, HELD),
                                    .has_bytes = !pg_null(rows, row, BYTES)};
    if (out->has_bytes)
        out->bytes = pg_u64(rows, row, BYTES);
}

enum dbk_code dbk_side_schemas(const struct dbk_database *database,
                               void (*visit)(void *context,
                                             const struct dbk_side_schema *one),
                               void *context, struct dbk_error *err)
{
    const struct pg_param params[] = {
        pg_text(SCHEMA_SHADOW_BEGINS), pg_text(SCHEMA_SHADOW_ENDS),
        pg_text(SCHEMA_KEPT_BEGINS), pg_text(SCHEMA_REPLAY)};
    struct pg_result *rows;
    enum dbk_code code =
        checkpoint_ask(database, sql_schema_list, params, 4, &rows, err);
    struct dbk_side_schema one;

    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < pg_rows(rows); i++) {
        read_row(rows, i, &one);
        visit(context, &one);
    }
    pg_clear(rows);
    return DBK_OK;
}
