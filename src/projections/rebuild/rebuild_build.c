#include "rebuild_private.h"

#include "load.h"
#include "projections/migrate.h"
#include "store/watch.h"

#include <string.h>

/* So few records are posted in well under the time that anybody waits for. */
enum { NEAR = 500, ROUNDS_MAX = 50 };

/* Drop what an earlier call has left. */
static enum dbk_code clean(struct rebuild *rebuild, struct dbk_error *err)
{
    enum schema_state state;
    enum dbk_code code = schema_look(rebuild->pg, rebuild->shadow_name,
                                     rebuild->shadow_mark, &state, err);

    if (code != DBK_OK || state == SCHEMA_ABSENT)
        return code;
    if (state == SCHEMA_FOREIGN)
        return dbk_fail(err, DBK_CONFLICT,
                        "there is a schema %s that is not daybook's: rename it",
                        rebuild->shadow_name);
    dbk_watch_say(rebuild->watch, "dropping the schema %s, left by an earlier run",
                  rebuild->shadow_name);
    return schema_drop(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark,
                       rebuild->watch, err);
}

static void note_unknown(void *context, const struct dbk_migration_state *state)
{
    int *unknown = context;

    if (!state->known)
        *unknown = state->version;
}

/* Tables of a newer program would be replaced by those of this one. */
static enum dbk_code check_not_newer(struct rebuild *rebuild, struct dbk_error *err)
{
    int unknown = 0;
    enum dbk_code code =
        dbk_migrate_status(&rebuild->live, note_unknown, &unknown, err);

    if (code == DBK_OK && unknown > 0)
        code = dbk_fail(err, DBK_UNSUPPORTED,
                        "the schema %s has migration %04d, which this program does not "
                        "know: use the newer daybook that applied it",
                        rebuild->live_name, unknown);
    return code;
}

enum dbk_code rebuild_begin(struct rebuild *rebuild, struct dbk_error *err)
{
    enum dbk_code code = check_not_newer(rebuild, err);

    if (code == DBK_OK && !strcmp(rebuild->shadow_name, rebuild->live_name))
        code = dbk_fail(err, DBK_INVALID,
                        "the schema %s has the name that its shadow would have: give "
                        "it a shorter one",
                        rebuild->live_name);
    if (code == DBK_OK)
        code = clean(rebuild, err);
    if (code == DBK_OK)
        code =
            schema_make(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark, err);
    if (code == DBK_OK)
        code = dbk_migrate_up(&rebuild->shadow, NULL, NULL, err);
    return code;
}

/* Record by record where the log cannot be loaded at once. */
static enum dbk_code post_all(struct rebuild *rebuild, uint64_t from, uint64_t to,
                              struct dbk_rebuild_result *result, struct dbk_error *err)
{
    enum dbk_code code;

    dbk_watch_say(
        rebuild->watch,
        "the log cannot be loaded at once (%s): posting it batch by batch, which "
        "takes longer",
        err->text);
    result->slow = true;
    code = schema_drop(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark,
                       rebuild->watch, err);
    if (code == DBK_OK)
        code =
            schema_make(rebuild->pg, rebuild->shadow_name, rebuild->shadow_mark, err);
    if (code == DBK_OK)
        code = rebuild_post_open(rebuild, &rebuild->shadow, from, err);
    if (code == DBK_OK)
        code = rebuild_post(rebuild, to, "posting the log", err);
    return code;
}

enum dbk_code rebuild_build(struct rebuild *rebuild, uint64_t from, uint64_t to,
                            struct dbk_rebuild_result *result, struct dbk_error *err)
{
    const struct load_source source = {
        .log = rebuild->log, .from = from, .to = to, .watch = rebuild->watch};
    bool refused = false;
    struct load_count count;
    enum dbk_code code = load_tables(&source, &rebuild->shadow, &count, &refused, err);

    if (code != DBK_OK && refused)
        return post_all(rebuild, from, to, result, err);
    if (code != DBK_OK)
        return code;
    result->loaded = to;
    result->persons = count.persons;
    result->events = count.events;
    result->erased_persons = count.erased_persons;
    result->erased_events = count.erased_events;
    result->expired_events = count.expired_events;
    return rebuild_post_open(rebuild, &rebuild->shadow, from, err);
}

enum dbk_code rebuild_catch_up(struct rebuild *rebuild, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    /* Each round leaves what was written during the one before. Where more is written
     * than can be posted it would never end: then the rest is posted during the swap. */
    for (int i = 0; code == DBK_OK && i < ROUNDS_MAX; i++) {
        uint64_t head;

        code = dbk_log_head(rebuild->log, &head, err);
        if (code == DBK_OK && head - rebuild->poster.projected < NEAR)
            break;
        if (code == DBK_OK)
            code = rebuild_post(rebuild, head, "catching up", err);
    }
    return code;
}
