#include "directory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static enum dbk_code make_one(const char *path, struct dbk_error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return DBK_OK;
    return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "make %s: %s", path,
                    strerror(errno));
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
