/* backup_checkpoint.h - the newest checkpoint of a log, beside it in a backup: what tells, when
 * that is restored, whether it is the log that was signed. What signs is in no backup. */
#ifndef DBK_TOOLS_BACKUP_CHECKPOINT_H
#define DBK_TOOLS_BACKUP_CHECKPOINT_H

#include "command.h"
#include "store/proof/checkpoint.h"

#define BACKUP_CHECKPOINT "checkpoint" /* the file's name, in the backup's folder */

/* Read it, before the log is copied: so it is of no more records than the copy, where the log
 * has what was signed. Length 0: nothing was signed, or it cannot be read, which is said on
 * stderr. */
void backup_checkpoint_read(const struct tool *tool, struct dbk_signed_checkpoint *out);

/* Put it into the folder of a copy up to record head, in place of an older one; nothing where
 * there is none, or where it is of more records, which is said on stderr. DBK_IO,
 * DBK_NO_ROOM. */
enum dbk_code backup_checkpoint_put(const char *dir,
                                    const struct dbk_signed_checkpoint *checkpoint,
                                    uint64_t head, struct dbk_error *err);

/* Read what a backup has: *text, with a NUL behind, is the caller's; NULL: it has none, or err
 * says why not. DBK_DAMAGED: it is no file, such as a pipe, which would be waited for. Errors as
 * audit_file_read, too. */
enum dbk_code backup_checkpoint_find(const char *dir, char **text, size_t *length,
                                     struct dbk_error *err);

#endif
