#include "projector_load.h"

#include "projections/rebuild.h"

#include <stdio.h>

/* A load makes a schema and swaps it, which takes about as long as to post the fewest; and
 * it has some 100 bytes of memory a person, of whom there may be as many as records. */
enum { LOAD_FROM = 50000, LOAD_MOST = 10000000 };

static bool is_new_and_long(const struct dbk_projector *projector, uint64_t *head)
{
    const struct poster *poster = &projector->poster;
    uint64_t from = projector->options.load_from;

    /* Tables that a migration has emptied may have indexes of somebody's own. */
    return poster->projected == 0 && poster->were_at == 0 && poster->quarantined == 0 &&
           dbk_log_head(poster->log, head, NULL) == DBK_OK &&
           *head >= (from > 0 ? from : LOAD_FROM) && *head <= LOAD_MOST;
}

static bool on_stop(void *context)
{
    struct dbk_projector *projector = context;
    struct dbk_error why;

    return projector_stopping(projector) || projector_put_off(projector, &why);
}

static void on_report(void *context, const char *line)
{
    const struct dbk_projector *projector = context;

    poster_say(&projector->poster, "%s", line);
}

static void tell_loading(struct dbk_projector *projector, uint64_t head)
{
    char why[sizeof projector->status.state];

    snprintf(why, sizeof why,
             "the log is loaded into new read tables, up to record %llu",
             (unsigned long long)head);
    projector->loading = true;
    projector_set_running(projector, why);
}

enum dbk_code projector_load(struct dbk_projector *projector, struct dbk_error *err)
{
    const struct poster *poster = &projector->poster;
    const struct dbk_rebuild_options options = {
        .watch = {.report = on_report, .stop = on_stop, .context = projector}};
    struct dbk_rebuild_result result;
    struct dbk_error why;
    enum dbk_code code;
    uint64_t head;

    if (projector->load_failed || !is_new_and_long(projector, &head))
        return DBK_OK;
    tell_loading(projector, head);
    code = dbk_rebuild(poster->log, poster->database, &options, &result, &why);
    projector->loading = false;
    if (projector_stopping(projector))
        return dbk_fail(err, DBK_UNAVAILABLE, "the projector is stopping");
    if (code != DBK_OK && projector_put_off(projector, err))
        return DBK_UNAVAILABLE;
    if (code != DBK_OK) {
        projector->load_failed = true;
        poster_say(poster,
                   "the log cannot be loaded at once (%s): it is posted, which takes "
                   "longer",
                   why.text);
    }
    return poster_load(&projector->poster, err);
}
