#include "backup_keys.h"

#include "keys_open.h"
#include "store/durable.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TRIES = 3, /* so often the ring is copied where it is rotated meanwhile */
    MASTER_MOST = 4096,
    PIECE = 65536,
};

#define KEYS_PATH (PATH_MAX + 32)

void backup_keys_remove(const char *dir)
{
    static const char *const names[] = {"ring",           "ring.new",   "ring.tmp",
                                        "master",         "master.new", "master.tmp",
                                        "master.new.tmp", "lock"};
    char path[KEYS_PATH];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%.*s/" BACKUP_KEYS "/%s", PATH_MAX, dir, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%.*s/" BACKUP_KEYS, PATH_MAX, dir);
    rmdir(path);
}

static enum dbk_code make_folder(const char *dir, struct dbk_error *err)
{
    if (mkdir(dir, 0700) == 0)
        return dbk_sync_parent(dir, err);
    return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", dir);
}

/* A master key's file, for its owner only. */
static enum dbk_code copy_master(const char *from, const char *to,
                                 struct dbk_error *err)
{
    uint8_t bytes[MASTER_MOST];
    size_t length;
    int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum dbk_code code;

    if (fd < 0)
        return dbk_system_fail(err, "open", from);
    code = dbk_read_all(fd, bytes, sizeof bytes, &length, from, err);
    close(fd);
    if (code == DBK_OK)
        code = dbk_write_file(to, 0600, bytes, length, err);
    explicit_bzero(bytes, sizeof bytes);
    return code;
}

/* The master key first under its next name, under which it is looked for, too: so whatever is
 * there when this is killed opens. */
static enum dbk_code copy_once(struct dbk_keys *keys,
                               const struct dbk_keys_state *state, const char *to,
                               struct dbk_error *err)
{
    char ring[KEYS_PATH], master[KEYS_PATH], next[KEYS_PATH + 8];
    enum dbk_code code = DBK_OK;

    snprintf(ring, sizeof ring, "%.*s/ring", PATH_MAX, to);
    snprintf(master, sizeof master, "%.*s/master", PATH_MAX, to);
    snprintf(next, sizeof next, "%s.new", master);
    if (state->beside)
        code = copy_master(state->master, next, err);
    if (code == DBK_OK)
        code = dbk_keys_backup(keys, ring, err);
    if (code == DBK_OK && state->beside && rename(next, master) != 0)
        code = dbk_system_fail(err, "make", master);
    return code == DBK_OK ? dbk_sync_directory(to, err) : code;
}

static enum dbk_code check_opens(const char *to, const struct dbk_keys_state *state,
                                 struct dbk_error *err)
{
    const struct dbk_keys_options options = {
        .master = state->beside ? NULL : state->master, .read_only = true};
    struct dbk_keys *keys;
    enum dbk_code code = dbk_keys_open(to, &options, &keys, err);

    dbk_keys_close(keys);
    return code;
}

static enum dbk_code copy(struct dbk_keys *keys, const char *to,
                          struct backup_keys *out, struct dbk_error *err)
{
    struct dbk_keys_state state;
    enum dbk_code code = DBK_OK;

    for (int tries = 0; tries < TRIES; tries++) {
        code = dbk_keys_state(keys, &state, err);
        if (code == DBK_OK)
            code = copy_once(keys, &state, to, err);
        if (code == DBK_OK)
            code = check_opens(to, &state, err);
        if (code != DBK_CONFLICT) /* else it was rotated meanwhile, or is another's */
            break;
    }
    if (code == DBK_OK)
        code = dbk_keys_state(keys, &state, err);
    if (code != DBK_OK)
        return code;
    *out = (struct backup_keys){
        .copied = true, .master = state.beside, .at = state.copied_at};
    return DBK_OK;
}

/* Without its ring, of which nothing is asked here. One that cannot be opened is told by others. */
static bool is_sealed(const struct tool *tool)
{
    const struct dbk_log_options options = {.read_only = true};
    char dir[PATH_MAX];
    struct dbk_log *log;
    bool sealed;

    if (!tool_log_dir(tool->config, dir, sizeof dir, NULL) ||
        dbk_log_open(dir, &options, &log, NULL) != DBK_OK)
        return false;
    sealed = dbk_log_is_sealed(log);
    dbk_log_close(log);
    return sealed;
}

