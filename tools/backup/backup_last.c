#include "backup_last.h"

#include "store/durable.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES (PATH_MAX + 160)

/* A line has one line break, whatever a path has. */
static void copy_path(const char *path, char out[PATH_MAX])
{
    size_t i;

    for (i = 0; path[i] && i + 1 < PATH_MAX; i++)
        out[i] = path[i] == '\n' ? '?' : path[i];
    out[i] = '\0';
}

enum dbk_code backup_last_leave(const char *data_dir, const struct backup_last *last,
                                struct dbk_error *err)
{
    char file[PATH_MAX + 32], tmp[PATH_MAX + 32], path[PATH_MAX], line[LINE_MAX_BYTES];
    char at[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];
    enum dbk_code code;
    int fd;

    snprintf(file, sizeof file, "%.*s/last_backup", PATH_MAX, data_dir);
    snprintf(tmp, sizeof tmp, "%.*s/last_backup.tmp", PATH_MAX, data_dir);
    copy_path(last->path, path);
    dbk_timestamp_format(last->at, at);
    dbk_uuid_format(&last->store_id, id);
    snprintf(line, sizeof line, "head=%" PRIu64 " time=%s store_id=%s path=%s\n",
             last->head, at, id, path);
    unlink(tmp); /* of a run that was killed; whatever it is, it is not written into */
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "make", tmp);
    code = dbk_write_all(fd, line, strlen(line), tmp, err);
    if (code == DBK_OK)
        code = dbk_replace(fd, tmp, file, err);
    close(fd);
    if (code != DBK_OK)
        unlink(tmp);
    return code;
}

static bool read_line(const char *data_dir, char line[LINE_MAX_BYTES])
{
    char file[PATH_MAX + 32];
    ssize_t length;
    int fd;

    snprintf(file, sizeof file, "%.*s/last_backup", PATH_MAX, data_dir);
    fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    length = read(fd, line, LINE_MAX_BYTES - 1);
    close(fd);
    if (length <= 0)
        return false;
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return true;
}

void backup_last_read(const char *data_dir, struct backup_last *last)
{
    char line[LINE_MAX_BYTES], at[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];
    struct backup_last found = {0};
    int path = 0;

    *last = found;
    if (!read_line(data_dir, line) ||
        sscanf(line, "head=%" SCNu64 " time=%26s store_id=%36s path=%n", &found.head,
               at, id, &path) != 3 ||
        path == 0 || !dbk_timestamp_parse(at, strlen(at), &found.at) ||
        !dbk_uuid_parse(id, strlen(id), &found.store_id))
        return;
    snprintf(found.path, sizeof found.path, "%s", line + path);
    *last = found;
}
