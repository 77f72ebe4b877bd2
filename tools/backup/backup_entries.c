#include "backup_entries.h"

#include "backup_checkpoint.h"
#include "backup_folder.h"
#include "backup_keys.h"
#include "store/backup.h"
#include "tool_data.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), behind = strlen(ending);

    return length >= behind && !strcmp(name + length - behind, ending);
}

/* What is being made or was left behind; and logs that are served. */
static bool is_excluded(const char *name)
{
    return name[0] == '.' || ends_with(name, ".partial") || ends_with(name, ".check") ||
           ends_with(name, ".tmp") || !strcmp(name, "log") ||
           !strcmp(name, "log.damaged");
}

static bool holds_a_log_alone(const char *path)
{
    static const char *const known[] = {".",
                                        "..",
                                        "data.mdb",
                                        "lock.mdb",
                                        BACKUP_CHECKPOINT,
                                        BACKUP_CHECKPOINT ".tmp",
                                        BACKUP_KEYS};
    bool found = false, foreign = false;
    struct dirent *entry;
    DIR *stream = opendir(path);

    if (!stream)
        return false;
    while ((entry = readdir(stream))) {
        bool is_known = false;

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || !strcmp(entry->d_name, known[i]);
        found = found || !strcmp(entry->d_name, "data.mdb");
        foreign = foreign || !is_known;
    }
    closedir(stream);
    return found && !foreign && backup_keys_alone(path);
}

/* Whether path is a folder of its own, no link to one, that holds a backup. */
static bool measure(const char *path, struct backup_entry *entry)
{
    char file[PATH_MAX + 16];
    struct stat status;

    *entry = (struct backup_entry){.path = NULL};
    if (lstat(path, &status) != 0 || !S_ISDIR(status.st_mode) ||
        !holds_a_log_alone(path))
        return false;
    snprintf(file, sizeof file, "%s/data.mdb", path);
    if (lstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    entry->made = status.st_mtim;
    entry->bytes = (uint64_t)status.st_size;
    entry->inode = status.st_ino;
    entry->device = status.st_dev;
    return true;
}

static enum dbk_code add(struct backup_entries *entries, const char *path,
                         struct dbk_error *err)
{
    struct backup_entry entry, *grown;

    if (!measure(path, &entry))
        return DBK_OK;
    grown = realloc(entries->list, (entries->count + 1) * sizeof *grown);
    if (grown)
        entries->list = grown;
    entry.path = strdup(path);
    if (!grown || !entry.path) {
        free(entry.path);
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    entries->list[entries->count++] = entry;
    return DBK_OK;
}

static int newest_first(const void *left, const void *right)
{
    const struct backup_entry *a = left, *b = right;

    if (a->made.tv_sec != b->made.tv_sec)
        return a->made.tv_sec < b->made.tv_sec ? 1 : -1;
    if (a->made.tv_nsec != b->made.tv_nsec)
        return a->made.tv_nsec < b->made.tv_nsec ? 1 : -1;
    return strcmp(b->path, a->path);
}

enum dbk_code backup_entries_find(const char *dir, struct backup_entries *entries,
                                  struct dbk_error *err)
{
    DIR *stream = opendir(dir);
    enum dbk_code code = DBK_OK;
    struct dirent *entry;
    char path[PATH_MAX];

    *entries = (struct backup_entries){.list = NULL};
    if (!stream)
        return dbk_fail(err, DBK_IO, "open %s: %s", dir, strerror(errno));
    if (holds_a_log_alone(dir))
        code = add(entries, dir, err);
    while (code == DBK_OK && (entry = readdir(stream))) {
        if (!is_excluded(entry->d_name) &&
            snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) < PATH_MAX)
            code = add(entries, path, err);
    }
    closedir(stream);
    if (entries->count > 0)
        qsort(entries->list, entries->count, sizeof *entries->list, newest_first);
    return code;
}

void backup_entries_finish(struct backup_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->list[i].path);
    free(entries->list);
    *entries = (struct backup_entries){.list = NULL};
}

static void keep_first(void *context, uint64_t sequence, const char *text)
{
    struct backup_entry *entry = context;

    if (!*entry->wrong)
        snprintf(entry->wrong, sizeof entry->wrong, "record %llu: %s",
                 (unsigned long long)sequence, text);
}

static enum dbk_code look(struct backup_entry *entry, struct progress *progress,
                          struct dbk_error *err)
{
    const struct dbk_verify_options options = {.finding = keep_first,
                                               .context = entry,
                                               .watch = progress_watch(progress, NULL)};
    struct backup_folder folder;
    enum dbk_code code;

    backup_folder_enter(&folder, entry->path);
    code = dbk_log_backup_look(entry->path, &options, &entry->look, err);
    backup_folder_leave(&folder);
    progress_clear(progress);
    if (code == DBK_OK || code == DBK_INTERRUPTED)
        return code;
    entry->look.whole = false;
    snprintf(entry->wrong, sizeof entry->wrong, "%.250s", err->text);
    return DBK_OK;
}

static enum backup_of whose(struct dbk_log *log, const struct backup_entry *entry)
{
    struct dbk_uuid store_id = dbk_log_store_id(log);
    uint32_t checksum;

    if (entry->look.last == 0)
        return BACKUP_OF_UNKNOWN;
    if (!dbk_uuid_equal(&store_id, &entry->look.store_id))
        return BACKUP_OF_OTHER;
    switch (dbk_log_checksum(log, entry->look.last, &checksum, NULL)) {
    case DBK_OK:
        return checksum == entry->look.last_checksum ? BACKUP_OF_THIS : BACKUP_OF_OTHER;
    case DBK_NOT_FOUND: /* the log was put back, or lost its tail */
        return BACKUP_OF_OTHER;
    default:
        return BACKUP_OF_UNKNOWN;
    }
}

enum dbk_code backup_entries_look(const struct tool *tool,
                                  struct backup_entries *entries,
                                  struct progress *progress, struct dbk_error *err)
{
    struct dbk_log *log;

    for (size_t i = 0; i < entries->count; i++) {
        if (look(&entries->list[i], progress, err) != DBK_OK)
            return err->code;
    }
    if (tool_log_open(tool, &log, err) != DBK_OK) /* then nobody can tell */
        return DBK_OK;
    for (size_t i = 0; i < entries->count; i++)
        entries->list[i].of = whose(log, &entries->list[i]);
    dbk_log_close(log);
    return DBK_OK;
}
