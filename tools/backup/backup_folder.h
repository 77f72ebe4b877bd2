/* backup_folder.h - a backup's folder in use: who adds to it, and its lock.mdb.
 *
 * LMDB lets a reader and a writer work beside each other by lock.mdb, which whoever comes
 * first makes. A backup that nobody uses has none, so that its folder is as it was made;
 * but taking it away from under others would let a writer use pages again that they read.
 * So each user of the folder locks it shared, and the last one takes lock.mdb away.
 */
#ifndef DBK_TOOLS_BACKUP_FOLDER_H
#define DBK_TOOLS_BACKUP_FOLDER_H

#include "store/error.h"

#include <limits.h>
#include <stdbool.h>

/* The folder of the log that is meant by a path: a backup; a data directory, whose log is
 * one below; or data.mdb itself. It need not be there. False: the path is too long. */
bool backup_folder_find(const char *path, char out[PATH_MAX]);

struct backup_folder {
    int use, write; /* -1: not locked */
    bool had_lock;
    char lock[PATH_MAX + 16];
};

/* Begin to use the log in the folder at path, for reading. It never fails: a file system
 * without locks has no other users that could be seen. */
void backup_folder_enter(struct backup_folder *folder, const char *path);

/* The same to add to it, which one process at a time does. DBK_CONFLICT: another does.
 * End it with backup_folder_leave only where this succeeded. */
enum dbk_code backup_folder_enter_to_write(struct backup_folder *folder,
                                           const char *path, struct dbk_error *err);

/* End it. lock.mdb is removed where it was not there before, and nobody else uses it. */
void backup_folder_leave(struct backup_folder *folder);

/* Lock the folder for oneself alone, to remove it; -1: somebody uses it. Close it. */
int backup_folder_claim(const char *path);

#endif
