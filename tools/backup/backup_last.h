/* backup_last.h - DATA_DIR/last_backup: where and when the last backup was made, left there
 * for `daybook status`.
 *
 * One line: "head=N time=T store_id=ID path=PATH". For people, too.
 */
#ifndef DBK_TOOLS_BACKUP_LAST_H
#define DBK_TOOLS_BACKUP_LAST_H

#include "store/error.h"
#include "store/timestamp.h"
#include "store/uuid.h"

#include <limits.h>
#include <stdint.h>

struct backup_last {
    uint64_t head; /* the last record in it; 0: no backup is known */
    dbk_timestamp at;
    struct dbk_uuid store_id; /* of the log that was backed up */
    char path[PATH_MAX];
};

/* Leave it, durably, in place of what was there. DBK_IO, DBK_NO_ROOM. */
enum dbk_code backup_last_leave(const char *data_dir, const struct backup_last *last,
                                struct dbk_error *err);

/* Read it. Where there is none, or it is not of the form above: no backup is known. */
void backup_last_read(const char *data_dir, struct backup_last *last);

#endif
