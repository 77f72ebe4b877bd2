/* backup_entries.h - the backups that lie in a folder, newest first. */
#ifndef DBK_TOOLS_BACKUP_ENTRIES_H
#define DBK_TOOLS_BACKUP_ENTRIES_H

#include "command.h"
#include "progress.h"
#include "store/verify.h"

#include <limits.h>
#include <sys/types.h>
#include <time.h>

/* Whose backup one is. */
enum backup_of {
    BACKUP_OF_UNKNOWN, /* DATA_DIR has no log that could tell, or its end is damaged */
    BACKUP_OF_THIS,    /* of this log: the same id, and its last record is the log's */
    BACKUP_OF_OTHER,   /* of another log, or of another history of it */
};

struct backup_entry {
    char *path;           /* owned */
    struct timespec made; /* when it was made or brought up last */
    uint64_t bytes;
    ino_t inode; /* of its data.mdb */
    dev_t device;
    struct dbk_verify_result look; /* see dbk_log_backup_look */
    char wrong[256];               /* the first finding, or why it was not opened; "" */
    enum backup_of of;
};

struct backup_entries {
    struct backup_entry *list; /* owned */
    size_t count;
};

/* Find what looks like backups in the folder dir: folders that hold data.mdb, and beside it
 * nothing but lock.mdb, its checkpoint and its keys; not what is being made. dir itself, where it is
 * one. Nothing is opened. DBK_IO, DBK_NO_MEMORY. Finish it either way. */
enum dbk_code backup_entries_find(const char *dir, struct backup_entries *entries,
                                  struct dbk_error *err);
void backup_entries_finish(struct backup_entries *entries);

/* Look through each of them: all their records are read. In the end they are held against
 * DATA_DIR's log, whose threads must be the first. DBK_INTERRUPTED. */
enum dbk_code backup_entries_look(const struct tool *tool,
                                  struct backup_entries *entries,
                                  struct progress *progress, struct dbk_error *err);

#endif