enum dbk_code backup_keys_put(const struct tool *tool, const char *to,
                              struct backup_keys *out, struct dbk_error *err)
{
    char dir[KEYS_PATH];
    struct keys_open open;
    struct dbk_error why;
    enum dbk_code code;

    *out = (struct backup_keys){.copied = false};
    snprintf(dir, sizeof dir, "%.*s/" BACKUP_KEYS, PATH_MAX, to);
    if (tool_has(tool, "--without-keys"))
        return access(dir, F_OK) != 0
                   ? DBK_OK
                   : dbk_fail(
                         err, DBK_CONFLICT,
                         "%s has keys from before: remove them, or name another folder",
                         dir);
    if (!is_sealed(tool))
        return DBK_OK;
    code = keys_open(tool, &open, &why);
    if (code == DBK_OK)
        code = make_folder(dir, &why);
    if (code == DBK_OK)
        code = copy(open.keys, dir, out, &why);
    keys_close(&open);
    if (code != DBK_OK)
        snprintf(out->why, sizeof out->why, "%s", why.text);
    return DBK_OK;
}

/* Back. */

bool backup_keys_find(const char *from, char out[PATH_MAX])
{
    const char *name = strrchr(from, '/');
    char ring[PATH_MAX + 16];

    name = name ? name + 1 : from;
    if (snprintf(out, PATH_MAX, "%s/%s" BACKUP_KEYS, from,
                 strcmp(name, "log") != 0 ? "" : "../") >= PATH_MAX)
        return false;
    snprintf(ring, sizeof ring, "%s/ring", out);
    return access(ring, F_OK) == 0;
}

static enum dbk_code copy_bytes(int in, int out, const char *from, const char *to,
                                struct dbk_error *err)
{
    static uint8_t piece[PIECE];
    enum dbk_code code;
    size_t length;

    do {
        code = dbk_read_all(in, piece, sizeof piece, &length, from, err);
        if (code == DBK_OK)
            code = dbk_write_all(out, piece, length, to, err);
    } while (code == DBK_OK && length > 0);
    return code;
}

static enum dbk_code copy_ring(const char *from, const char *to, struct dbk_error *err)
{
    char tmp[KEYS_PATH];
    int in, out;
    enum dbk_code code;

    snprintf(tmp, sizeof tmp, "%.*s.tmp", PATH_MAX, to);
    in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in < 0)
        return dbk_system_fail(err, "open", from);
    out = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    code = out < 0 ? dbk_system_fail(err, "make", tmp)
                   : copy_bytes(in, out, from, tmp, err);
    if (code == DBK_OK)
        code = dbk_replace(out, tmp, to, err);
    if (out >= 0)
        close(out);
    close(in);
    return code;
}

/* The ring last, so that one that is there opens. */
static enum dbk_code copy_back(const char *from, const char *to, struct dbk_error *err)
{
    static const char *const masters[] = {"master.new", "master"};
    char source[KEYS_PATH], place[KEYS_PATH];
    enum dbk_code code = make_folder(to, err);

    for (size_t i = 0; code == DBK_OK && i < sizeof masters / sizeof *masters; i++) {
        snprintf(source, sizeof source, "%.*s/%s", PATH_MAX, from, masters[i]);
        snprintf(place, sizeof place, "%.*s/%s", PATH_MAX, to, masters[i]);
        if (access(source, F_OK) == 0)
            code = copy_master(source, place, err);
    }
    snprintf(source, sizeof source, "%.*s/ring", PATH_MAX, from);
    snprintf(place, sizeof place, "%.*s/ring", PATH_MAX, to);
    return code == DBK_OK ? copy_ring(source, place, err) : code;
}

enum dbk_code backup_keys_place(const struct config *config, const char *from,
                                bool *placed, struct dbk_error *err)
{
    char to[PATH_MAX];

    *placed = false;
    if (!tool_keys_dir(config, to, sizeof to, err))
        return err->code;
    *placed = access(to, F_OK) != 0; /* a master key that is there already stays */
    return copy_back(from, to, err);
}
