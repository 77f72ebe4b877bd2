#include "note.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dbk_code make_path(const char *dir, const char *name, char path[PATH_MAX],
                               struct dbk_error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX)
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
    if (make_path(dir, name, path, err) != DBK_OK)
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

enum dbk_code note_write(const char *dir, const char *name, const char *line,
                         struct dbk_error *err)
{
    size_t length = strlen(line);
    char path[PATH_MAX], *text;
    enum dbk_code code = make_path(dir, name, path, err);

    if (code != DBK_OK)
        return code;
    text = malloc(length + 1);
    if (!text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to write %s", path);
    memcpy(text, line, length);
    text[length] = '\n';
    code = dbk_write_file(path, 0600, text, *line ? length + 1 : 0, err);
    free(text);
    return code;
}
