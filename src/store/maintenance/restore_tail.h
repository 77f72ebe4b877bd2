/* restore_tail.h - goes on behind a backup with what a damaged log still has. Private to
 * the store. */
#ifndef DBK_STORE_RESTORE_TAIL_H
#define DBK_STORE_RESTORE_TAIL_H

#include "environment.h"
#include "store/log_builder.h"
#include "store/restore.h"
#include "store/verify.h"

struct restore_tail {
    const char *dir; /* the damaged log's */
    uint64_t to;     /* the last sequence to take; 0: all */
    MDB_txn *txn;    /* of the backup, which the builder was filled from to its end */
    const struct environment *backup;
    struct dbk_log_builder *builder;
    const struct dbk_verify_options *options; /* who is told how far it is */
};

/* Add what it has behind the builder's head, after seeing that records before that are the
 * backup's. out->gap and out->behind_gap are set. Errors as dbk_log_restore. */
enum dbk_code restore_tail_add(const struct restore_tail *tail,
                               struct dbk_restored *out, struct dbk_error *err);

#endif
