#include "partial.h"

#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Whether what was opened still has the name. */
static bool still_named(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

enum dbk_code partial_lock(int fd, const char *path, struct dbk_error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && still_named(fd, path))
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT, "another process writes %s: wait for its end",
                    path);
}
