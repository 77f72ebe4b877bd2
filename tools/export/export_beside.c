#include "export_beside.h"

#include "store/durable.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum dbk_code export_beside_name(const char *path, char out[PATH_MAX],
                                 struct dbk_error *err)
{
    if (snprintf(out, PATH_MAX, "%s.trailer.json", path) >= PATH_MAX)
        return dbk_fail(err, DBK_INVALID, "the file's path is too long");
    return DBK_OK;
}

static enum dbk_code fill(int fd, const char *tmp, struct dbk_slice trailer,
                          struct dbk_error *err)
{
    if (dbk_write_all(fd, trailer.data, trailer.length, tmp, err) != DBK_OK)
        return err->code;
    return dbk_write_all(fd, "\n", 1, tmp, err);
}

enum dbk_code export_beside_write(const char *path, struct dbk_slice trailer,
                                  struct dbk_error *err)
{
    char name[PATH_MAX], tmp[PATH_MAX + 16];
    enum dbk_code code;
    int fd;

    if (export_beside_name(path, name, err) != DBK_OK)
        return err->code;
    snprintf(tmp, sizeof tmp, "%s.partial", name);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "open", tmp);
    code = fill(fd, tmp, trailer, err);
    if (code == DBK_OK)
        code = dbk_replace(fd, tmp, name, err);
    if (code != DBK_OK)
        unlink(tmp);
    close(fd);
    return code;
}
