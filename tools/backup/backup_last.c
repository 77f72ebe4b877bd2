#include "backup_last.h"

#include "note.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME "last_backup"
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
    char path[PATH_MAX], line[LINE_MAX_BYTES];
    char at[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];

    copy_path(last->path, path);
    dbk_timestamp_format(last->at, at);
    dbk_uuid_format(&last->store_id, id);
    snprintf(line, sizeof line, "head=%" PRIu64 " time=%s store_id=%s path=%s",
             last->head, at, id, path);
    return note_write(data_dir, NAME, line, err);
}

void backup_last_read(const char *data_dir, struct backup_last *last)
{
    char line[LINE_MAX_BYTES], at[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];
    struct backup_last found = {0};
    bool there;
    int path = 0;

    *last = found;
    if (note_read(data_dir, NAME, line, sizeof line, &there, NULL) != DBK_OK ||
        sscanf(line, "head=%" SCNu64 " time=%26s store_id=%36s path=%n", &found.head,
               at, id, &path) != 3 ||
        path == 0 || !dbk_timestamp_parse(at, strlen(at), &found.at) ||
        !dbk_uuid_parse(id, strlen(id), &found.store_id))
        return;
    snprintf(found.path, sizeof found.path, "%s", line + path);
    *last = found;
}
