/* shipping.h - what the writer asks of a log that may be one of several copies.
 *
 * Private to the store; used by whoever has the turn to write, inside the write transaction.
 */
#ifndef DBK_STORE_SHIPPING_H
#define DBK_STORE_SHIPPING_H

#include "log_state.h"
#include "shared_keys.h"
#include "shipment_body.h"

/* One transaction. Zero it before; shipping_finish frees what it has. */
struct shipping {
    bool leads;          /* what it appends is shipped */
    bool shipped;        /* it was: the other copies have it, or will */
    struct dbk_place at; /* where the log is */
    uint32_t before;     /* the checksum of the record that is the last one now */
    struct shipment_body *body; /* where it is gathered; NULL: nowhere */
    struct shared_keys keys;    /* what goes with it */
};

/* The sentence for who would append to a log that follows. Returns DBK_NOT_LEADER. */
enum dbk_code shipping_refuse(struct dbk_error *err);

/* Before anything is decided: may this log be appended to? The file tells, whoever has made it
 * a copy. *refused receives DBK_NOT_LEADER where not, else it is left alone. An LMDB code. */
int shipping_begin(struct shipping *shipping, struct dbk_log *log, MDB_txn *txn,
                   struct dbk_error *refused);

/* Before the commit: ship what was gathered, which begins at this sequence, and put the place
 * behind it; or, where nothing was, confirm that the log leads. *refused receives why it must
 * not be committed:
 *
 *   DBK_IN_DOUBT  it may be with the other copies
 *   any other     nothing was shipped; DBK_NOT_LEADER: the log follows
 *
 * An LMDB code: shipping->shipped tells whether that was done before. */
int shipping_send(struct shipping *shipping, struct dbk_log *log, MDB_txn *txn,
                  uint64_t first, struct dbk_error *refused);

void shipping_finish(struct shipping *shipping);

/* What was shipped cannot be committed, or is in doubt: the log follows, and the shipper is
 * told. */
void shipping_lose(struct dbk_log *log, const struct dbk_error *why);

#endif
