/* log_builder_private.h - what else can be poured into a log. Private to the store. */
#ifndef DBK_REFILL_PRIVATE_H
#define DBK_REFILL_PRIVATE_H

#include "environment.h"
#include "store/log_builder.h"

/* Take over the idempotency keys of another log that answer only for records up to the
 * refill's head. Damaged ones are left out: a log is worth more than they are. */
enum dbk_code dbk_refill_keys(struct dbk_refill *refill, MDB_txn *from,
                              const struct dbk_environment *environment,
                              struct dbk_error *err);

/* Remove the log that was begun in dir, and dir where it is empty then. */
void dbk_refill_remove(const char *dir);

#endif
