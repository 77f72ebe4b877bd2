#include "post.h"

#include "dbk_sql.h"
#include "load_watch.h"
#include "projections/migrate.h"
#include "projector_private.h"

#include <stdlib.h>

enum { CONNECT_MS = 10000, QUERY_MS = 30000, STATEMENT_MS = 60000 };
enum { BATCH_RECORDS = 4096, BATCH_BYTES = 4 << 20 };

struct post {
    struct dbk_projector projector;
    const struct dbk_watch *watch;
    bool endless;
};

static enum dbk_code connect_pg(struct dbk_projector *projector, struct dbk_error *err)
{
    const struct dbk_pg_options options = {.application = "daybook rebuild",
                                           .connect_timeout_ms = CONNECT_MS,
                                           .statement_timeout_ms = STATEMENT_MS,
                                           .async_commit = true};
    enum dbk_code code = dbk_migrate_up(projector->database, NULL, NULL, err);

    if (code == DBK_OK)
        code = dbk_pg_open(projector->database, &options, &projector->pg, err);
    if (code == DBK_OK)
        code = dbk_pg_script(projector->pg, dbk_sql_projector_session, QUERY_MS, err);
    if (code == DBK_OK)
        code = projector_load(projector, err);
    return code;
}

enum dbk_code post_open(struct dbk_log *log, const struct dbk_database *database,
                        const struct post_options *options, struct post **out,
                        struct dbk_error *err)
{
    const struct dbk_projector_options says = {options->watch->report,
                                               options->watch->context};
    struct post *post = malloc(sizeof *post);
    enum dbk_code code;

    *out = NULL;
    if (!post)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    post->watch = options->watch;
    post->endless = options->endless;
    projector_init(&post->projector, log, database, &says);
    post->projector.events_from = options->events_from;
    code = connect_pg(&post->projector, err);
    if (code == DBK_OK)
        *out = post;
    else
        post_close(post);
    return code;
}

void post_close(struct post *post)
{
    if (!post)
        return;
    dbk_pg_close(post->projector.pg);
    projector_finish(&post->projector);
    free(post);
}

static enum dbk_code step(struct dbk_projector *projector, uint64_t to,
                          struct dbk_error *err)
{
    uint64_t left = to - projector->projected;
    enum dbk_code code =
        dbk_log_read(projector->log, projector->projected,
                     left < BATCH_RECORDS ? (size_t)left : BATCH_RECORDS, BATCH_BYTES,
                     &projector->batch, err);

    if (code == DBK_OK && projector->batch.count == 0)
        code =
            dbk_fail(err, DBK_DAMAGED, "the log ends at record %llu, not %llu",
                     (unsigned long long)projector->projected, (unsigned long long)to);
    if (code == DBK_OK)
        code = projector_apply(projector, err);
    if (code == DBK_MOVED)
        code = dbk_fail(err, DBK_CONFLICT, "somebody else posts to the schema %s",
                        projector->database->schema);
    return code;
}

enum dbk_code post_up_to(struct post *post, uint64_t to, const char *phase,
                         struct dbk_error *err)
{
    struct dbk_projector *projector = &post->projector;
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && projector->projected < to) {
        code = watch_progress(post->watch, phase, "records", projector->projected,
                              post->endless ? 0 : to, err);
        if (code == DBK_OK)
            code = step(projector, to, err);
    }
    return code;
}

uint64_t post_at(const struct post *post)
{
    return post->projector.projected;
}

uint64_t post_quarantined(const struct post *post)
{
    return post->projector.quarantined;
}
