/* log_builder_private.h - what else can be poured into a log. Private to the store. */
#ifndef DBK_STORE_LOG_BUILDER_PRIVATE_H
#define DBK_STORE_LOG_BUILDER_PRIVATE_H

#include "environment.h"
#include "store/log_builder.h"

/* Take over the idempotency keys of another log that answer only for records up to the
 * builder's head. Damaged ones are left out: a log is worth more than they are. */
enum dbk_code log_builder_take_keys(struct dbk_log_builder *builder, MDB_txn *from,
                                    const struct environment *environment,
                                    struct dbk_error *err);

/* Give the log another's id, instead of the new one that it was begun with: for one that is
 * that log again, whole. */
enum dbk_code log_builder_name(struct dbk_log_builder *builder,
                               const struct dbk_uuid *store_id, struct dbk_error *err);

/* Make it the member of a cluster that another log is: its id, its place there and what else
 * the members share, for a log that is that one again, whole. DBK_INVALID: it is none. */
enum dbk_code log_builder_join(struct dbk_log_builder *builder, MDB_txn *from,
                               const struct environment *environment,
                               struct dbk_error *err);

#endif
