#include "store/backup.h"

#include "environment.h"
#include "environment_check.h"
#include "sandbox.h"
#include "store/clock.h"
#include "store/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STUCK_US INT64_C(30000000)

/* One backup under way. */
struct backup {
    const char *source, *dir;
    char file[PATH_MAX]; /* the copy, in dir */
    uint64_t total;      /* bytes of the original */
    const struct dbk_backup_options *options;
    uint64_t copied; /* bytes, and when they were first that many */
    int64_t copied_at;
    bool stuck;
};

static enum dbk_code make_empty(const char *dir, bool *made, struct dbk_error *err)
{
    struct dirent *entry;
    bool empty = true;
    DIR *stream;

    *made = mkdir(dir, 0700) == 0;
    if (*made)
        return DBK_OK;
    if (errno != EEXIST)
        return dbk_system_fail(err, "make", dir);
    stream = opendir(dir);
    if (!stream)
        return dbk_system_fail(err, "open", dir);
    while (empty && (entry = readdir(stream)))
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    closedir(stream);
    return empty ? DBK_OK : dbk_fail(err, DBK_EXISTS, "%s is not empty", dir);
}

/* In a process of its own: leaving free pages out reads all the others. */
static enum dbk_code copy(const void *what, const struct dbk_verify_options *options,
                          struct dbk_verify_result *result, struct dbk_error *err)
{
    const struct backup *backup = what;
    struct environment environment;
    enum dbk_code code =
        environment_open(backup->source, ENVIRONMENT_READ, 0, &environment, err);
    int rc;

    (void)options;
    (void)result;
    if (code != DBK_OK)
        return code;
    rc = mdb_env_copy2(environment.env, backup->dir,
                       backup->options->compact ? MDB_CP_COMPACT : 0);
    environment_close(&environment);
    if (dbk_errno_code(rc) == DBK_NO_ROOM)
        return dbk_fail(err, DBK_NO_ROOM, "copy to %s: %s", backup->dir,
                        rc == EFBIG ? strerror(rc) : "the disk is full");
    return rc == 0 ? DBK_OK : lmdb_fail(err, NULL, rc, "copy the log");
}

static uint64_t size_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* LMDB tells nothing while it copies; the file does. Where it does not grow for long, a disk
 * does not answer, or LMDB waits for itself: nobody is left to wait for that. */
static bool show_and_ask(void *context)
{
    struct backup *backup = context;
    uint64_t copied = size_of(backup->file);
    int64_t now = dbk_clock_us();

    if (copied != backup->copied) {
        backup->copied = copied;
        backup->copied_at = now;
    }
    backup->stuck = now - backup->copied_at > STUCK_US;
    return backup->stuck ||
           dbk_watch_progress(&backup->options->watch, "copying", "MiB", copied >> 20,
                              backup->total >> 20, NULL) != DBK_OK;
}

static enum dbk_code copy_sandboxed(struct backup *backup, struct dbk_error *err)
{
    const struct dbk_verify_options options = {
        .watch = {.stop = show_and_ask, .context = backup}};
    struct dbk_verify_result result;
    uint64_t died_at;
    enum dbk_code code;

    backup->copied_at = dbk_clock_us();
    code = sandbox_run(copy, backup, &options, &result, &died_at, err);
    if (code == DBK_INTERRUPTED && backup->stuck)
        code =
            dbk_fail(err, DBK_DAMAGED,
                     "copying %s has stood still for %d s: its structure is damaged, "
                     "or a disk does not answer; daybook verify tells which",
                     backup->source, (int)(STUCK_US / 1000000));
    if (code == DBK_OK && died_at > 0)
        code = dbk_fail(err, DBK_DAMAGED,
                        "the structure of %s is damaged: copying it ended the reader",
                        backup->source);
    return code;
}

/* mdb_env_copy2 does not sync what it wrote. */
static enum dbk_code sync_copy(const struct backup *backup, struct dbk_error *err)
{
    int fd = open(backup->file, O_RDONLY | O_CLOEXEC);
    enum dbk_code code;

    if (fd < 0)
        return dbk_system_fail(err, "open", backup->file);
    code = dbk_sync_file(fd, backup->file, err);
    close(fd);
    return code == DBK_OK ? environment_sync_names(backup->dir, err) : code;
}

enum dbk_code dbk_log_backup(const char *source, const char *dir,
                             const struct dbk_backup_options *options,
                             struct dbk_error *err)
{
    struct backup backup = {.source = source, .dir = dir, .options = options};
    enum dbk_code code;
    bool made;

    if (snprintf(backup.file, sizeof backup.file, "%s/data.mdb", source) >= PATH_MAX)
        return dbk_fail(err, DBK_INVALID, "the path of the log is too long");
    backup.total = size_of(backup.file);
    if (snprintf(backup.file, sizeof backup.file, "%s/data.mdb", dir) >= PATH_MAX)
        return dbk_fail(err, DBK_INVALID, "the path of the backup is too long");
    code = make_empty(dir, &made, err);
    if (code != DBK_OK)
        return code;
    code = copy_sandboxed(&backup, err);
    if (code == DBK_OK)
        code = sync_copy(&backup, err);
    if (code != DBK_OK) {
        unlink(backup.file);
        if (made)
            rmdir(dir);
    }
    return code;
}
