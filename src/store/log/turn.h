/* turn.h - the turn to write: one thread of the process at a time has it.
 *
 * The writer's thread, a lone submitter, or who applies what another copy appended. LMDB keeps
 * other processes out, once the transaction has begun.
 *
 * Private to the store.
 */
#ifndef DBK_STORE_TURN_H
#define DBK_STORE_TURN_H

#include "log_state.h"

/* With log->mutex held: take the turn where nobody has it or waits for it, nor is
 * gathered with. */
bool turn_try(struct dbk_log *log);

/* Wait for it: at most for what one has who has it now. DBK_UNAVAILABLE: the log is closing;
 * then it is not taken. */
enum dbk_code turn_wait(struct dbk_log *log, struct dbk_error *err);

/* Look after dead readers, where it is time, and give it back. */
void turn_give_back(struct dbk_log *log);

/* Having it, begin a write transaction on a file that is there and known to be on disk; a log
 * that was lost is opened again. On DBK_OK the thread is in the log (fault_watch.h). A
 * failure is counted and told. */
enum dbk_code turn_begin(struct dbk_log *log, MDB_txn **txn, struct dbk_error *err);

/* Having it: what the transaction met, an LMDB code, is counted and told, and is *err. */
void turn_failed(struct dbk_log *log, int rc, const char *doing, struct dbk_error *err);

/* Having it, commit a transaction that put the log's place, or took it away (NULL). What became
 * of a commit that failed, the place in the file tells. The thread is out of the log. Errors
 * as dbk_log_submit. */
enum dbk_code turn_commit(struct dbk_log *log, MDB_txn *txn,
                          const struct dbk_place *place, struct dbk_error *err);

/* Tell those who wait for records that there may be some. */
void turn_announce(struct dbk_log *log);

/* The last record that a power cut cannot take back any more. What is visible may be more
 * than that, where the disk failed, or whoever wrote was killed: then the turn is waited
 * for, and that is mended first. Of a log that is open for reading, the head.
 * DBK_UNAVAILABLE, DBK_IO, DBK_NO_ROOM. */
enum dbk_code turn_settled_head(struct dbk_log *log, uint64_t *head,
                                struct dbk_error *err);

#endif
