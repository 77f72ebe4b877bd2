#include "rebuild_private.h"

#include "sql.h"
#include "store/watch.h"

#include <assert.h>
#include <string.h>

enum { QUERY_MS = 60000, TRIES = 200 };

static enum dbk_code has_checkpoint(struct rebuild *rebuild, bool *has,
                                    struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_rebuild_has_tables};
    struct pg_result *result;
    enum dbk_code code =
        pg_run(rebuild->pg, &statement, NULL, 0, QUERY_MS, &result, err);

    *has = false;
    if (code != DBK_OK)
        return code;
    *has = pg_bool(result, 0, 0);
    pg_clear(result);
    return DBK_OK;
}

enum dbk_code rebuild_lock_live(struct rebuild *rebuild, struct dbk_error *err)
{
    static const struct pg_statement lock = {NULL, sql_checkpoint_lock};
    bool has;
    enum dbk_code code = has_checkpoint(rebuild, &has, err);

    if (code != DBK_OK || !has)
        return code;
    return pg_run(rebuild->pg, &lock, NULL, 0, QUERY_MS, NULL, err);
}

/* Whoever migrates the live schema just now goes first. */
static enum dbk_code lock_migrations(struct rebuild *rebuild, struct dbk_error *err)
{
    static const struct pg_statement lock = {NULL, sql_rebuild_lock_migrations};
    const struct pg_param param = pg_text(rebuild->live_name);

    return pg_run(rebuild->pg, &lock, &param, 1, QUERY_MS, NULL, err);
}

/* All that is in the log by now: so what readers have seen, they see afterwards. */
static enum dbk_code post_the_rest(struct rebuild *rebuild, struct dbk_error *err)
{
    uint64_t head;
    enum dbk_code code = dbk_log_head(rebuild->log, &head, err);

    return code == DBK_OK ? rebuild_post(rebuild, head, "catching up", err) : code;
}

static enum dbk_code rename_all(struct rebuild *rebuild,
                                const struct rebuild_swap *swap, struct dbk_error *err)
{
    char between[SCHEMA_NAME];
    const struct pg_param params[] = {pg_text(rebuild->live_name),
                                      pg_text(swap->incoming),
                                      pg_text(between),
                                      pg_text(swap->outgoing_name),
                                      pg_text(swap->outgoing_mark),
                                      pg_text(swap->comment),
                                      pg_text(rebuild->shadow_name),
                                      pg_text(rebuild->shadow_mark)};
    enum dbk_code code;

    schema_derive(between, rebuild->live_name, "_swap");
    code = schema_run_commands(rebuild->pg, sql_rebuild_grants, params, 2, err);
    if (code == DBK_OK)
        code = schema_run_commands(rebuild->pg, sql_rebuild_swap, params, 8, err);
    return code;
}

static enum dbk_code attempt(struct rebuild *rebuild, const struct rebuild_swap *swap,
                             struct dbk_error *err)
{
    enum dbk_code code = pg_script(rebuild->pg, sql_rebuild_patience, QUERY_MS, err);

    if (code == DBK_OK)
        code = pg_check_place(rebuild->pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = lock_migrations(rebuild, err);
    if (code == DBK_OK)
        code = rebuild_lock_live(rebuild, err);
    if (code == DBK_OK && swap->catch_up)
        code = post_the_rest(rebuild, err);
    if (code == DBK_OK)
        code = rename_all(rebuild, swap, err);
    return code == DBK_OK ? pg_commit(rebuild->pg, QUERY_MS, err) : code;
}

/* The live schema was locked, made or dropped by somebody while we looked. */
static bool may_try_again(const struct pg *pg)
{
    static const char *const states[] = {
        "42P06", /* duplicate_schema */
        "3F000", /* invalid_schema_name */
        "42P01", /* undefined_table */
        "40001", /* serialization_failure */
    };
    const char *sqlstate = pg_sqlstate(pg);

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!strcmp(sqlstate, states[i]))
            return true;
    }
    return schema_was_locked(pg) ||
           !strcmp(sqlstate, "XX000"); /* concurrently updated */
}

enum dbk_code rebuild_swap(struct rebuild *rebuild, const struct rebuild_swap *swap,
                           struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_error stop;

    /* What comes in place has been posted to, and is not what it comes in place of. */
    assert(rebuild->posting && strcmp(swap->incoming, rebuild->live_name) != 0);
    for (int i = 0; i < TRIES; i++) {
        bool again;

        code = rebuild_check_holder(rebuild, err); /* who has come meanwhile */
        if (code == DBK_OK)
            code = pg_begin(rebuild->pg, QUERY_MS, err);
        if (code != DBK_OK)
            return code;
        code = attempt(rebuild, swap, err);
        if (code == DBK_OK)
            return DBK_OK;
        again = may_try_again(rebuild->pg);
        if (pg_in_transaction(rebuild->pg))
            pg_rollback(rebuild->pg, QUERY_MS, NULL);
        if (!again)
            break;
        dbk_wrap(err, "putting the tables in place");
        if (schema_pause(rebuild->watch, &stop) != DBK_OK)
            return dbk_fail(err, stop.code, "%s", stop.text);
    }
    return code;
}

/* The new tables are in place; that the old ones are still there is no failure. */
void rebuild_drop_replaced(struct rebuild *rebuild)
{
    enum schema_state state;
    struct dbk_error err;

    if (schema_look(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark, &state,
                    &err) != DBK_OK ||
        (state == SCHEMA_OURS &&
         schema_drop(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark,
                     rebuild->watch, &err) != DBK_OK))
        dbk_watch_say(
            rebuild->watch,
            "old tables stay as %s until the next rebuild, or rebuild --drop-old, "
            "drops them: %s",
            rebuild->shadow_name, err.text);
}
