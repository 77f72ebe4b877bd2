#include "rebuild_schema.h"

#include "sql.h"
#include "store/clock.h"
#include "store/watch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { COMMAND_MS = 10 * 60000 }; /* the files of large tables are removed in it */
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

static enum dbk_code query(struct pg *pg, const char *sql,
                           const struct pg_param *params, int count,
                           struct pg_result **result, struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql};

    return pg_run(pg, &statement, params, count, QUERY_MS, result, err);
}

enum dbk_code schema_run_commands(struct pg *pg, const char *sql,
                                  const struct pg_param *params, int count,
                                  struct dbk_error *err)
{
    struct pg_result *commands;
    enum dbk_code code = query(pg, sql, params, count, &commands, err);

    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < pg_rows(commands) && code == DBK_OK; i++)
        code = pg_script(pg, pg_value(commands, i, 0).data, COMMAND_MS, err);
    pg_clear(commands);
    return code;
}

enum dbk_code schema_look(struct pg *pg, const char *name, const char *mark,
                          enum schema_state *state, struct dbk_error *err)
{
    const struct pg_param params[] = {pg_text(name), pg_text(mark)};
    struct pg_result *result;
    enum dbk_code code = query(pg, sql_schema_look, params, 2, &result, err);

    *state = SCHEMA_ABSENT;
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) > 0)
        *state = pg_bool(result, 0, 0) ? SCHEMA_OURS : SCHEMA_FOREIGN;
    pg_clear(result);
    return DBK_OK;
}

enum dbk_code schema_make(struct pg *pg, const char *name, const char *mark,
                          struct dbk_error *err)
{
    const struct pg_param params[] = {pg_text(name), pg_text(mark)};
    enum dbk_code code = pg_begin(pg, QUERY_MS, err);

    if (code != DBK_OK)
        return code;
    code = schema_run_commands(pg, sql_schema_make, params, 2, err);
    if (code == DBK_OK)
        return pg_commit(pg, QUERY_MS, err);
    code = pg_name_right(pg, PG_RIGHT_SHADOW, code, err);
    if (pg_alive(pg))
        pg_rollback(pg, QUERY_MS, NULL);
    return code;
}

bool schema_was_locked(const struct pg *pg)
{
    const char *sqlstate = pg_sqlstate(pg);

    /* lock_not_available, deadlock_detected */
    return !strcmp(sqlstate, "55P03") || !strcmp(sqlstate, "40P01");
}

enum dbk_code schema_pause(const struct dbk_watch *watch, struct dbk_error *err)
{
    dbk_sleep_ms(PAUSE_MS);
    return dbk_watch_progress(watch, "waiting for others", "", 0, 0, err);
}

/* The first column of all rows, with commas; "" where there are none. */
static enum dbk_code list(struct pg *pg, const char *sql, const struct pg_param *params,
                          int count, char *out, size_t size, struct dbk_error *err)
{
    struct pg_result *result;
    enum dbk_code code = query(pg, sql, params, count, &result, err);
    size_t used = 0;

    *out = '\0';
    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < pg_rows(result) && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 pg_value(result, i, 0).data);
    pg_clear(result);
    return DBK_OK;
}

static enum dbk_code check_dependents(struct pg *pg, const char *name,
                                      struct dbk_error *err)
{
    const struct pg_param param = pg_text(name);
    char found[256];
    enum dbk_code code =
        list(pg, sql_schema_dependents, &param, 1, found, sizeof found, err);

    if (code == DBK_OK && *found)
        code =
            dbk_fail(err, DBK_CONFLICT,
                     "%s: made from the tables in the schema %s, and would be lost or "
                     "stay with old ones: drop it, and make it again afterwards",
                     found, name);
    return code;
}

/* Whether it was locked by somebody is told apart before the rollback. */
static enum dbk_code try_to_drop(struct pg *pg, const struct pg_param params[2],
                                 bool *locked, struct dbk_error *err)
{
    enum dbk_code code = pg_begin(pg, QUERY_MS, err);

    *locked = false;
    if (code == DBK_OK)
        code = pg_check_place(pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = schema_run_commands(pg, sql_schema_drop, params, 2, err);
    if (code == DBK_OK)
        code = pg_commit(pg, QUERY_MS, err);
    if (code == DBK_OK)
        return DBK_OK;
    *locked = schema_was_locked(pg);
    if (pg_alive(pg) && pg_in_transaction(pg))
        pg_rollback(pg, QUERY_MS, NULL);
    return code;
}

enum dbk_code schema_drop(struct pg *pg, const char *name, const char *mark,
                          const struct dbk_watch *watch, struct dbk_error *err)
{
    const struct pg_param params[] = {pg_text(name), pg_text(mark)};
    enum dbk_code code = check_dependents(pg, name, err);
    bool locked;

    for (int i = 0; code == DBK_OK && i < DROP_TRIES; i++) {
        code = try_to_drop(pg, params, &locked, err);
        if (code == DBK_OK || !locked)
            return code;
        code = schema_pause(watch, err);
    }
    if (code == DBK_OK)
        code = dbk_fail(err, DBK_BUSY, "the schema %s is in use", name);
    return code;
}

static enum dbk_code tell_extras(struct pg *pg, const struct pg_param *params,
                                 const struct dbk_watch *watch, struct dbk_error *err)
{
    char found[512];
    enum dbk_code code =
        list(pg, sql_schema_extras, params, 2, found, sizeof found, err);

    if (code == DBK_OK && *found)
        dbk_watch_say(
            watch, "%s: made by no migration, so the new tables do not have it", found);
    return code;
}

enum dbk_code schema_check_place(struct pg *pg, const char *live, const char *incoming,
                                 const struct dbk_watch *watch, struct dbk_error *err)
{
    const struct pg_param params[] = {pg_text(live), pg_text(incoming)};
    char found[256];
    enum dbk_code code =
        list(pg, sql_schema_strangers, params, 2, found, sizeof found, err);

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
