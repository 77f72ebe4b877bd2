/* backup_keep.h - how many backups are kept: older ones beside the one just made go. */
#ifndef DBK_TOOLS_BACKUP_KEEP_H
#define DBK_TOOLS_BACKUP_KEEP_H

#include "command.h"
#include "progress.h"

/* Told of a folder that was removed; of one that should have been, and why it was not; and of
 * the one that is kept for its keys. Borrowed for the call. */
struct backup_keep_told {
    void (*removed)(void *context, const char *path);
    void (*left)(void *context, const char *path, const char *why);
    void (*kept)(void *context, const char *path);
    void *context;
};

/* Of the backups in the folder that TO, just made and right, lies in, keep the `keep`
 * newest that are whole and of DATA_DIR's log, TO being one of them, and remove the rest of
 * those; but where TO has no ring of keys, not the newest that has one. What is not whole, of another log or history, in use, or has anything else in its
 * folder, is neither counted nor removed. Where there are no more than `keep` none is
 * opened; else all their records are read.
 *
 * DBK_INTERRUPTED, DBK_IO, DBK_NO_MEMORY: some may have been removed
 */
enum dbk_code backup_keep(const struct tool *tool, const char *to, size_t keep,
                          const struct backup_keep_told *told,
                          struct progress *progress, struct dbk_error *err);

#endif
