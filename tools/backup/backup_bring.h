/* backup_bring.h - an incremental backup: one that is there is brought up to the head. */
#ifndef DBK_TOOLS_BACKUP_BRING_H
#define DBK_TOOLS_BACKUP_BRING_H

#include "command.h"
#include "log_check.h"
#include "store/backup.h"

/* Bring the backup in the folder TO up to the head of DATA_DIR's log, as
 * dbk_log_backup_append does, and let its time say that it is of now. What is not right is
 * kept in check.
 *
 * DBK_CONFLICT  it is of another log or history; or another process adds to it
 * and as backup_check_place and dbk_log_backup_append
 */
enum dbk_code backup_bring(const struct tool *tool, const char *to,
                           struct dbk_backup_appended *appended,
                           struct log_check *check, struct progress *progress,
                           struct dbk_error *err);

#endif
