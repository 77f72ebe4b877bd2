#include "environment_check.h"

#include "data_file.h"
#include "store/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_MIN ((uint64_t)4 << 20) /* what a new log needs */

/* The name of any file in dir that is not LMDB's; "" where there is none. */
static enum dbk_code find_foreign_file(const char *dir, char *name, size_t size,
                                       struct dbk_error *err)
{
    static const char *const ours[] = {".", "..", "data.mdb", "lock.mdb", "lost+found"};
    struct dirent *entry;
    DIR *stream = opendir(dir);

    if (!stream)
        return dbk_system_fail(err, "open", dir);
    name[0] = '\0';
    while (!name[0] && (entry = readdir(stream))) {
        bool known = false;

        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            known = known || !strcmp(entry->d_name, ours[i]);
        if (!known)
            snprintf(name, size, "%s", entry->d_name);
    }
    closedir(stream);
    return DBK_OK;
}

static enum dbk_code check_new(const char *dir, struct dbk_error *err)
{
    char foreign[NAME_MAX + 1];
    struct statvfs vfs;
    enum dbk_code code = find_foreign_file(dir, foreign, sizeof foreign, err);

    if (code != DBK_OK)
        return code;
    if (foreign[0])
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "%s holds no log but other files (%s): give an empty directory",
                        dir, foreign);
    if (statvfs(dir, &vfs) == 0 && (uint64_t)vfs.f_bavail * vfs.f_frsize < ROOM_MIN)
        return dbk_fail(err, DBK_NO_ROOM, "%s: the disk is full, a new log needs 4 MiB",
                        dir);
    return DBK_OK;
}

enum dbk_code environment_check_directory(const char *dir, enum dbk_access access,
                                          struct dbk_error *err)
{
    bool empty = true;
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof path, "%s/data.mdb", dir) >= (int)sizeof path)
        return dbk_fail(err, DBK_INVALID, "the path of the log is too long");
    if (stat(path, &st) == 0) {
        enum dbk_code code = data_file_check(path, &empty, err);

        if (code == DBK_DAMAGED && access == ENVIRONMENT_SALVAGE)
            return DBK_OK;
        if (code != DBK_OK)
            return dbk_wrap(err, "%s", dir);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        return dbk_system_fail(err, "look at", path);
    }
    if (!empty)
        return DBK_OK;
    if (access != ENVIRONMENT_MAKE)
        return dbk_fail(err, DBK_NOT_FOUND, "%s holds no log", dir);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return dbk_system_fail(err, "make directory", dir);
    return check_new(dir, err);
}

/* Whether LMDB could lock in the file: it is there for writing, or can be made. */
static bool can_write(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Whether any process holds LMDB's lock, which it does as long as it has the log open; or
 * that cannot be known. Asking takes no right to write. */
static bool is_used(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool used;

    if (fd < 0)
        return errno != ENOENT;
    used = fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
    close(fd);
    return used;
}

bool environment_in_use(const char *dir)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/lock.mdb", dir) >= (int)sizeof path ||
           is_used(path);
}

enum dbk_code environment_check_locking(const char *dir, bool *lock,
                                        struct dbk_error *err)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/lock.mdb", dir) >= (int)sizeof path)
        return dbk_fail(err, DBK_INVALID, "the path of the log is too long");
    *lock = can_write(path);
    if (*lock || !is_used(path))
        return DBK_OK;
    return dbk_fail(err, DBK_BUSY,
                    "lock.mdb cannot be written, and another process has the log open: "
                    "reading it beside that one is not safe; read it where it can be "
                    "written, or a backup of it");
}

bool environment_number_taken(const char *dir)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = getpid(), .l_len = 1};
    char path[PATH_MAX];
    bool taken;
    int fd;

    if (snprintf(path, sizeof path, "%s/lock.mdb", dir) >= (int)sizeof path)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    taken = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return taken;
}

enum dbk_code environment_sync_names(const char *dir, struct dbk_error *err)
{
    enum dbk_code code = dbk_sync_directory(dir, err);

    return code == DBK_OK ? dbk_sync_parent(dir, err) : code;
}
