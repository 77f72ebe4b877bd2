#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum dbk_code dbk_errno_code(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG ? DBK_NO_ROOM
                                                                   : DBK_IO;
}

enum dbk_code dbk_system_fail(struct dbk_error *err, const char *doing,
                              const char *what)
{
    return dbk_fail(err, dbk_errno_code(errno), "%s %s: %s", doing, what,
                    strerror(errno));
}

enum dbk_code dbk_write_all(int fd, const void *bytes, size_t length, const char *path,
                            struct dbk_error *err)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t wrote = write(fd, at, length);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return dbk_system_fail(err, "write", path);
        at += wrote;
        length -= (size_t)wrote;
    }
    return DBK_OK;
}

enum dbk_code dbk_read_all(int fd, void *out, size_t size, size_t *length,
                           const char *path, struct dbk_error *err)
{
    char *at = out;
    ssize_t got = 1;

    for (*length = 0; got != 0 && *length < size;) {
        got = read(fd, at + *length, size - *length);
        if (got < 0 && errno != EINTR)
            return dbk_system_fail(err, "read", path);
        *length += got > 0 ? (size_t)got : 0;
    }
    return DBK_OK;
}

enum dbk_code dbk_sync_file(int fd, const char *path, struct dbk_error *err)
{
    return fsync(fd) == 0 ? DBK_OK : dbk_system_fail(err, "sync", path);
}

enum dbk_code dbk_sync_directory(const char *dir, struct dbk_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum dbk_code code = DBK_OK;

    if (fd < 0)
        return errno == EACCES ? DBK_OK : dbk_system_fail(err, "open", dir);
    if (fsync(fd) != 0 && errno != EINVAL) /* EINVAL: it has no such sync */
        code = dbk_system_fail(err, "sync", dir);
    close(fd);
    return code;
}

/* The directory that path lies in: what is before its last name. False: too long. */
static bool find_parent(const char *path, char parent[PATH_MAX])
{
    size_t length = strlen(path);

    while (length > 0 && path[length - 1] == '/') /* behind the name */
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length == 0)
        return snprintf(parent, PATH_MAX, "%s", path[0] == '/' ? "/" : ".") > 0;
    return snprintf(parent, PATH_MAX, "%.*s", (int)length, path) < PATH_MAX;
}

enum dbk_code dbk_sync_parent(const char *path, struct dbk_error *err)
{
    char parent[PATH_MAX];

    if (!find_parent(path, parent))
        return dbk_fail(err, DBK_IO, "the path is too long");
    return dbk_sync_directory(parent, err);
}

enum dbk_code dbk_replace(int fd, const char *tmp, const char *path,
                          struct dbk_error *err)
{
    enum dbk_code code = dbk_sync_file(fd, tmp, err);

    if (code != DBK_OK)
        return code;
    if (rename(tmp, path) != 0)
        return dbk_system_fail(err, "rename to", path);
    return dbk_sync_parent(path, err);
}

enum dbk_code dbk_write_file(const char *path, unsigned mode, const void *bytes,
                             size_t length, struct dbk_error *err)
{
    char tmp[PATH_MAX];
    enum dbk_code code;
    int fd;

    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp)
        return dbk_fail(err, DBK_IO, "the path %.64s... is too long", path);
    unlink(tmp); /* not written into: it may be a link, or be read */
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return dbk_system_fail(err, "make", tmp);
    code = dbk_write_all(fd, bytes, length, tmp, err);
    if (code == DBK_OK)
        code = dbk_replace(fd, tmp, path, err);
    close(fd);
    if (code != DBK_OK)
        unlink(tmp);
    return code;
}
