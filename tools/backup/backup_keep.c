#include "backup_keep.h"

#include "backup_checkpoint.h"
#include "backup_entries.h"
#include "backup_folder.h"
#include "backup_keys.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether what was looked at has not been changed or replaced since. */
static bool is_unchanged(const struct backup_entry *entry)
{
    char file[PATH_MAX + 16];
    struct stat status;

    snprintf(file, sizeof file, "%s/data.mdb", entry->path);
    return lstat(file, &status) == 0 && status.st_ino == entry->inode &&
           status.st_dev == entry->device &&
           status.st_mtim.tv_sec == entry->made.tv_sec &&
           status.st_mtim.tv_nsec == entry->made.tv_nsec;
}

static bool remove_file(const char *dir, const char *name)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return unlink(path) == 0 || errno == ENOENT;
}

/* Under the name of what is not whole, so that a kill in between leaves nothing that looks
 * like a backup. NULL, or why not. */
static const char *remove_claimed(const struct backup_entry *entry)
{
    char gone[PATH_MAX + 16];

    if (!is_unchanged(entry))
        return "it was changed meanwhile";
    snprintf(gone, sizeof gone, "%s.partial", entry->path);
    if (rename(entry->path, gone) != 0)
        return strerror(errno);
    backup_keys_remove(gone);
    if (!remove_file(gone, "data.mdb") || !remove_file(gone, "lock.mdb") ||
        !remove_file(gone, BACKUP_CHECKPOINT) ||
        !remove_file(gone, BACKUP_CHECKPOINT ".tmp") || rmdir(gone) != 0)
        return strerror(errno);
    return NULL;
}

static void remove_one(const struct backup_entry *entry,
                       const struct backup_keep_told *told)
{
    int claim = backup_folder_claim(entry->path);
    const char *why = claim < 0 ? "it is in use" : remove_claimed(entry);

    if (claim >= 0)
        close(claim);
    if (why)
        told->left(told->context, entry->path, why);
    else
        told->removed(told->context, entry->path);
}

static bool is_file(const struct backup_entry *entry, const struct stat *status)
{
    return entry->inode == status->st_ino && entry->device == status->st_dev;
}

/* Keys that TO lacks are never removed with the last backup that has them. */
static void remove_rest(const struct backup_entries *entries, size_t keep,
                        bool needs_keys, const struct stat *made,
                        const struct backup_keep_told *told)
{
    size_t kept = 1;

    for (size_t i = 0; i < entries->count; i++) {
        const struct backup_entry *entry = &entries->list[i];

        if (is_file(entry, made))
            continue;
        if (entry->of == BACKUP_OF_THIS && entry->look.whole) {
            bool for_keys = needs_keys && backup_keys_there(entry->path);

            needs_keys = needs_keys && !for_keys;
            if (kept++ < keep)
                continue;
            if (for_keys)
                told->kept(told->context, entry->path);
            else
                remove_one(entry, told);
        } else if (*entry->wrong)
            told->left(told->context, entry->path, entry->wrong);
    }
}

static enum dbk_code find_parent(const char *to, char parent[PATH_MAX],
                                 struct stat *made, struct dbk_error *err)
{
    char file[PATH_MAX + 16];
    char *slash;

    if (!realpath(to, parent))
        return dbk_fail(err, DBK_IO, "look at %s: %s", to, strerror(errno));
    snprintf(file, sizeof file, "%s/data.mdb", parent);
    if (lstat(file, made) != 0)
        return dbk_fail(err, DBK_IO, "look at %s: %s", file, strerror(errno));
    slash = strrchr(parent, '/');
    slash[slash == parent] = '\0';
    return DBK_OK;
}

enum dbk_code backup_keep(const struct tool *tool, const char *to, size_t keep,
                          const struct backup_keep_told *told,
                          struct progress *progress, struct dbk_error *err)
{
    struct backup_entries entries;
    char parent[PATH_MAX];
    struct stat made;
    enum dbk_code code = find_parent(to, parent, &made, err);

    if (code != DBK_OK)
        return code;
    code = backup_entries_find(parent, &entries, err);
    if (code == DBK_OK && entries.count > keep) {
        code = backup_entries_look(tool, &entries, progress, err);
        if (code == DBK_OK)
            remove_rest(&entries, keep, !backup_keys_there(to), &made, told);
    }
    backup_entries_finish(&entries);
    return code;
}
