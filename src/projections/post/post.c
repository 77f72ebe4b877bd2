#include "post.h"

#include "load_watch.h"
#include "poster.h"
#include "projections/migrate.h"

#include <stdlib.h>

enum { CONNECT_MS = 10000, STATEMENT_MS = 60000 };

struct post {
    struct poster poster;
    const struct dbk_watch *watch;
    bool endless;
};

static enum dbk_code connect_pg(struct poster *poster, struct dbk_error *err)
{
    const struct dbk_pg_options options = {.application = "daybook rebuild",
                                           .connect_timeout_ms = CONNECT_MS,
                                           .statement_timeout_ms = STATEMENT_MS,
                                           .async_commit = true};
    enum dbk_code code = dbk_migrate_up(poster->database, NULL, NULL, err);

    if (code == DBK_OK)
        code = dbk_pg_open(poster->database, &options, &poster->pg, err);
    if (code == DBK_OK)
        code = poster_begin(poster, err);
    return code;
}

enum dbk_code post_open(struct dbk_log *log, const struct dbk_database *database,
                        const struct post_options *options, struct post **out,
                        struct dbk_error *err)
{
    const struct poster_calls calls = {.report = options->watch->report,
                                       .context = options->watch->context};
    struct post *post = malloc(sizeof *post);
    enum dbk_code code;

    *out = NULL;
    if (!post)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    post->watch = options->watch;
    post->endless = options->endless;
    poster_init(&post->poster, log, database, &calls);
    post->poster.events_from = options->events_from;
    code = connect_pg(&post->poster, err);
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
    poster_finish(&post->poster);
    free(post);
}

static enum dbk_code step(struct poster *poster, uint64_t to, struct dbk_error *err)
{
    enum dbk_code code = poster_step(poster, to, err);

    if (code == DBK_OK && poster->batch.count == 0)
        code = dbk_fail(err, DBK_DAMAGED, "the log ends at record %llu, not %llu",
                        (unsigned long long)poster->projected, (unsigned long long)to);
    if (code == DBK_MOVED)
        code = dbk_fail(err, DBK_CONFLICT, "somebody else posts to the schema %s",
                        poster->database->schema);
    return code;
}

enum dbk_code post_up_to(struct post *post, uint64_t to, const char *phase,
                         struct dbk_error *err)
{
    struct poster *poster = &post->poster;
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && poster->projected < to) {
        code = watch_progress(post->watch, phase, "records", poster->projected,
                              post->endless ? 0 : to, err);
        if (code == DBK_OK)
            code = step(poster, to, err);
    }
    return code;
}

uint64_t post_at(const struct post *post)
{
    return post->poster.projected;
}

uint64_t post_quarantined(const struct post *post)
{
    return post->poster.quarantined;
}
