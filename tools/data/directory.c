#include "directory.h"

#include "store/durable.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

static enum dbk_code make_one(const char *path, struct dbk_error *err)
{
    mode_t before = umask(0);
    int rc = mkdir(path, mode_of_new());

    umask(before);
    if (rc == 0)
        return dbk_sync_parent(path, err);
    return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", path);
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

void directory_absolute(const char *path, char out[PATH_MAX])
{
    char here[PATH_MAX];

    if (realpath(path, out))
        return;
    while (!strncmp(path, "./", 2))
        path += 2;
    if (*path == '/' || !getcwd(here, sizeof here) ||
        snprintf(out, PATH_MAX, "%s/%s", here, path) >= PATH_MAX)
        snprintf(out, PATH_MAX, "%s", path);
}
