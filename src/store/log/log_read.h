/* log_read.h - a read transaction on an open log. Private to the store. */
#ifndef DBK_STORE_LOG_READ_H
#define DBK_STORE_LOG_READ_H

#include "log_state.h"

/* Begin a read transaction and hold the gate; log_end_read ends both.
 * DBK_UNAVAILABLE, DBK_BUSY, DBK_IO. */
enum dbk_code log_begin_read(struct dbk_log *log, MDB_txn **txn, struct dbk_error *err);
void log_end_read(struct dbk_log *log, MDB_txn *txn);

/* With the gate held: the head as it was found last, and whether it still is that. */
bool log_head_is_known(struct dbk_log *log, uint64_t *head);

/* Copy bytes behind those that the batch has. False: no memory. */
bool log_batch_append(struct dbk_batch *batch, const void *bytes, size_t length);

#endif
