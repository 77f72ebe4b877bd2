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

/* Over the records after one, where they lie: a read transaction is open from begin to end,
 * so nothing is waited for in between. */
struct log_walk {
    uint64_t sequence; /* of the record that next has found */
    const char
        *bytes; /* as log_value.h has them, valid until end; NULL: it found none yet */
    size_t size;

    struct dbk_log *log; /* private, as what follows */
    MDB_txn *txn;
    MDB_cursor *cursor;
    size_t touched;
};
/* DBK_OK is to be ended; else as log_begin_read. */
enum dbk_code log_walk_begin(struct dbk_log *log, uint64_t after, struct log_walk *walk,
                             struct dbk_error *err);
/* DBK_NOT_FOUND (err is left alone): there are no more. DBK_DAMAGED (a gap), DBK_IO. */
enum dbk_code log_walk_next(struct log_walk *walk, struct dbk_error *err);
void log_walk_end(struct log_walk *walk);

/* Copy bytes behind those that the batch has. False: no memory. */
bool log_batch_append(struct dbk_batch *batch, const void *bytes, size_t length);

#endif
