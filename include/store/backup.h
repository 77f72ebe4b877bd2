/* backup.h - copies a log while it is written to. */
#ifndef DBK_STORE_BACKUP_H
#define DBK_STORE_BACKUP_H

#include "store/error.h"
#include "store/log.h"

#include <stdbool.h>

/* Copy the log, as it is at one moment, to the directory dir, which is made (0700) and
 * must not hold anything; compact leaves free pages out, which takes longer. File and
 * folder are synced. *head receives the last sequence in the copy. On failure what was
 * begun is removed. The original's file grows meanwhile, as for any long reader.
 *
 * DBK_EXISTS   dir holds something
 * DBK_NO_ROOM, DBK_IO, DBK_UNAVAILABLE
 */
enum dbk_code dbk_log_backup(struct dbk_log *log, const char *dir, bool compact,
                             uint64_t *head, struct dbk_error *err);

#endif
