#include "backup_make.h"

#include "backup_checkpoint.h"
#include "lock.h"
#include "store/backup.h"
#include "store/durable.h"
#include "tool_data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One backup: made in partial, and renamed when it has been checked. */
struct copy {
    const char *to;
    char partial[PATH_MAX], scratch[PATH_MAX];
    int lock; /* partial, kept open so that nobody else writes it */
    struct log_check *check;
    struct backup_keys *keys;
};

bool backup_name_beside(const char *dir, const char *ending, char out[PATH_MAX])
{
    size_t length = strlen(dir);

    while (length > 1 && dir[length - 1] == '/')
        length--;
    return snprintf(out, PATH_MAX, "%.*s%s", (int)length, dir, ending) < PATH_MAX;
}

/* What a backup that was killed left, or one that failed. */
static void remove_files(const struct copy *copy)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", BACKUP_CHECKPOINT,
                                        BACKUP_CHECKPOINT ".tmp"};
    char path[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", copy->partial, names[i]);
        unlink(path);
    }
    backup_keys_remove(copy->partial);
}

/* Make partial, or take what a killed run left, and empty it. */
static enum dbk_code take_partial(struct copy *copy, struct dbk_error *err)
{
    if (mkdir(copy->partial, 0700) != 0 && errno != EEXIST)
        return dbk_system_fail(err, "make", copy->partial);
    copy->lock = open(copy->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy->lock < 0)
        return dbk_system_fail(err, "open", copy->partial);
    if (lock_partial(copy->lock, copy->partial, err) != DBK_OK)
        return err->code;
    remove_files(copy);
    return DBK_OK;
}

static enum dbk_code already_there(const char *to, struct dbk_error *err)
{
    return dbk_fail(err, DBK_EXISTS, "%s is there already: name a new folder", to);
}

bool backup_is_new(const char *to)
{
    struct dirent *entry;
    bool empty = true;
    DIR *stream = opendir(to);

    if (!stream)
        return errno == ENOENT;
    while (empty && (entry = readdir(stream)))
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    closedir(stream);
    return empty;
}

/* An empty folder is one to begin in, for who goes on with it tomorrow. */
static enum dbk_code check_free(const struct tool *tool, const char *to,
                                struct dbk_error *err)
{
    struct stat status;

    if (lstat(to, &status) == 0)
        return tool_has(tool, "--incremental") && backup_is_new(to)
                   ? DBK_OK
                   : already_there(to, err);
    return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "make", to);
}

static enum dbk_code make_copy(const struct tool *tool, const struct copy *copy,
                               struct progress *progress, struct dbk_error *err)
{
    const struct dbk_backup_options options = {.compact = tool_has(tool, "--compact"),
                                               .watch = progress_watch(progress, NULL)};
    enum dbk_code code;
    char dir[4096];

    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    code = dbk_log_backup(dir, copy->partial, &options, err);
    progress_clear(progress);
    if (code == DBK_DAMAGED && options.compact)
        dbk_wrap(err, "without --compact it is copied as it is");
    return code;
}

static enum dbk_code give_name(const struct copy *copy, struct dbk_error *err)
{
    char lock[PATH_MAX + 16];

    snprintf(lock, sizeof lock, "%s/lock.mdb", copy->partial);
    unlink(lock); /* of the check just made */
    if (rename(copy->partial, copy->to) == 0)
        return dbk_sync_parent(copy->to, err);
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return already_there(copy->to, err);
    return dbk_system_fail(err, "make", copy->to);
}

static enum dbk_code make_and_check(const struct tool *tool, struct copy *copy,
                                    struct progress *progress, struct dbk_error *err)
{
    struct dbk_signed_checkpoint checkpoint;
    enum dbk_code code;

    backup_checkpoint_read(tool, &checkpoint);
    code = make_copy(tool, copy, progress, err);
    if (code == DBK_OK)
        code = log_check_run(copy->check, copy->partial, copy->scratch, NULL, progress,
                             err);
    if (code == DBK_OK)
        code = backup_checkpoint_put(copy->partial, &checkpoint,
                                     copy->check->result.head, err);
    if (code == DBK_OK)
        backup_keys_put(tool, copy->partial, copy->check->result.shut, copy->keys);
    if (code == DBK_OK)
        code = give_name(copy, err);
    if (code != DBK_OK) {
        remove_files(copy);
        rmdir(copy->partial);
    }
    return code;
}

/* Whether the folder that path is to be made in is dir, or lies in it. */
static bool lies_in(const char *path, const char *dir)
{
    char parent[PATH_MAX], real[PATH_MAX], real_dir[PATH_MAX];
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (snprintf(parent, sizeof parent, "%.*s.", (int)length, path) >= PATH_MAX ||
        !realpath(parent, real) || !realpath(dir, real_dir))
        return false; /* making it tells what is wrong */
    length = strlen(real_dir);
    return !strncmp(real, real_dir, length) &&
           (real[length] == '/' || real[length] == '\0');
}

static bool is_same(const char *path, const char *dir)
{
    char real[PATH_MAX], real_dir[PATH_MAX];

    return realpath(path, real) && realpath(dir, real_dir) && !strcmp(real, real_dir);
}

/* The log of a data directory, which a server may have open: another one's, or a clone's. */
static bool is_somebodys_log(const char *path)
{
    static const char *const marks[] = {"/../log.id", "/../serve.lock"};
    char real[PATH_MAX], mark[PATH_MAX + 16];
    const char *name = realpath(path, real) ? strrchr(real, '/') : NULL;

    if (!name || strcmp(name, "/log") != 0)
        return false;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        snprintf(mark, sizeof mark, "%s%s", real, marks[i]);
        if (access(mark, F_OK) == 0)
            return true;
    }
    return false;
}

enum dbk_code backup_check_place(const struct tool *tool, const char *to,
                                 struct dbk_error *err)
{
    char dir[PATH_MAX];

    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    if (lies_in(to, dir) || is_same(to, dir))
        return dbk_fail(err, DBK_INVALID,
                        "%s lies in the log's own folder: name one outside of it", to);
    if (is_somebodys_log(to))
        return dbk_fail(
            err, DBK_INVALID,
            "%s is the log of a data directory, and no backup: name another "
            "folder",
            to);
    return DBK_OK;
}

enum dbk_code backup_make(const struct tool *tool, const char *to,
                          struct log_check *check, struct backup_keys *keys,
                          struct progress *progress, struct dbk_error *err)
{
    struct copy copy = {.to = to, .lock = -1, .check = check, .keys = keys};
    enum dbk_code code = backup_check_place(tool, to, err);

    if (code == DBK_OK)
        code = check_free(tool, to, err);
    if (code != DBK_OK)
        return code;
    if (!backup_name_beside(to, ".partial", copy.partial) ||
        !backup_name_beside(to, ".check", copy.scratch))
        return dbk_fail(err, DBK_INVALID, "the path is too long");
    code = take_partial(&copy, err);
    if (code == DBK_OK)
        code = make_and_check(tool, &copy, progress, err);
    if (copy.lock >= 0)
        close(copy.lock);
    return code;
}
