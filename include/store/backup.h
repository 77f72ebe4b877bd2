/* backup.h - copies a log while it is written to. */
#ifndef DBK_STORE_BACKUP_H
#define DBK_STORE_BACKUP_H

#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_backup_options {
    bool compact;           /* leave free pages out, which takes longer */
    struct dbk_watch watch; /* told of MiB; the copy may end well before the total */
};

/* Copy the log in directory source, as it is at one moment and beside whoever uses it, to
 * the directory dir, which is made (0700) and must not hold anything. File and folder are
 * synced. On failure what was begun is removed. The original's file grows meanwhile, as
 * for any long reader. Copying happens in a child process: for processes that have no
 * other threads.
 *
 * DBK_EXISTS       dir holds something
 * DBK_INTERRUPTED  the watch said stop
 * DBK_DAMAGED      the log's file is; without compact the copy is damaged too, as a rule
 * DBK_NOT_FOUND, DBK_UNSUPPORTED  there is no log in source that can be opened
 * DBK_NO_ROOM, DBK_IO
 */
enum dbk_code dbk_log_backup(const char *source, const char *dir,
                             const struct dbk_backup_options *options,
                             struct dbk_error *err);

#endif
