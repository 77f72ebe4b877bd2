/* apply_private.h - one transaction of what other copies appended. Private to the store. */
#ifndef DBK_STORE_APPLY_PRIVATE_H
#define DBK_STORE_APPLY_PRIVATE_H

#include "log_state.h"
#include "store/replicated.h"

struct dbk_apply {
    struct dbk_log *log;
    MDB_txn *txn;
    uint64_t before; /* the head as it was found */
    uint64_t head;
    uint32_t checksum;    /* of the record there */
    int rc;               /* the first LMDB code it met */
    bool failed;          /* only dbk_apply_abort is left */
    MDB_cursor *cursor;   /* where the last record was put; NULL before the first */
    unsigned format;      /* the log is known to say that it has such records */
    dbk_timestamp latest; /* recorded_at of the last record applied; 0: none */
    unsigned appended[DBK_TYPE_COUNT];
    struct dbk_error why;
};

/* The last sequence, and that record's checksum; 0 for none. An LMDB code. */
int apply_find_end(MDB_txn *txn, const struct environment *environment, uint64_t *head,
                   uint32_t *checksum);

#endif
