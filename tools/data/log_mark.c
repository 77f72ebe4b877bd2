#include "log_mark.h"

#include "note.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum dbk_code log_mark_read(const char *dir, enum log_mark *mark,
                            char id[DBK_UUID_TEXT + 1], struct dbk_error *err)
{
    bool there;

    *mark = LOG_MARK_NONE;
    if (note_read(dir, LOG_MARK_NAME, id, DBK_UUID_TEXT + 1, &there, err) != DBK_OK)
        return DBK_IO;
    if (there)
        *mark = *id ? LOG_MARK_MADE : LOG_MARK_NEW;
    return DBK_OK;
}

enum dbk_code log_mark_prepare(const char *dir, bool anew, struct dbk_error *err)
{
    char path[PATH_MAX];
    int fd;

    if (anew)
        return note_write(dir, LOG_MARK_NAME, "", err);
    if (snprintf(path, sizeof path, "%s/" LOG_MARK_NAME, dir) >= (int)sizeof path)
        return dbk_fail(err, DBK_IO, "the data directory's path is too long");
    /* Who comes at the same time may have made a log by now: its id stays. */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", path);
    close(fd);
    return dbk_sync_parent(path, err);
}

enum dbk_code log_mark_set(const char *dir, const struct dbk_uuid *store_id,
                           char before[DBK_UUID_TEXT + 1], struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1];
    enum log_mark mark;

    dbk_uuid_format(store_id, id);
    if (log_mark_read(dir, &mark, before, err) != DBK_OK)
        return DBK_IO;
    if (!strcmp(before, id)) {
        *before = '\0';
        return DBK_OK;
    }
    return note_write(dir, LOG_MARK_NAME, id, err);
}
