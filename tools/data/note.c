#include "note.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dbk_code make_path(const char *dir, const char *name, const char *ending,
                               char path[PATH_MAX], struct dbk_error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%s%s", dir, name, ending) < PATH_MAX)
        return DBK_OK;
    return dbk_fail(err, DBK_IO, "the data directory's path is too long");
}

enum dbk_code note_read(const char *dir, const char *name, char *text, size_t size,
                        bool *there, struct dbk_error *err)
{
    char path[PATH_MAX];
    ssize_t length;
    int fd;

    *text = '\0';
    *there = false;
    if (make_path(dir, name, "", path, err) != DBK_OK)
        return DBK_IO;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? DBK_OK
                                                   : dbk_system_fail(err, "open", path);
    length = read(fd, text, size - 1);
    if (length < 0)
        dbk_system_fail(err, "read", path);
    close(fd);
    if (length < 0)
        return DBK_IO;
    *there = true;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return DBK_OK;
}

static enum dbk_code write_line(int fd, const char *line, const char *path,
                                struct dbk_error *err)
{
    enum dbk_code code = dbk_write_all(fd, line, strlen(line), path, err);

    return code == DBK_OK && *line ? dbk_write_all(fd, "\n", 1, path, err) : code;
}

/* What a run that was killed left of it is not written into, whatever it is. */
enum dbk_code note_write(const char *dir, const char *name, const char *line,
                         struct dbk_error *err)
{
    char path[PATH_MAX], tmp[PATH_MAX];
    enum dbk_code code = make_path(dir, name, "", path, err);
    int fd;

    if (code == DBK_OK)
        code = make_path(dir, name, ".tmp", tmp, err);
    if (code != DBK_OK)
        return code;
    unlink(tmp);
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "make", tmp);
    code = write_line(fd, line, tmp, err);
    if (code == DBK_OK)
        code = dbk_replace(fd, tmp, path, err);
    close(fd);
    if (code != DBK_OK)
        unlink(tmp);
    return code;
}
