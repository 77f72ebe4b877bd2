#include "post_expired.h"

#include "poster.h"
#include "sql.h"
#include "tables.h"

enum { QUERY_MS = 60000 };
enum { ROWS_AT_ONCE = 2000 };

static const struct pg_statement expire = {"event_expire", sql_event_expire};

enum dbk_code post_expired_look(struct poster *poster, struct dbk_error *err)
{
    uint64_t expired;
    enum dbk_code code = dbk_log_expired(poster->log, &expired, err);

    if (code == DBK_OK) {
        poster->expired = expired;
        poster->expiring = expired > 0;
    }
    return code;
}

static enum dbk_code take_out(struct poster *poster, uint64_t *gone,
                              struct dbk_error *err)
{
    char numbers[2][8];
    const struct pg_param params[] = {pg_int8(numbers[0], (int64_t)poster->expired),
                                      pg_int8(numbers[1], ROWS_AT_ONCE)};
    struct pg_result *result;
    enum dbk_code code = pg_run(poster->pg, &expire, params, 2, QUERY_MS, &result, err);

    if (code != DBK_OK)
        return code;
    *gone = pg_u64(result, 0, 0);
    pg_clear(result);
    return tables_check_counted(poster->pg, QUERY_MS, err);
}

/* What PostgreSQL refuses to delete, as a trigger of somebody's may, or refuses to change at all,
 * keeps nothing else from being posted. */
static bool is_refused(const struct poster *poster, bool held, enum dbk_code code)
{
    return code != DBK_OK && pg_alive(poster->pg) &&
           (pg_read_only(poster->pg) || (held && apply_data_fault(poster->pg)));
}

static void give_up(struct poster *poster, const struct dbk_error *err)
{
    poster->expiring = false;
    if (!pg_read_only(poster->pg))
        poster_say(
            poster,
            "the rows of events that are expired cannot be taken out of the read "
            "tables: %s; it is tried again at the next start",
            err->text);
}

enum dbk_code post_expired_step(struct poster *poster, struct dbk_error *err)
{
    uint64_t gone = 0;
    bool held, refused;
    enum dbk_code code = pg_begin(poster->pg, QUERY_MS, err);

    if (code != DBK_OK)
        return code;
    code = poster_hold(poster, err);
    held = code == DBK_OK;
    if (code == DBK_OK)
        code = take_out(poster, &gone, err);
    if (code == DBK_OK)
        code = pg_commit(poster->pg, QUERY_MS, err);
    refused = is_refused(poster, held, code);
    if (refused)
        give_up(poster, err);
    if (code != DBK_OK && pg_alive(poster->pg) &&
        pg_rollback(poster->pg, QUERY_MS, NULL) != DBK_OK)
        return dbk_fail(err, DBK_UNAVAILABLE, "a transaction cannot be rolled back");
    if (code != DBK_OK)
        return refused ? DBK_OK : code;
    poster->expiring = gone > 0;
    if (gone > 0)
        atomic_fetch_add(&poster->rearranged, 1);
    return DBK_OK;
}
