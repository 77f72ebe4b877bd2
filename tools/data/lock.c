#include "lock.h"

#include "directory.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The number in the file is for the message only: the lock is what counts. */
static enum dbk_code taken(int fd, const char *dir, struct dbk_error *err)
{
    char text[16] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    long pid = got > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s is served already, by process %ld: stop it first, or give "
                        "another --data-dir",
                        dir, pid);
    return dbk_fail(err, DBK_CONFLICT,
                    "%s is served already: stop that server first, or give another "
                    "--data-dir",
                    dir);
}

/* On a full disk the number is missing, which is no reason not to serve. */
static void write_pid(int fd)
{
    if (ftruncate(fd, 0) == 0)
        (void)dprintf(fd, "%d\n", (int)getpid());
}

enum dbk_code lock_take(const char *dir, int *fd, struct dbk_error *err)
{
    char path[PATH_MAX + 16];
    enum dbk_code code = directory_make(dir, err);

    *fd = -1;
    if (code != DBK_OK)
        return code;
    snprintf(path, sizeof path, "%s/serve.lock", dir);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return dbk_system_fail(err, "open", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        write_pid(*fd);
    else if (errno == EWOULDBLOCK)
        code = taken(*fd, dir, err);
    else
        code = dbk_system_fail(err, "lock", path);
    if (code != DBK_OK) {
        lock_release(*fd);
        *fd = -1;
    }
    return code;
}

enum dbk_code lock_look(const char *dir, struct dbk_error *err)
{
    char path[PATH_MAX + 16];
    enum dbk_code code = DBK_OK;
    int fd;

    snprintf(path, sizeof path, "%s/serve.lock", dir);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "open", path);
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        code = errno == EWOULDBLOCK ? taken(fd, dir, err)
                                    : dbk_system_fail(err, "lock", path);
    close(fd);
    return code;
}

void lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Whether what was opened still has the name. */
static bool still_named(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

enum dbk_code lock_partial(int fd, const char *path, struct dbk_error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && still_named(fd, path))
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT, "another process writes %s: wait for its end",
                    path);
}
