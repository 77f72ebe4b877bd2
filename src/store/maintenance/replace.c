#include "store/repair.h"

#include "environment_check.h"
#include "store/durable.h"
#include "store/log_builder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct paths {
    char file[PATH_MAX], lock[PATH_MAX], beside[PATH_MAX], kept[PATH_MAX];
};

static bool name_all(struct paths *paths, const char *dir, const char *beside,
                     const char *kept)
{
    return snprintf(paths->file, PATH_MAX, "%s/data.mdb", dir) < PATH_MAX &&
           snprintf(paths->lock, PATH_MAX, "%s/lock.mdb", dir) < PATH_MAX &&
           snprintf(paths->beside, PATH_MAX, "%s/data.mdb", beside) < PATH_MAX &&
           snprintf(paths->kept, PATH_MAX, "%s/data.mdb", kept) < PATH_MAX;
}

static bool is_same(const char *path, const char *other)
{
    struct stat here, there;

    return stat(path, &here) == 0 && stat(other, &there) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/* The damaged file under a second name. */
static enum dbk_code keep(const struct paths *paths, const char *kept,
                          struct dbk_error *err)
{
    if (is_same(paths->kept, paths->file)) /* killed just behind this */
        return DBK_OK;
    if (mkdir(kept, 0700) != 0)
        return errno == EEXIST
                   ? dbk_fail(err, DBK_EXISTS,
                              "%s is there already, of a repair before: move it away",
                              kept)
                   : dbk_system_fail(err, "make", kept);
    if (link(paths->file, paths->kept) != 0) {
        dbk_system_fail(err, "keep", paths->kept);
        rmdir(kept);
        return err->code;
    }
    if (dbk_sync_directory(kept, err) != DBK_OK)
        return err->code;
    return dbk_sync_parent(kept, err);
}

enum dbk_code dbk_log_replace(const char *dir, const char *beside, const char *kept,
                              struct dbk_error *err)
{
    struct paths paths;

    if (!name_all(&paths, dir, beside, kept))
        return dbk_fail(err, DBK_INVALID, "the path of the log is too long");
    if (environment_in_use(dir))
        return dbk_fail(err, DBK_CONFLICT,
                        "another process has %s open: end it, and run the same again",
                        dir);
    if (keep(&paths, kept, err) != DBK_OK)
        return err->code;
    unlink(paths.lock); /* it tells of the other file */
    if (rename(paths.beside, paths.file) != 0)
        return dbk_system_fail(err, "replace", paths.file);
    dbk_log_builder_remove(beside);
    return dbk_sync_directory(dir, err);
}
