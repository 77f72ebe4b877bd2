#include "rebuild_schema.h"

#include "dbk_sql.h"
#include "store/clock.h"
#include "store/watch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { QUERY_MS = 60000, DROP_TRIES = 100, PAUSE_MS = 50 };

void schema_derive(char out[SCHEMA_NAME], const char *base, const char *suffix)
{
    size_t behind = strlen(suffix), room = SCHEMA_NAME - 1 - behind;
    size_t length = strlen(base);

    assert(behind < SCHEMA_NAME);
    if (length > room) {
        length = room;
        while (length > 0 && ((unsigned char)base[length] & 0xc0) == 0x80)
            length--; /* not inside a character */
    }
    memcpy(out, base, length);
    memcpy(out + length, suffix, behind + 1);
}

static enum dbk_code query(struct dbk_pg *pg, const char *sql,
                           const struct dbk_pg_param *params, int count,
                           struct dbk_pg_result **result, struct dbk_error *err)
{
    const struct dbk_pg_statement statement = {NULL, sql};

    return dbk_pg_run(pg, &statement, params, count, QUERY_MS, result, err);
}

enum dbk_code schema_run_commands(struct dbk_pg *pg, const char *sql,
                                  const struct dbk_pg_param *params, int count,
                                  struct dbk_error *err)
{
    struct dbk_pg_result *commands;
    enum dbk_code code = query(pg, sql, params, count, &commands, err);

    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < dbk_pg_rows(commands) && code == DBK_OK; i++)
        code = dbk_pg_script(pg, dbk_pg_value(commands, i, 0).data, QUERY_MS, err);
    dbk_pg_clear(commands);
    return code;
}

enum dbk_code schema_look(struct dbk_pg *pg, const char *name, const char *mark,
                          enum schema_state *state, struct dbk_error *err)
{
    const struct dbk_pg_param params[] = {dbk_pg_text(name), dbk_pg_text(mark)};
    struct dbk_pg_result *result;
    enum dbk_code code = query(pg, dbk_sql_schema_look, params, 2, &result, err);

    *state = SCHEMA_ABSENT;
    if (code != DBK_OK)
        return code;
    if (dbk_pg_rows(result) > 0)
        *state = dbk_pg_bool(result, 0, 0) ? SCHEMA_OURS : SCHEMA_FOREIGN;
    dbk_pg_clear(result);
    return DBK_OK;
}

enum dbk_code schema_make(struct dbk_pg *pg, const char *name, const char *mark,
                          struct dbk_error *err)
{
    const struct dbk_pg_param params[] = {dbk_pg_text(name), dbk_pg_text(mark)};
    enum dbk_code code = dbk_pg_begin(pg, QUERY_MS, err);

    if (code != DBK_OK)
        return code;
    code = schema_run_commands(pg, dbk_sql_schema_make, params, 2, err);
    if (code == DBK_OK)
        return dbk_pg_commit(pg, QUERY_MS, err);
    if (dbk_pg_alive(pg))
        dbk_pg_rollback(pg, QUERY_MS, NULL);
    return code;
}

bool schema_was_locked(const struct dbk_pg *pg)
{
    const char *sqlstate = dbk_pg_sqlstate(pg);

    /* lock_not_available, deadlock_detected */
    return !strcmp(sqlstate, "55P03") || !strcmp(sqlstate, "40P01");
}

enum dbk_code schema_pause(const struct dbk_watch *watch, struct dbk_error *err)
{
    dbk_sleep_ms(PAUSE_MS);
    return dbk_watch_progress(watch, "waiting for others", "", 0, 0, err);
}

/* The first column of all rows, with commas; "" where there are none. */
static enum dbk_code list(struct dbk_pg *pg, const char *sql,
                          const struct dbk_pg_param *params, int count, char *out,
                          size_t size, struct dbk_error *err)
{
    struct dbk_pg_result *result;
    enum dbk_code code = query(pg, sql, params, count, &result, err);
    size_t used = 0;

    *out = '\0';
    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < dbk_pg_rows(result) && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 dbk_pg_value(result, i, 0).data);
    dbk_pg_clear(result);
    return DBK_OK;
}

static enum dbk_code check_dependents(struct dbk_pg *pg, const char *name,
                                      struct dbk_error *err)
{
    const struct dbk_pg_param param = dbk_pg_text(name);
    char found[256];
    enum dbk_code code =
        list(pg, dbk_sql_schema_dependents, &param, 1, found, sizeof found, err);

    if (code == DBK_OK && *found)
        code =
            dbk_fail(err, DBK_CONFLICT,
                     "%s: made from the tables in the schema %s, and would be lost or "
                     "stay with old ones: drop it, and make it again afterwards",
                     found, name);
    return code;
}

enum dbk_code schema_drop(struct dbk_pg *pg, const char *name,
                          const struct dbk_watch *watch, struct dbk_error *err)
{
    const struct dbk_pg_param param = dbk_pg_text(name);
    enum dbk_code code = check_dependents(pg, name, err);

    for (int i = 0; code == DBK_OK && i < DROP_TRIES; i++) {
        code = schema_run_commands(pg, dbk_sql_schema_drop, &param, 1, err);
        if (code == DBK_OK || !schema_was_locked(pg))
            return code;
        code = schema_pause(watch, err);
    }
    if (code == DBK_OK)
        code = dbk_fail(err, DBK_BUSY, "the schema %s is in use", name);
    return code;
}

static enum dbk_code tell_extras(struct dbk_pg *pg, const struct dbk_pg_param *params,
                                 const struct dbk_watch *watch, struct dbk_error *err)
{
    char found[512];
    enum dbk_code code =
        list(pg, dbk_sql_schema_extras, params, 2, found, sizeof found, err);

    if (code == DBK_OK && *found)
        dbk_watch_say(
            watch, "%s: made by no migration, so the new tables do not have it", found);
    return code;
}

enum dbk_code schema_check_place(struct dbk_pg *pg, const char *live,
                                 const char *incoming, const struct dbk_watch *watch,
                                 struct dbk_error *err)
{
    const struct dbk_pg_param params[] = {dbk_pg_text(live), dbk_pg_text(incoming)};
    char found[256];
    enum dbk_code code =
        list(pg, dbk_sql_schema_strangers, params, 2, found, sizeof found, err);

    if (code == DBK_OK && *found)
        code =
            dbk_fail(err, DBK_CONFLICT,
                     "the schema %s holds what no migration has made: %s: move it to "
                     "another schema",
                     live, found);
    if (code == DBK_OK)
        code = check_dependents(pg, live, err);
    return code == DBK_OK ? tell_extras(pg, params, watch, err) : code;
}
