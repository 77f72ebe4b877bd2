#include "tool_keys.h"

#include "store/keys_used.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A server that erases has the record on disk a moment before the ring is brought up to it: so
 * often, and so long, whoever only reads waits for that. */
enum { TRIES = 10, TRY_MS = 20 };

bool tool_keys_dir(const struct config *config, char *out, size_t size,
                   struct dbk_error *err)
{
    int length = snprintf(out, size, "%s/keys", config_text(config, SETTING_DATA_DIR));

    if (length > 0 && (size_t)length < size)
        return true;
    dbk_fail(err, DBK_INVALID, "the data directory's path is too long");
    return false;
}

bool tool_keys_there(const struct config *config)
{
    char dir[PATH_MAX], ring[PATH_MAX + 8];

    if (!tool_keys_dir(config, dir, sizeof dir, NULL))
        return false;
    snprintf(ring, sizeof ring, "%s/ring", dir);
    return access(ring, F_OK) == 0;
}

enum dbk_code tool_keys_find(const struct config *config, struct tool_keys_place *place,
                             struct dbk_error *err)
{
    if (!tool_keys_dir(config, place->dir, sizeof place->dir, err))
        return err->code;
    return dbk_keys_master(config_text(config, SETTING_MASTER_KEY_FILE),
                           getenv("CREDENTIALS_DIRECTORY"), place->dir, place->master,
                           err);
}

enum dbk_code tool_keys_open(const struct tool *tool, bool read_only,
                             struct dbk_keys **keys, struct dbk_error *err)
{
    struct tool_keys_place place;
    const struct dbk_keys_options options = {.master = place.master,
                                             .read_only = read_only};
    enum dbk_code code = tool_keys_find(tool->config, &place, err);

    *keys = NULL;
    return code == DBK_OK ? dbk_keys_open(place.dir, &options, keys, err) : code;
}

static enum dbk_code check_unbound(struct dbk_keys *keys, const char *dir,
                                   struct dbk_error *err)
{
    struct dbk_keys_state state;
    enum dbk_code code = dbk_keys_state(keys, &state, err);

    if (code != DBK_OK || !state.bound)
        return code;
    return dbk_fail(
        err, DBK_CONFLICT,
        "%s has the ring of another log, whose names nobody can read without "
        "it: move it to where that log's backups are",
        dir);
}

enum dbk_code tool_keys_make(const struct tool *tool, struct dbk_keys **keys,
                             struct dbk_error *err)
{
    struct tool_keys_place place;
    const struct dbk_keys_options options = {.master = place.master};
    enum dbk_code code = tool_keys_find(tool->config, &place, err);

    *keys = NULL;
    if (code != DBK_OK)
        return code;
    code = dbk_keys_make(place.dir, &options, err);
    if (code == DBK_OK || code == DBK_EXISTS)
        code = dbk_keys_open(place.dir, &options, keys, err);
    if (code == DBK_OK && check_unbound(*keys, place.dir, err) != DBK_OK) {
        code = err->code;
        dbk_keys_close(*keys);
        *keys = NULL;
    }
    return code;
}

enum dbk_code tool_keys_own(const char *dir, const struct dbk_log_options *options,
                            struct dbk_log **log, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_open(dir, options, log, err);

    if (code == DBK_OK)
        dbk_log_take_keys(*log);
    else
        dbk_keys_close(options->keys);
    return code;
}

/* The log with its ring. What it fails with is of the one or the other. */
static enum dbk_code open_both(const struct tool *tool, const char *dir,
                               struct dbk_log_options how, struct dbk_log **log,
                               struct dbk_error *err)
{
    const struct timespec moment = {.tv_nsec = TRY_MS * 1000000L};
    enum dbk_code code;

    for (int tries = 1;; tries++) {
        code = tool_keys_open(tool, how.read_only, &how.keys, err);
        if (code == DBK_OK)
            code = tool_keys_own(dir, &how, log, err);
        if (code != DBK_CONFLICT || !how.read_only || tries == TRIES)
            return code;
        nanosleep(&moment, NULL);
    }
}

static void say_none(const struct config *config, struct dbk_error *why)
{
    dbk_fail(
        why, DBK_NOT_FOUND,
        "there is no ring of keys %.300s/keys/ring, without which nobody can read "
        "what it says of persons: put back the copy that daybook keys backup made, or "
        "that of a backup",
        config_text(config, SETTING_DATA_DIR));
}

enum dbk_code tool_keys_log_open(const struct tool *tool, const char *dir,
                                 const struct dbk_log_options *options,
                                 struct dbk_log **log, struct dbk_error *why,
                                 struct dbk_error *err)
{
    struct dbk_log_options how = *options;
    enum dbk_code code;

    how.existing = true;
    *why = (struct dbk_error){.code = DBK_OK};
    *log = NULL;
    if (tool_keys_there(tool->config) &&
        open_both(tool, dir, how, log, why) == DBK_OK) {
        why->code = DBK_OK;
        return DBK_OK;
    }
    how.keys = NULL;
    code = dbk_log_open(dir, &how, log, err);
    if (code != DBK_OK)
        return code;
    if (!dbk_log_is_sealed(*log))
        why->code = DBK_OK;
    else if (why->code == DBK_OK)
        say_none(tool->config, why);
    return DBK_OK;
}

enum dbk_code tool_keys_fail(const struct dbk_error *why, struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNSUPPORTED, "the log is sealed: %s", why->text);
}
