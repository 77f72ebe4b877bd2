/* Posting to tables that nobody else posts to. */
#include "rebuild_private.h"

#include "post_expired.h"
#include "projections/migrate.h"
#include "store/watch.h"

#include <assert.h>

enum { CONNECT_MS = 10000, STATEMENT_MS = 60000 };

static enum dbk_code connect_pg(struct poster *poster, struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook rebuild",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .statement_timeout_ms = STATEMENT_MS,
                                       .async_commit = true};
    enum dbk_code code = dbk_migrate_up(poster->database, NULL, NULL, err);

    if (code == DBK_OK)
        code = pg_open(poster->database, &options, &poster->pg, err);
    return code == DBK_OK ? poster_begin(poster, err) : code;
}

enum dbk_code rebuild_post_open(struct rebuild *rebuild,
                                const struct dbk_database *database,
                                uint64_t events_from, struct dbk_error *err)
{
    const struct poster_calls calls = {.report = rebuild->watch->report,
                                       .context = rebuild->watch->context};
    enum dbk_code code;

    assert(rebuild->log); /* it was opened to build */
    rebuild_post_close(rebuild);
    poster_init(&rebuild->poster, rebuild->log, database, &calls);
    rebuild->posting = true;
    rebuild->poster.events_from = events_from;
    code = connect_pg(&rebuild->poster, err);
    if (code != DBK_OK)
        rebuild_post_close(rebuild);
    return code;
}

void rebuild_post_close(struct rebuild *rebuild)
{
    if (rebuild->posting)
        poster_finish(&rebuild->poster);
    rebuild->posting = false;
}

static enum dbk_code step(struct poster *poster, uint64_t to, struct dbk_error *err)
{
    enum dbk_code code = poster_step(poster, to, err);

    if (code == DBK_OK && poster->batch.count == 0)
        code = dbk_fail(err, DBK_DAMAGED, "the log ends at record %llu, not %llu",
                        (unsigned long long)poster->projected, (unsigned long long)to);
    while (code == DBK_OK && poster->expiring) /* nobody waits for the next batch */
        code = post_expired_step(poster, err);
    if (code == DBK_MOVED)
        code = dbk_fail(err, DBK_CONFLICT, "somebody else posts to the schema %s",
                        poster->database->schema);
    return code;
}

enum dbk_code rebuild_post(struct rebuild *rebuild, uint64_t to, const char *phase,
                           struct dbk_error *err)
{
    struct poster *poster = &rebuild->poster;
    enum dbk_code code = DBK_OK;

    assert(rebuild->posting);
    while (code == DBK_OK && poster->projected < to) {
        code = dbk_watch_progress(rebuild->watch, phase, "records", poster->projected,
                                  rebuild->endless ? 0 : to, err);
        if (code == DBK_OK)
            code = step(poster, to, err);
        if (post_trouble_may_pass(poster, code))
            code = schema_pause(rebuild->watch, err);
    }
    return code;
}
