/* The tables as they were, in a schema beside the live ones. */
#include "rebuild_private.h"

#include "store/watch.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 56, TICK_MS = 200 };

struct replay {
    struct rebuild rebuild;
    const struct dbk_replay_options *options;
    struct dbk_database into; /* where, on the same server */
    char mark[SCHEMA_MARK];
};

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    static const char all[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    size_t length = strlen(name);

    return length > 0 && length <= NAME_MAX_BYTES && strchr(letters, name[0]) &&
           strspn(name, all) == length && strncmp(name, "pg_", 3) != 0;
}

/* A schema that belongs to the live one by its name is not for replays. */
static bool belongs_to(const char *name, const char *live)
{
    static const char *const suffixes[] = {"", "_shadow", "_old", "_swap"};
    char taken[SCHEMA_NAME];

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        schema_derive(taken, live, suffixes[i]);
        if (!strcmp(name, taken))
            return true;
    }
    return false;
}

static enum dbk_code check_name(const char *name, const char *live,
                                struct dbk_error *err)
{
    if (!is_name(name))
        return dbk_fail(err, DBK_INVALID,
                        "\"%.64s\" is no name for the schema: a to z, 0 to 9 and _, at "
                        "most %d, beginning with a letter or _, and not with pg_",
                        name, NAME_MAX_BYTES);
    if (belongs_to(name, live))
        return dbk_fail(err, DBK_INVALID,
                        "the schema %s belongs to the live tables: name another one",
                        name);
    return DBK_OK;
}

static enum dbk_code check_place(struct replay *replay, struct dbk_error *err)
{
    struct rebuild *rebuild = &replay->rebuild;
    enum schema_state state;
    enum dbk_code code =
        schema_look(rebuild->pg, rebuild->live_name, replay->mark, &state, err);

    if (code == DBK_OK && state == SCHEMA_FOREIGN)
        code = dbk_fail(err, DBK_CONFLICT,
                        "there is a schema %s that is no replay: name another one",
                        rebuild->live_name);
    if (code == DBK_OK && state == SCHEMA_OURS)
        code = schema_check_place(rebuild->pg, rebuild->live_name, rebuild->shadow_name,
                                  rebuild->watch, err);
    return code;
}

static enum dbk_code build(struct replay *replay, struct dbk_rebuild_result *result,
                           struct dbk_error *err)
{
    const struct dbk_replay_options *options = replay->options;
    struct rebuild *rebuild = &replay->rebuild;
    const struct rebuild_swap swap = {.incoming = rebuild->shadow_name,
                                      .outgoing_name = rebuild->shadow_name,
                                      .outgoing_mark = rebuild->shadow_mark,
                                      .comment = replay->mark};
    uint64_t to;
    enum dbk_code code = dbk_log_head(rebuild->log, &to, err);

    if (code == DBK_OK && options->to != DBK_REPLAY_HEAD) {
        if (options->to > to)
            code = dbk_fail(err, DBK_INVALID, "the log ends at record %llu",
                            (unsigned long long)to);
        to = options->to;
    }
    if (code == DBK_OK)
        code = rebuild_drop_leftovers(rebuild, NULL, err);
    if (code == DBK_OK)
        code = rebuild_begin(rebuild, err);
    if (code == DBK_OK)
        code = check_place(replay, err);
    if (code == DBK_OK)
        code = rebuild_build(rebuild, options->from, to, result, err);
    if (code == DBK_OK)
        code = rebuild_swap(rebuild, &swap, err);
    return code;
}

/* Post what is appended, until somebody says stop, or the log is another file. */
static enum dbk_code follow(struct replay *replay, struct dbk_error *err)
{
    struct rebuild *rebuild = &replay->rebuild;
    uint64_t head = rebuild->poster.projected;
    enum dbk_code code;

    rebuild->endless = true;
    /* The connection looks for the tables by the name they were built under. */
    code = rebuild_post_open(rebuild, &rebuild->live, replay->options->from, err);
    if (code == DBK_OK)
        dbk_watch_say(rebuild->watch,
                      "the schema %s is ready, as of record %llu; following the log",
                      rebuild->live_name, (unsigned long long)head);
    while (code == DBK_OK) {
        code = rebuild_post(rebuild, head, "following", err);
        if (code == DBK_OK) /* else a log that was put back would be waited for */
            code = poster_check_log(&rebuild->poster, err);
        if (code == DBK_OK)
            code = dbk_log_check_history(rebuild->log, 0, 0, err);
        if (code == DBK_OK)
            code = dbk_watch_progress(rebuild->watch, "following", "records", head, 0,
                                      err);
        if (code == DBK_OK)
            code = dbk_log_wait(rebuild->log, head, TICK_MS, &head, err);
    }
    return code == DBK_INTERRUPTED ? DBK_OK : code;
}

static void note(const struct rebuild *rebuild, struct dbk_rebuild_result *result)
{
    if (!rebuild->posting)
        return;
    result->sequence = rebuild->poster.projected;
    result->quarantined = rebuild->poster.quarantined;
}

static enum dbk_code run(struct replay *replay, struct dbk_rebuild_result *result,
                         struct dbk_error *err)
{
    struct rebuild *rebuild = &replay->rebuild;
    enum dbk_code code = build(replay, result, err);

    if (code != DBK_OK) {
        rebuild_abandon(rebuild);
        return code;
    }
    rebuild_drop_replaced(rebuild);
    note(rebuild, result);
    if (replay->options->follow) {
        code = follow(replay, err);
        note(rebuild, result);
    }
    return code;
}

enum dbk_code dbk_replay(struct dbk_log *log, const struct dbk_database *database,
                         const struct dbk_replay_options *options,
                         struct dbk_rebuild_result *result, struct dbk_error *err)
{
    struct replay replay = {.options = options, .into = *database};
    enum dbk_code code = check_name(options->into, pg_schema(database), err);

    *result = (struct dbk_rebuild_result){0};
    if (code != DBK_OK)
        return code;
    replay.into.schema = options->into;
    snprintf(replay.mark, sizeof replay.mark, SCHEMA_REPLAY);
    code = rebuild_open(&replay.rebuild, log, &replay.into, &options->watch, err);
    if (code == DBK_OK)
        code = run(&replay, result, err);
    rebuild_close(&replay.rebuild);
    return code;
}
