/* Are the read tables what the log says? */
#include "projections/compare.h"
#include "compare_private.h"

#include "rebuild_private.h"
#include "sql.h"

enum { CONNECT_MS = 10000, QUERY_MS = 60000, TRIES = 200 };
enum { NEAR = 500, ROUNDS_MAX = 50 };

/* One call. */
struct compare {
    const struct dbk_compare_options *options;
    struct rebuild rebuild;
    struct pg *pg;    /* sees both sides as of one moment */
    uint64_t live_at; /* the live checkpoint, when last looked at */
};

/* Where the live tables are; whether they are of this log, and of its history. */
static enum dbk_code look_at_live(struct compare *compare, struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_compare_checkpoint};
    struct history_place place;
    struct pg_result *result;
    enum dbk_code code =
        pg_run(compare->rebuild.pg, &statement, NULL, 0, QUERY_MS, &result, err);

    if (code != DBK_OK)
        return compare_explain(compare->rebuild.pg, code, err);
    if (pg_rows(result) == 0) {
        pg_clear(result);
        return dbk_fail(err, DBK_NOT_FOUND, "the read tables have no checkpoint");
    }
    if (!history_read(result, 0, 0, 1, 2, &place))
        code = dbk_fail(err, DBK_MOVED, "the checkpoint's store id is no UUID");
    else
        code = history_check(compare->rebuild.log, &place, err);
    if (code == DBK_UNSUPPORTED)
        code = dbk_fail(err, DBK_MOVED, "%s", err->text);
    compare->live_at = place.sequence;
    pg_clear(result);
    return code;
}

static enum dbk_code post_up_to_live(struct compare *compare, struct dbk_error *err)
{
    if (compare->live_at < compare->rebuild.poster.projected)
        return dbk_fail(err, DBK_BUSY,
                        "the read tables were replaced meanwhile: check them again");
    return rebuild_post(&compare->rebuild, compare->live_at, "catching up", err);
}

/* Without a lock, until little is left to be done with one. */
static enum dbk_code catch_up(struct compare *compare, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (int i = 0; code == DBK_OK && i < ROUNDS_MAX; i++) {
        code = look_at_live(compare, err);
        if (code == DBK_OK &&
            compare->live_at < compare->rebuild.poster.projected + NEAR)
            break;
        if (code == DBK_OK)
            code = post_up_to_live(compare, err);
    }
    return code;
}

/* The first statement is what takes the snapshot. */
static enum dbk_code open_snapshot(struct compare *compare, struct dbk_error *err)
{
    static const struct pg_statement look = {NULL, sql_compare_checkpoint};
    const struct pg_options options = {.application = "daybook verify",
                                       .connect_timeout_ms = CONNECT_MS};
    enum dbk_code code = DBK_OK;

    if (!compare->pg)
        code = pg_open(&compare->rebuild.shadow, &options, &compare->pg, err);
    if (code == DBK_OK)
        code = pg_script(compare->pg, sql_compare_session, QUERY_MS, err);
    if (code == DBK_OK)
        code = pg_script(compare->pg, sql_compare_begin, QUERY_MS, err);
    if (code == DBK_OK)
        code = pg_run(compare->pg, &look, NULL, 0, QUERY_MS, NULL, err);
    return code;
}

/* They go little by little, from the live tables; those that were built have none. */
static enum dbk_code check_expired(struct compare *compare, struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_compare_expired};
    struct rebuild *rebuild = &compare->rebuild;
    char number[8];
    const struct pg_param param = pg_int8(number, (int64_t)rebuild->poster.expired);
    struct pg_result *result;
    enum dbk_code code =
        pg_run(rebuild->pg, &statement, &param, 1, QUERY_MS, &result, err);

    if (code != DBK_OK)
        return compare_explain(rebuild->pg, code, err);
    if (pg_u64(result, 0, 0) > 0)
        code = dbk_fail(err, DBK_BUSY,
                        "events that are expired are still being taken out of the read "
                        "tables, while a server runs: check them again later");
    pg_clear(result);
    return code;
}

/* With the live checkpoint locked nobody posts to the live tables: so the built ones can
 * be brought to the very same record, and both be seen as they are then. */
static enum dbk_code meet(struct compare *compare, struct dbk_error *err)
{
    struct rebuild *rebuild = &compare->rebuild;
    enum dbk_code code = pg_script(rebuild->pg, sql_rebuild_patience, QUERY_MS, err);

    if (code == DBK_OK)
        code = rebuild_lock_live(rebuild, err);
    if (code == DBK_OK)
        code = look_at_live(compare, err);
    if (code == DBK_OK)
        code = post_up_to_live(compare, err);
    if (code == DBK_OK)
        code = check_expired(compare, err);
    if (code == DBK_OK)
        code = open_snapshot(compare, err);
    return code;
}

static enum dbk_code meet_patiently(struct compare *compare, struct dbk_error *err)
{
    struct rebuild *rebuild = &compare->rebuild;
    enum dbk_code code = DBK_OK;

    for (int i = 0; i < TRIES; i++) {
        bool locked;

        code = pg_begin(rebuild->pg, QUERY_MS, err);
        if (code != DBK_OK)
            return code;
        code = meet(compare, err);
        locked = schema_was_locked(rebuild->pg);
        if (pg_in_transaction(rebuild->pg))
            pg_rollback(rebuild->pg, QUERY_MS, NULL);
        if (code == DBK_OK || !locked)
            return code;
        if (schema_pause(rebuild->watch, err) != DBK_OK)
            return err->code;
    }
    return code;
}

static enum dbk_code build_and_compare(struct compare *compare,
                                       struct dbk_compare_result *result,
                                       struct dbk_error *err)
{
    struct rebuild *rebuild = &compare->rebuild;
    struct dbk_rebuild_result built = {0};
    enum dbk_code code = look_at_live(compare, err);

    if (code == DBK_OK)
        code = rebuild_begin(rebuild, err);
    if (code == DBK_OK)
        code = rebuild_build(rebuild, 0, compare->live_at, &built, err);
    if (code == DBK_OK)
        code = catch_up(compare, err);
    if (code == DBK_OK)
        code = meet_patiently(compare, err);
    if (code == DBK_OK)
        code = compare_rows(compare->pg, rebuild->live_name, rebuild->shadow_name,
                            compare->options, result, err);
    result->sequence = compare->live_at;
    return code;
}

enum dbk_code dbk_compare(struct dbk_log *log, const struct dbk_database *database,
                          const struct dbk_compare_options *options,
                          struct dbk_compare_result *result, struct dbk_error *err)
{
    struct compare compare = {.options = options};
    enum dbk_code code =
        rebuild_open(&compare.rebuild, log, database, &options->watch, err);

    *result = (struct dbk_compare_result){0};
    if (code == DBK_OK) {
        code = build_and_compare(&compare, result, err);
        pg_close(compare.pg); /* before the shadow is dropped, which it reads */
        rebuild_abandon(&compare.rebuild);
    }
    rebuild_close(&compare.rebuild);
    return code;
}
