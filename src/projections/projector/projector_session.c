#include "projector_session.h"

#include "post_expired.h"
#include "projections/migrate.h"
#include "projector_hold.h"
#include "projector_load.h"
#include "projector_renew.h"
#include "sql.h"
#include "store/clock.h"
#include "tables.h"

#include <assert.h>

enum { QUERY_MS = 30000, POLL_MS = 500 };

static void note_schema_made(void *context, const struct dbk_migration_state *state)
{
    if (state->schema_made)
        *(bool *)context = true;
}

/* Where we have known tables, nobody but an operator can have dropped them. */
static enum dbk_code migrate(struct dbk_projector *projector, struct dbk_error *err)
{
    bool schema_made = false;
    const struct dbk_database *database = projector->poster.database;
    enum dbk_code code;

    projector->migrating = true;
    code = dbk_migrate_up(database, note_schema_made, &schema_made, err);
    projector->migrating = code != DBK_OK;
    if (schema_made && projector->poster.tables != 0)
        poster_say(&projector->poster,
                   "the schema %s was dropped: it is made again from the log",
                   pg_schema(database));
    return code;
}

static void tell_untested(struct dbk_projector *projector)
{
    char note[160];

    if (!projector->told_untested &&
        pg_untested(projector->poster.pg, note, sizeof note)) {
        projector->told_untested = true;
        poster_say(&projector->poster, "%s", note);
    }
}

static void tell_emptied(const struct poster *poster)
{
    if (poster->projected < poster->were_at)
        poster_say(
            poster,
            "a new version has emptied the read tables: the log is posted again, "
            "from record %llu to %llu; until then reads answer 503, writes go on",
            (unsigned long long)poster->projected + 1,
            (unsigned long long)poster->were_at);
}

static enum dbk_code connect_pg(struct dbk_projector *projector, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    projector->poster.pg = projector->next;
    projector->next = NULL;
    if (!projector->poster.pg)
        code = projector_open(projector, &projector->poster.pg, err);
    projector_breakable(projector, projector->poster.pg);
    if (code == DBK_OK) {
        tell_untested(projector);
        code = projector_hold(projector, err);
    }
    if (code == DBK_OK)
        code = poster_check_former(&projector->poster, err);
    if (code == DBK_OK)
        code = migrate(projector, err);
    if (code == DBK_OK)
        code = poster_begin(&projector->poster, err);
    if (code == DBK_OK)
        tell_emptied(&projector->poster);
    return code;
}

/* Apply what is there to be read, if anything. */
static enum dbk_code follow(struct dbk_projector *projector, int timeout_ms,
                            struct dbk_error *err)
{
    struct poster *poster = &projector->poster;
    uint64_t head;
    enum dbk_code code =
        dbk_log_wait(poster->log, poster->projected, timeout_ms, &head, err);

    poster->batch.count = 0;
    if (code != DBK_OK || head <= poster->projected)
        return code;
    if (timeout_ms > 0) /* else there is something to be done behind it */
        projector_gather(projector, head);
    return poster_step(poster, UINT64_MAX, err); /* also what came meanwhile */
}

/* Notices, while there is nothing to write, that PostgreSQL has gone, that the log was put
 * back, that somebody else has changed the tables, or that a retry is wanted. */
static enum dbk_code look_after(struct dbk_projector *projector, struct dbk_error *err)
{
    uint64_t retries;
    bool same;
    enum dbk_code code = poster_check_log(&projector->poster, err);

    if (code == DBK_OK)
        code = poster_poll(&projector->poster, &same, &retries, err);
    if (code == DBK_OK)
        code = tables_look(projector->poster.pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = tables_check_counted(projector->poster.pg, QUERY_MS, err);
    if (code == DBK_OK && !same)
        code = DBK_MOVED;
    if (code == DBK_OK && retries > 0 && !post_retry_pending(&projector->retry))
        code = post_retry_begin(&projector->retry, false, err);
    return code;
}

static enum dbk_code turn(struct dbk_projector *projector, dbk_deadline *poll_at,
                          struct dbk_error *err)
{
    bool busy = post_retry_pending(&projector->retry),
         expiring = projector->poster.expiring;
    enum dbk_code code =
        follow(projector, busy || expiring ? 0 : dbk_deadline_left(*poll_at), err);

    if (code != DBK_OK)
        return code;
    projector_note_turn(projector);
    projector_note_posting(projector);
    projector_tidy(&projector->tidy, projector->poster.batch.count);
    if (busy)
        code = post_retry_step(&projector->retry, err);
    if (code == DBK_OK && expiring)
        code = post_expired_step(&projector->poster, err);
    if (code == DBK_OK && dbk_deadline_left(*poll_at) == 0) {
        code = look_after(projector, err);
        *poll_at = dbk_deadline_in(POLL_MS);
    }
    return code;
}

static enum dbk_code follow_until_stop(struct dbk_projector *projector,
                                       struct dbk_error *err)
{
    dbk_deadline poll_at =
        dbk_deadline_in(0); /* at once: reads wait for the first turn */
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && !projector_stopping(projector) &&
           !projector_renew_due(projector)) {
        code = projector_put_off(projector, err) ? DBK_UNAVAILABLE
                                                 : turn(projector, &poll_at, err);
        if (code == DBK_OK)
            projector->tables_missed = false;
        if (code == DBK_MOVED)
            code = poster_load(&projector->poster, err);
    }
    /* What has come meanwhile, so that whoever looks at the tables then finds it. */
    if (code == DBK_OK && !projector_put_off(projector, err))
        code = follow(projector, 0, err);
    return code;
}

/* Tables that were dropped or altered by hand, with the list of migrations still there:
 * connecting once more, which migrates, has not helped. */
static enum dbk_code say_what_to_do(struct dbk_projector *projector, enum dbk_code code,
                                    struct dbk_error *err)
{
    if (projector->migrating || !tables_broken(projector->poster.pg))
        return code;
    if (!projector->tables_missed) {
        projector->tables_missed = true;
        return code;
    }
    return tables_advise(code, err);
}

enum dbk_code projector_session(struct dbk_projector *projector, struct dbk_error *err)
{
    enum dbk_code code;

    assert(!projector->poster.pg &&
           !projector->tidy.pg); /* the session before has closed them */
    projector->held = projector->poster.other_history = projector->migrating = false;
    if (projector_put_off(projector, err)) {
        projector_drop_next(projector);
        return DBK_UNAVAILABLE;
    }
    code = connect_pg(projector, err);
    if (code == DBK_OK) /* before anyone is told that it follows */
        code = tables_look(projector->poster.pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = tables_check_counted(projector->poster.pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = projector_load(projector, err);
    if (code == DBK_OK && !projector->retried_all) {
        code = post_retry_begin(&projector->retry, true, err);
        projector->retried_all = code == DBK_OK;
    }
    if (code == DBK_OK) {
        projector_tidy_begin(&projector->tidy, projector->poster.database);
        code = follow_until_stop(projector, err);
    }
    if (code != DBK_OK && projector->poster.pg)
        code = say_what_to_do(projector, code, err);
    projector->emptied = false; /* whether we know no more */
    if (code == DBK_OK && !projector_stopping(projector))
        projector_renew(projector);
    projector_leave(projector);
    if (!projector->next)
        projector_breakable(projector, NULL);
    projector_tidy_end(&projector->tidy);
    pg_close(projector->poster.pg);
    projector->poster.pg = NULL;
    projector_renewed(projector);
    return code;
}
