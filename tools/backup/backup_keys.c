#include "backup_keys.h"

#include "backup_keys_file.h"
#include "keys_open.h"
#include "store/durable.h"
#include "tool_keys.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 3 }; /* so often the ring is copied where it is rotated meanwhile */

/* All that there may be in the folder. */
static const char *const names[] = {"ring",           "ring.new",   "ring.tmp",
                                    "master",         "master.new", "master.tmp",
                                    "master.new.tmp", "lock"};
enum { NAMES = sizeof names / sizeof *names };

/* The folder of a backup, and what is in it. */
struct keys_paths {
    char dir[BACKUP_KEYS_PATH];
    char ring[BACKUP_KEYS_PATH + 8];
    char master[BACKUP_KEYS_PATH + 8], next[BACKUP_KEYS_PATH + 16];
};

static void name_paths(const char *backup, struct keys_paths *paths)
{
    snprintf(paths->dir, sizeof paths->dir, "%.*s/" BACKUP_KEYS, PATH_MAX, backup);
    snprintf(paths->ring, sizeof paths->ring, "%s/ring", paths->dir);
    snprintf(paths->master, sizeof paths->master, "%s/master", paths->dir);
    snprintf(paths->next, sizeof paths->next, "%s.new", paths->master);
}

bool backup_keys_there(const char *backup)
{
    struct keys_paths paths;

    name_paths(backup, &paths);
    return access(paths.ring, F_OK) == 0;
}

void backup_keys_remove(const char *backup)
{
    struct keys_paths paths;
    char path[BACKUP_KEYS_PATH + 32];

    name_paths(backup, &paths);
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", paths.dir, names[i]);
        unlink(path);
    }
    rmdir(paths.dir);
}

static bool is_known(const char *name)
{
    bool known = !strcmp(name, ".") || !strcmp(name, "..");

    for (size_t i = 0; i < NAMES; i++)
        known = known || !strcmp(name, names[i]);
    return known;
}

bool backup_keys_alone(const char *backup)
{
    struct keys_paths paths;
    struct dirent *entry;
    struct stat status;
    bool alone = true;
    DIR *stream;

    name_paths(backup, &paths);
    if (lstat(paths.dir, &status) != 0)
        return true;
    stream = S_ISDIR(status.st_mode) ? opendir(paths.dir) : NULL;
    if (!stream)
        return false;
    while ((entry = readdir(stream)))
        alone = alone && is_known(entry->d_name);
    closedir(stream);
    return alone;
}

static enum dbk_code opens(const struct keys_paths *paths, const char *master,
                           struct dbk_error *err)
{
    const struct dbk_keys_options options = {.master = master, .read_only = true};
    struct dbk_keys *keys;
    enum dbk_code code = dbk_keys_open(paths->dir, &options, &keys, err);

    dbk_keys_close(keys);
    return code;
}

/* What a run that was killed, or has failed, left: where the ring that is there opens by the
 * master key's next file, that is the master key; else it is of no use. */
static enum dbk_code settle(const struct keys_paths *paths, struct dbk_error *err)
{
    if (access(paths->next, F_OK) != 0)
        return DBK_OK;
    switch (opens(paths, paths->next, NULL)) {
    case DBK_OK:
        if (rename(paths->next, paths->master) != 0)
            return dbk_system_fail(err, "make", paths->master);
        return dbk_sync_directory(paths->dir, err);
    case DBK_NOT_FOUND: /* a ring */
    case DBK_CONFLICT:
    case DBK_INVALID:
        unlink(paths->next);
        return DBK_OK;
    default: /* nobody knows */
        return DBK_OK;
    }
}

/* The master key first under its next name, under which it is looked for, too: so whatever is
 * there when this is killed opens. One of before, which was moved elsewhere since, goes last. */
static enum dbk_code copy_once(struct dbk_keys *keys,
                               const struct dbk_keys_state *state,
                               const struct keys_paths *paths,
                               struct dbk_keys_copied *copied, struct dbk_error *err)
{
    enum dbk_code code = settle(paths, err);

    if (code == DBK_OK && state->beside)
        code = backup_keys_copy(state->master, paths->next, err);
    if (code == DBK_OK)
        code = dbk_keys_copy(keys, paths->ring, copied, err);
    if (code != DBK_OK)
        return code;
    if (state->beside && rename(paths->next, paths->master) != 0)
        return dbk_system_fail(err, "make", paths->master);
    if (!state->beside) {
        unlink(paths->master);
        unlink(paths->next);
    }
    return dbk_sync_directory(paths->dir, err);
}

static enum dbk_code copy(struct dbk_keys *keys, const struct keys_paths *paths,
                          struct backup_keys *out, struct dbk_error *err)
{
    struct dbk_keys_state state;
    enum dbk_code code = DBK_OK;

    for (int tries = 0; tries < TRIES; tries++) {
        code = dbk_keys_state(keys, &state, err);
        if (code == DBK_OK)
            code = copy_once(keys, &state, paths, &out->of, err);
        if (code == DBK_OK)
            code = opens(paths, state.beside ? NULL : state.master, err);
        if (code != DBK_CONFLICT) /* else it was rotated meanwhile, or is another's */
            break;
    }
    out->copied = code == DBK_OK;
    out->master = out->copied && state.beside;
    return code;
}

/* Nothing of keys that nobody can use, and all of those of before. */
static void give_up(const char *backup, const struct keys_paths *paths,
                    struct backup_keys *out, const struct dbk_error *why)
{
    if (out->before)
        settle(paths, NULL);
    else
        backup_keys_remove(backup);
    snprintf(out->why, sizeof out->why, "%s", why->text);
}

enum dbk_code backup_keys_check(const struct tool *tool, const char *backup,
                                struct dbk_error *err)
{
    struct keys_paths paths;

    name_paths(backup, &paths);
    if (!tool_has(tool, "--without-keys") || access(paths.dir, F_OK) != 0)
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT,
                    "%s has keys from before: remove them, or name another folder",
                    paths.dir);
}

void backup_keys_put(const struct tool *tool, const char *backup, bool sealed,
                     struct backup_keys *out)
{
    struct keys_paths paths;
    struct keys_open open;
    struct dbk_error why;
    enum dbk_code code;

    *out = (struct backup_keys){.before = backup_keys_there(backup)};
    if (!sealed || tool_has(tool, "--without-keys"))
        return;
    name_paths(backup, &paths);
    code = keys_open(tool, &open, &why);
    if (code == DBK_OK)
        code = backup_keys_folder(paths.dir, &why);
    if (code == DBK_OK)
        code = copy(open.keys, &paths, out, &why);
    keys_close(&open);
    if (code != DBK_OK)
        give_up(backup, &paths, out, &why);
}

enum dbk_code backup_keys_note(const struct tool *tool, const struct backup_keys *keys,
                               struct dbk_error *err)
{
    struct dbk_keys *ring;
    enum dbk_code code;

    if (!keys->copied)
        return DBK_OK;
    code = tool_keys_open(tool, false, &ring, err);
    if (code == DBK_OK)
        code = dbk_keys_note_copy(ring, &keys->of, err);
    dbk_keys_close(ring);
    return code;
}
