/* backup_check.h - reads again what was appended to a backup. Private to the store. */
#ifndef DBK_STORE_BACKUP_CHECK_H
#define DBK_STORE_BACKUP_CHECK_H

#include "environment.h"
#include "store/verify.h"

/* A log, and a backup that was brought up to it. */
struct backup_check {
    const struct environment *log, *backup;
    MDB_txn *log_txn, *backup_txn;
    bool same_head; /* both end with the same record, so their indexes say the same */
    const struct dbk_verify_options *options; /* who is told */
    uint64_t findings;
};

/* Hold the records behind `after` up to and with `head` against the log's: each is there,
 * whole, and the very bytes; and with same_head the entries of the persons, emails and
 * events that they are about. Returns 0 or an LMDB code. */
int backup_check_run(struct backup_check *check, uint64_t after, uint64_t head);

#endif
