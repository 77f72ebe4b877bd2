/* recover.h - after a failed commit: reopen, and find out what is true.
 *
 * When writing LMDB's meta page fails, the environment is dead (MDB_PANIC) and whether
 * the transaction is in the file is unknown. Only the file can tell. Private to the
 * store; called by whoever has the turn to write (writer.h).
 */
#ifndef DBK_STORE_RECOVER_H
#define DBK_STORE_RECOVER_H

#include "log_state.h"

/* Close and open the environment again (readers wait), and try one durable commit, so
 * that what is visible is known to be on disk. *committed tells whether the command's
 * first record is in the log as `sequence`; false where command is NULL.
 *
 * Where that commit fails too (the disk is still full) the log can be read, and what is
 * not visible was not committed, but what is visible may not last.
 *
 * DBK_IN_DOUBT  the outcome is unknown: it could not be reopened (log->usable is false
 * then), or the record is visible but may not be on disk
 */
enum dbk_code recover_log(struct dbk_log *log, const struct dbk_command *command,
                          uint64_t sequence, bool *committed, struct dbk_error *err);

#endif
