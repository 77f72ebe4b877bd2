/* log_builder.h - makes a log again from the bytes of its records, in order.
 *
 * For restoring from an export or a backup: the records keep sequence, time and bytes;
 * the indexes are made anew from them. The log gets a new store id, because what is
 * appended to it from then on is another history than the original's: read tables that
 * were posted from the original must not be taken for its own. Idempotency keys are not
 * in the records and are forgotten.
 */
#ifndef DBK_STORE_LOG_BUILDER_H
#define DBK_STORE_LOG_BUILDER_H

#include "store/error.h"
#include "store/keys.h"

#include <stddef.h>
#include <stdint.h>

struct dbk_log_builder; /* a log being filled; one thread at a time */

/* Begin filling directory dir, which must hold nothing or not exist. Nobody else may use
 * it until dbk_log_builder_finish. On failure what was begun in it is removed. Errors as
 * dbk_log_open; DBK_EXISTS: it holds records. */
enum dbk_code dbk_log_builder_open(const char *dir, struct dbk_log_builder **builder,
                                   struct dbk_error *err);

/* The same of a sealed log, by the ring of its keys, borrowed until the end; NULL: as above. The
 * indexes are made by what the keys open, and of whom the ring has none any more they say what
 * they say of an erased person. */
enum dbk_code dbk_log_builder_open_sealed(const char *dir, struct dbk_keys *keys,
                                          struct dbk_log_builder **builder,
                                          struct dbk_error *err);

/* Add the next record's bytes. They are copied; they are durable after
 * dbk_log_builder_finish.
 *
 * DBK_DAMAGED      they are no record, not the one that comes next, or contradict those
 *                  before (an event of a person who was never created)
 * DBK_UNSUPPORTED  of a newer format
 * DBK_CONFLICT     it is the first, and the ring is another log's
 * DBK_NO_ROOM, DBK_IO, DBK_UNAVAILABLE
 */
enum dbk_code dbk_log_builder_add(struct dbk_log_builder *builder, const char *bytes,
                                  size_t length, struct dbk_error *err);

/* The last sequence added. */
uint64_t dbk_log_builder_head(const struct dbk_log_builder *builder);

/* Make all of it durable and close. On failure, and with dbk_log_builder_abandon, what is
 * in the directory is of no use: remove it. Frees builder either way. */
enum dbk_code dbk_log_builder_finish(struct dbk_log_builder *builder,
                                     struct dbk_error *err);
void dbk_log_builder_abandon(struct dbk_log_builder *builder); /* NULL is fine */

/* Remove the log in dir, whole or half made, and dir where it is empty then. What cannot
 * be removed stays. */
void dbk_log_builder_remove(const char *dir);

#endif
