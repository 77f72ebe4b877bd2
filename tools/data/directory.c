#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Only its owner may look inside. Where that is root, the private PostgreSQL's
 * unprivileged user must be able to pass through to its own directory, which is closed to
 * all others, as the log's is. */
static mode_t mode_of_new(void)
{
    return geteuid() == 0 ? 0711 : 0700;
}

static enum dbk_code system_fail(struct dbk_error *err, const char *what,
                                 const char *path)
{
    return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "%s %s: %s", what,
                    path, strerror(errno));
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

enum dbk_code directory_sync_parent(const char *path, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    char parent[PATH_MAX];
    int fd;

    if (!find_parent(path, parent))
        return dbk_fail(err, DBK_IO, "the path is too long");
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) /* what we may not read we cannot sync */
        return errno == EACCES ? DBK_OK : system_fail(err, "open", parent);
    if (fsync(fd) != 0 &&
        errno != EINVAL) /* EINVAL: its file system has no such sync */
        code = system_fail(err, "sync", parent);
    close(fd);
    return code;
}

static enum dbk_code make_one(const char *path, struct dbk_error *err)
{
    mode_t before = umask(0);
    int rc = mkdir(path, mode_of_new());

    umask(before);
    if (rc == 0)
        return directory_sync_parent(path, err);
    return errno == EEXIST ? DBK_OK : system_fail(err, "make", path);
}

enum dbk_code directory_make(const char *path, struct dbk_error *err)
{
    char part[PATH_MAX];
    enum dbk_code code;

    if ((size_t)snprintf(part, sizeof part, "%s", path) >= sizeof part)
        return dbk_fail(err, DBK_IO, "the data directory's path is too long");
    for (char *at = part; *at; at++) {
        if (*at != '/' || at == part)
            continue;
        *at = '\0';
        code = make_one(part, err);
        if (code != DBK_OK)
            return code;
        *at = '/';
    }
    return make_one(part, err);
}
