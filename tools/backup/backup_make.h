/* backup_make.h - a whole backup: a copy of the log in a folder that appears when it has
 * been checked. */
#ifndef DBK_TOOLS_BACKUP_MAKE_H
#define DBK_TOOLS_BACKUP_MAKE_H

#include "backup_keys.h"
#include "command.h"
#include "log_check.h"

#include <limits.h>

/* Copy the log of DATA_DIR to TO.partial, check the copy, put its keys beside it, and give it
 * its name. With
 * findings the log is damaged, and so is the copy, which is kept.
 *
 * DBK_INVALID   it may not lie there
 * DBK_EXISTS    there is something in TO already
 * DBK_CONFLICT  another process makes it
 * and as dbk_log_backup and dbk_log_verify; nothing is left behind then
 */
enum dbk_code backup_make(const struct tool *tool, const char *to,
                          struct log_check *check, struct backup_keys *keys,
                          struct progress *progress, struct dbk_error *err);

/* Whether nothing is there yet, or an empty folder. */
bool backup_is_new(const char *to);

/* That it is not in the log's own folder, nor the log itself, which has no other files:
 * what is in it goes with it. DBK_INVALID. */
enum dbk_code backup_check_place(const struct tool *tool, const char *to,
                                 struct dbk_error *err);

/* dir with the ending behind its name, also where slashes follow that. False: the path is
 * too long. */
bool backup_name_beside(const char *dir, const char *ending, char out[PATH_MAX]);

#endif
