/* log_keys.h - what a sealed log does with its ring of keys. Private to the store.
 *
 * The log is the truth about who was erased: whichever ring it is opened with is brought up to
 * its erasures before anything else. Each function does nothing where the log is not sealed,
 * or open without a ring.
 */
#ifndef DBK_STORE_LOG_KEYS_H
#define DBK_STORE_LOG_KEYS_H

#include "log_state.h"

/* Take the ring of the options into use for the environment, which has just been opened.
 * Failures as dbk_log_open tells them. */
enum dbk_code log_keys_open(struct dbk_log *log, struct dbk_error *err);

/* Without it: seal what is submitted, as far as its keys are known, so that the turn need not.
 * What cannot be looked at now the turn seals, or refuses. */
void log_keys_seal(struct dbk_log *log, struct dbk_command *const *commands,
                   size_t count);

/* Having the turn, in its transaction: see that there are keys for all it may append, or that
 * they are shipped with it. Where the log is sealed and there is no ring that is
 * DBK_UNSUPPORTED. */
struct shipping;
enum dbk_code log_keys_ahead(struct dbk_log *log, MDB_txn *txn,
                             struct shipping *shipping, struct dbk_error *err);

/* Having the turn, behind its transaction, which appended the records behind `before`, up to
 * head, and a person.erased or events.expired among them or not: bind the ring to the log's first record, where
 * that was in it, and destroy the keys that the log says are destroyed. What fails is done by
 * the next, at the latest when the log is opened. */
enum dbk_code log_keys_settle(struct dbk_log *log, uint64_t before, uint64_t head,
                              bool erases, struct dbk_error *err);

/* Having the turn, where writing failed, or nobody writes: whether it would work by the ring,
 * and what log_keys_settle left is done. DBK_KEYS_AWAY, and as dbk_keys_erase. */
enum dbk_code log_keys_probe(struct dbk_log *log, struct dbk_error *err);

/* Why the ring gave no key a moment ago: DBK_KEYS_AWAY, or DBK_IO. */
enum dbk_code log_keys_why(const struct dbk_log *log, struct dbk_error *err);

/* Having the turn: nobody knows whether its transaction happened. The next one looks. */
void log_keys_doubt(struct dbk_log *log);

/* What an anonymous id is known by outside of the log's own indexes: of its hash, in a sealed
 * log of a tag of that, the first 16 bytes. False: no memory. Thread-safe. */
bool log_alias_id(const struct dbk_log *log, struct dbk_slice anonymous_id,
                  struct dbk_uuid *out);

#endif
