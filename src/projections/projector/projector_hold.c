#include "projector_hold.h"

#include "sql.h"
#include "tables.h"

#include <string.h>

enum { QUERY_MS = 30000, LEAVE_MS = 1000 };
/* A projector looks at its tables twice a second. */
enum { NOTICE_MS = 2000 };

static enum dbk_code try_lock(struct pg *pg, const char *schema, bool *locked,
                              struct dbk_error *err)
{
    static const struct pg_statement lock = {NULL, sql_holder_lock};
    const struct pg_param param = pg_text(schema);
    struct pg_result *result;
    enum dbk_code code = pg_run(pg, &lock, &param, 1, QUERY_MS, &result, err);

    *locked = false;
    if (code != DBK_OK)
        return code;
    *locked = pg_bool(result, 0, 0);
    pg_clear(result);
    return DBK_OK;
}

static enum dbk_code held(struct dbk_projector *projector,
                          const struct holder_seen *seen, struct dbk_error *err)
{
    projector->held = true;
    if (!strcmp(seen->id, projector->holder.id))
        return dbk_fail(err, DBK_BUSY,
                        "the read tables are still held by the server that ran here "
                        "before (%s): PostgreSQL will notice that it has ended",
                        seen->text);
    return holder_fail(projector->poster.log, &seen->store_id, seen->text, err);
}

/* Whether the tables are of this log's history is seen later; their checkpoint says from
 * now on that nobody else has them. There may be no tables yet, or older ones; and where
 * nothing can be changed nobody else can change it. */
static enum dbk_code take(struct dbk_projector *projector, struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_holder_take};
    struct poster *poster = &projector->poster;
    const struct pg_param params[] = {pg_text(projector->holder.id),
                                      pg_text(projector->holder.text)};
    struct pg_result *result;
    enum dbk_code code =
        pg_run(poster->pg, &statement, params, 2, QUERY_MS, &result, err);

    if (code != DBK_OK)
        return tables_broken(poster->pg) || pg_read_only(poster->pg) ? DBK_OK : code;
    if (pg_rows(result) > 0)
        poster->epoch = pg_u64(result, 0, 0);
    pg_clear(result);
    return DBK_OK;
}

/* False: it is time to end. */
static bool wait_until_noticed(struct dbk_projector *projector,
                               const struct holder_seen *seen)
{
    if (!*seen->id || !strcmp(seen->id, projector->holder.id))
        return true;
    poster_say(&projector->poster,
               "taking the read tables over from a server that is "
               "gone (%s)",
               seen->text);
    return projector_pause(projector, NOTICE_MS);
}

enum dbk_code projector_hold(struct dbk_projector *projector, struct dbk_error *err)
{
    struct poster *poster = &projector->poster;
    const char *schema = pg_schema(poster->database);
    struct holder_seen seen;
    bool locked;
    enum dbk_code code;

    holder_name(poster->log, &projector->holder);
    poster->holder = &projector->holder;
    /* A server that cannot be told so notices later. */
    pg_script(poster->pg, sql_holder_session, QUERY_MS, NULL);
    code = try_lock(poster->pg, schema, &locked, err);
    if (code == DBK_OK)
        code = holder_look(poster->pg, schema, &seen, err);
    if (code != DBK_OK)
        return code;
    if (!locked)
        return held(projector, &seen, err);
    code = take(projector, err);
    if (code == DBK_OK && !wait_until_noticed(projector, &seen))
        return dbk_fail(err, DBK_UNAVAILABLE, "the projector is stopping");
    return code;
}

void projector_leave(struct dbk_projector *projector)
{
    static const struct pg_statement leave = {NULL, sql_holder_leave};
    const struct poster *poster = &projector->poster;
    char number[8];
    const struct pg_param params[] = {pg_text(projector->holder.id),
                                      pg_int8(number, (int64_t)poster->epoch)};

    if (!poster->pg || !pg_alive(poster->pg) || poster->epoch == 0)
        return;
    if (pg_in_transaction(poster->pg))
        pg_rollback(poster->pg, LEAVE_MS, NULL);
    pg_run(poster->pg, &leave, params, 2, LEAVE_MS, NULL, NULL);
}
