#include "staged_ring.h"

#include "store/durable.h"
#include "tool_keys.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many at once: each time is waited for the disk. Those behind the last that is named are
 * passed over. */
enum { AT_ONCE = DBK_KEYS_FORGOTTEN };

void staged_ring_begin(struct staged_ring *ring, const struct tool *tool)
{
    *ring =
        (struct staged_ring){.tool = tool, .anew = tool_has(tool, "--without-keys")};
}

/* Of a run that was killed, or has failed. */
static void remove_tmp(const struct staged_ring *ring)
{
    static const char *const names[] = {"ring", "ring.tmp", "master", "master.tmp",
                                        "lock"};
    char path[sizeof ring->tmp + 16];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", ring->tmp, names[i]);
        unlink(path);
    }
    rmdir(ring->tmp);
}

enum dbk_code staged_ring_check(const struct config *config, struct dbk_error *err)
{
    char dir[PATH_MAX];
    struct dirent *entry = NULL;
    enum dbk_code code = DBK_OK;
    DIR *stream;

    if (!tool_keys_dir(config, dir, sizeof dir, err))
        return err->code;
    stream = opendir(dir);
    if (!stream)
        return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "look into", dir);
    while ((entry = readdir(stream)) &&
           (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")))
        continue;
    if (entry)
        code =
            dbk_fail(err, DBK_EXISTS,
                     "%.300s has %s already: move it away, or give another "
                     "--data-dir",
                     dir, tool_keys_there(config) ? "a ring of keys" : entry->d_name);
    closedir(stream);
    return code;
}

static enum dbk_code make(struct staged_ring *ring, struct dbk_error *err)
{
    const struct config *config = ring->tool->config;
    char master[DBK_KEYS_PATH];
    const struct dbk_keys_options options = {.master = master};
    enum dbk_code code;

    if (staged_ring_check(config, err) != DBK_OK ||
        !tool_keys_dir(config, ring->dir, PATH_MAX, err))
        return err->code;
    snprintf(ring->tmp, sizeof ring->tmp, "%.*s.tmp", PATH_MAX, ring->dir);
    code = dbk_keys_master(config_text(config, SETTING_MASTER_KEY_FILE),
                           getenv("CREDENTIALS_DIRECTORY"), ring->dir, master, err);
    if (code != DBK_OK)
        return code;
    remove_tmp(ring);
    code = dbk_keys_make(ring->tmp, &options, err);
    return code == DBK_OK ? dbk_keys_open(ring->tmp, &options, &ring->keys, err) : code;
}

/* What was killed between the two renames left a ring without a log: by that nobody in another
 * one is known, and it would not be told that somebody asked for it. */
static enum dbk_code check_left(const struct staged_ring *ring, const char *dir,
                                struct dbk_error *err)
{
    struct dbk_keys_state state;
    struct dbk_keys_check check;
    enum dbk_code code = dbk_keys_state(ring->keys, &state, err);

    if (code != DBK_OK || state.bound)
        return code;
    code = dbk_keys_check(ring->keys, &check, err);
    if (code != DBK_OK || check.erased == 0)
        return code;
    return dbk_fail(err, DBK_EXISTS,
                    "%.300s/keys is the ring of no log, and keys in it are destroyed: "
                    "reseal, or import --without-keys, did not come to its end. Remove "
                    "it, and run that again; or put the log's own ring there",
                    dir);
}

/* Closed by staged_ring_end. */
static enum dbk_code open_there(struct staged_ring *ring, const char *dir,
                                struct dbk_error *err)
{
    enum dbk_code code = tool_keys_open(ring->tool, false, &ring->keys, err);

    return code == DBK_OK ? check_left(ring, dir, err) : code;
}

enum dbk_code staged_ring_open(struct staged_ring *ring, struct dbk_error *err)
{
    const char *dir = config_text(ring->tool->config, SETTING_DATA_DIR);
    bool there = tool_keys_there(ring->tool->config);

    if (there && ring->anew)
        return dbk_fail(
            err, DBK_EXISTS,
            "%.300s/keys has a ring of keys: leave --without-keys out, or move "
            "that away",
            dir);
    ring->used = true;
    if (there)
        return open_there(ring, dir, err);
    if (ring->anew)
        return make(ring, err);
    return dbk_fail(
        err, DBK_NOT_FOUND,
        "it is sealed, and its ring of keys is not here: put the log's ring, and the "
        "master key that lay beside it, into %.300s/keys first; where it is lost for "
        "good, "
        "--without-keys makes a log in which nobody is known any more",
        dir);
}

enum dbk_code staged_ring_forget(struct staged_ring *ring, uint64_t number,
                                 struct dbk_error *err)
{
    uint64_t numbers[AT_ONCE];
    enum dbk_code code = DBK_OK;

    while (ring->anew && code == DBK_OK && ring->gone < number) {
        for (size_t i = 0; i < AT_ONCE; i++)
            numbers[i] = ring->gone + 1 + i;
        code = dbk_keys_ahead(ring->keys, ring->gone + AT_ONCE, err);
        if (code == DBK_OK)
            code = dbk_keys_erase(ring->keys, numbers, AT_ONCE, 0, err);
        ring->gone += AT_ONCE;
    }
    return code;
}

enum dbk_code staged_ring_place(struct staged_ring *ring, struct dbk_error *err)
{
    if (!ring->keys || !ring->anew)
        return DBK_OK;
    dbk_keys_close(ring->keys);
    ring->keys = NULL;
    if (rename(ring->tmp, ring->dir) != 0)
        return dbk_system_fail(err, "make", ring->dir);
    ring->placed = true;
    if (dbk_sync_parent(ring->dir, err) == DBK_OK)
        return DBK_OK;
    staged_ring_take_back(ring);
    return err->code;
}

void staged_ring_take_back(void *context)
{
    struct staged_ring *ring = context;

    if (!ring->placed || rename(ring->dir, ring->tmp) != 0)
        return;
    ring->placed = false;
    remove_tmp(ring);
}

void staged_ring_end(struct staged_ring *ring)
{
    dbk_keys_close(ring->keys);
    ring->keys = NULL;
    if (*ring->tmp && !ring->placed)
        remove_tmp(ring);
    *ring->tmp = '\0';
}
