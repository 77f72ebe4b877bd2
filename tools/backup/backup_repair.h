/* backup_repair.h - verify --repair-from: puts records back from a backup or an export. */
#ifndef DBK_TOOLS_BACKUP_REPAIR_H
#define DBK_TOOLS_BACKUP_REPAIR_H

#include "command.h"
#include "progress.h"
#include "store/repair.h"

#include <limits.h>

struct backup_repair {
    struct dbk_repaired done;
    char kept[PATH_MAX +
              16]; /* where the damaged file is kept; "": it was not replaced */
};

/* Put right what is damaged in DATA_DIR's log, from the backup, data directory or whole
 * export at `from`. Each damaged stretch is told on lines, unless that is NULL. An export is made
 * a log of first, in DATA_DIR/repair.tmp; a new log is built in DATA_DIR/log.tmp and
 * checked, and the damaged one kept as DATA_DIR/log.damaged. For a process with one thread.
 *
 * DBK_CONFLICT  a server runs on it; or `from` is of another history
 * and as dbk_log_repair_records, dbk_log_replace and export_reader_next
 */
enum dbk_code backup_repair_run(const struct tool *tool, const char *from,
                                struct progress *progress, FILE *lines,
                                struct backup_repair *out, struct dbk_error *err);

/* How it went: lines, or a member of a JSON object (also where repair is NULL), without
 * braces around it. */
void backup_repair_print(const struct backup_repair *repair, FILE *out);
void backup_repair_print_json(const struct backup_repair *repair, FILE *out);

#endif
