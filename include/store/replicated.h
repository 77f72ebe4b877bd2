/* replicated.h - a log that is one of several copies.
 *
 * Its copies share a stream of messages, kept by somebody else: of which kind is not known
 * here. One copy leads: what it appends is shipped into the stream before it is committed. All
 * others follow: they apply what the stream has. So all have the same records, byte for byte,
 * under the same sequences, and the same idempotency keys.
 *
 * Where in the stream a copy is, its place, is kept in its file, and changes in the
 * transaction of the records: whoever copies the file has a copy at that place. A log with a
 * place is appended to by its leader alone; every other process is refused (DBK_NOT_LEADER).
 */
#ifndef DBK_STORE_REPLICATED_H
#define DBK_STORE_REPLICATED_H

#include "store/log.h"
#include "store/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Offsets are those of messages in the stream: they begin at 0 and rise. */
struct dbk_place {
    int64_t next;   /* of the first message that is not applied */
    int64_t epoch;  /* of the latest opening before that; -1: none */
    int64_t reseed; /* of the latest opening that put the stream right; -1: none */
};

enum dbk_log_role {
    DBK_LOG_ALONE,   /* it has no place: one machine, no copies */
    DBK_LOG_FOLLOWS, /* as every log with a place until it is told to lead */
    DBK_LOG_LEADS,
};

/* Where the log is. DBK_NOT_FOUND: it has no place. DBK_IO, DBK_UNAVAILABLE, DBK_DAMAGED. */
enum dbk_code dbk_log_place(struct dbk_log *log, struct dbk_place *place,
                            struct dbk_error *err);

/* Give the log a place, or another one, without a record: it follows from then on. NULL takes
 * it away: it is alone. Waits for the turn to write. As dbk_log_submit but for verdicts. */
enum dbk_code dbk_log_put_place(struct dbk_log *log, const struct dbk_place *place,
                                struct dbk_error *err);

enum dbk_log_role dbk_log_role(struct dbk_log *log); /* waits for nobody */

/* The body of a shipment is no larger. A submission that alone would be is refused with
 * DBK_TOO_LARGE; several that together would be are shipped one after the other. */
#define DBK_SHIPMENT_MAX ((size_t)15 << 20)

struct dbk_apply; /* one transaction, see below */

/* What one transaction appends. Borrowed for the call. */
struct dbk_shipment {
    uint64_t first; /* the sequence of its first record */
    uint32_t
        count; /* of records; 0: it is keys only, of what changed nothing, and first is
                       the head + 1 */
    uint32_t
        before; /* the checksum of record first - 1 (dbk_log_checksum); 0 for none */
    struct dbk_slice body; /* records and keys, as dbk_apply_batch takes them */
    struct dbk_slice
        keys; /* of a sealed log: those that the copies are to have in their
                              rings, for dbk_apply_keys; or length 0 */
    /* Of this transaction, for dbk_apply_keep alone, inside the call: what lies in the stream
     * before this shipment, and behind the place. NULL from dbk_log_shipment. */
    struct dbk_apply *apply;
};

/* How a leader's records reach the other copies. Called by whoever has the turn to write,
 * one call at a time. */
struct dbk_shipper {
    void *context;
    /* Ship it and wait until the other copies will have it; *after receives the place behind
     * it. `at` is the place before.
     *
     * DBK_NOT_LEADER   another leads by now: it is void, and will be nowhere. The log follows
     *                  from then on
     * DBK_UNAVAILABLE  it was not sent
     * DBK_IN_DOUBT     it may be in the stream or not. The log follows from then on; once that
     *                  is known, dbk_log_settle
     */
    enum dbk_code (*ship)(void *context, const struct dbk_shipment *shipment,
                          const struct dbk_place *at, struct dbk_place *after,
                          struct dbk_error *err);
    /* Nothing is to be appended, but something is refused, or answered by a key: whether the
     * stream ends at this place still. DBK_NOT_LEADER (the log follows from then on),
     * DBK_UNAVAILABLE. */
    enum dbk_code (*confirm)(void *context, const struct dbk_place *at,
                             struct dbk_error *err);
    /* The log follows from now on, by itself: for it could not commit what was shipped, or is
     * in doubt. Called with the turn: it may not call the log. May be NULL. */
    void (*lost)(void *context, const struct dbk_error *why);
};

/* Lead from now on: what is submitted is shipped. The log has a place. *shipper is copied; its
 * context is used until dbk_log_follow returns, or dbk_log_close. Waits for the turn. */
void dbk_log_lead(struct dbk_log *log, const struct dbk_shipper *shipper);

/* Follow from now on. Waits for the turn, so nothing is being shipped when it returns. What is
 * queued is refused. */
void dbk_log_follow(struct dbk_log *log);

/* The submissions whose shipping was in doubt, or that were shipped and not committed, wait
 * for this: known, the log has applied the stream beyond where they could be, and each is told
 * its verdicts, or DBK_NOT_LEADER where it is not there; else, DBK_IN_DOUBT. They wait no
 * longer than dbk_log_options.held_ms anyway. Waits for the turn. */
void dbk_log_settle(struct dbk_log *log, bool known);

/* Applying what the stream has: one transaction, by one thread. */

/* Wait for the turn to write, and begin. *place receives where the log is, *head its last
 * sequence, and *checksum that record's (0 for none). End it by dbk_apply_commit or
 * dbk_apply_abort, soon: nobody can append meanwhile.
 *
 * DBK_CONFLICT  the log has no place
 * and as dbk_log_submit
 */
enum dbk_code dbk_log_apply_begin(struct dbk_log *log, struct dbk_apply **apply,
                                  struct dbk_place *place, uint64_t *head,
                                  uint32_t *checksum, struct dbk_error *err);

/* Append the records of a shipment's body, and keep its keys. *head and *checksum receive what
 * they are then. After a failure only dbk_apply_abort is left.
 *
 * DBK_DAMAGED      it is not of the shape below, a record does not match its checksum, or is not
 *                  the one that comes next, or contradicts those before
 * DBK_UNSUPPORTED  a record of a newer format
 * DBK_NO_ROOM, DBK_IO, DBK_NO_MEMORY
 *
 * The body, little-endian: `count` times u32 the length of the record with its checksum, as it
 * stands in the log (log_value.h), and its bytes; then, until it ends, for each idempotency key
 * u32 the length of what is kept under it, 32 bytes of key, and that.
 */
enum dbk_code dbk_apply_batch(struct dbk_apply *apply, uint64_t first, uint32_t count,
                              struct dbk_slice body, uint64_t *head, uint32_t *checksum,
                              struct dbk_error *err);

/* Take keys of a shipment into the ring of a sealed log, before its records are appended; they
 * are on disk when it returns. After a failure only dbk_apply_abort is left.
 *
 * DBK_CONFLICT  the log is not sealed
 * and as dbk_keys_take */
enum dbk_code dbk_apply_keys(struct dbk_apply *apply, struct dbk_slice keys,
                             struct dbk_error *err);

/* Hold the records of a body, which the log has already, against its own, by their checksums.
 * DBK_CONFLICT: one is another; err names it. DBK_DAMAGED as above. */
enum dbk_code dbk_apply_compare(struct dbk_apply *apply, uint64_t first, uint32_t count,
                                struct dbk_slice body, struct dbk_error *err);

/* Where the log has some of the records, or all, hold those as dbk_apply_compare does, append
 * the others as dbk_apply_batch does, and keep the keys. Errors of both. */
enum dbk_code dbk_apply_overlap(struct dbk_apply *apply, uint64_t first, uint32_t count,
                                struct dbk_slice body, uint64_t *head,
                                uint32_t *checksum, struct dbk_error *err);

/* Keep something else that the copies share, under a name of at most 32 characters; it is in
 * the file. dbk_log_kept copies it into the batch: DBK_NOT_FOUND where there is none. */
enum dbk_code dbk_apply_keep(struct dbk_apply *apply, const char *name,
                             struct dbk_slice bytes, struct dbk_error *err);
enum dbk_code dbk_log_kept(struct dbk_log *log, const char *name,
                           struct dbk_batch *batch, struct dbk_slice *bytes,
                           struct dbk_error *err);

/* Make it durable, with the place. Frees apply either way. As dbk_log_submit. */
enum dbk_code dbk_apply_commit(struct dbk_apply *apply, const struct dbk_place *place,
                               struct dbk_error *err);
void dbk_apply_abort(struct dbk_apply *apply); /* NULL is fine */

/* The body of the records after `after`, at most max_bytes of them and at least one, as it was
 * shipped, but without keys: for sending them again. bytes receives it, owned by the batch;
 * *shipment is filled in and points there; count 0: there are none. As dbk_log_read. */
enum dbk_code dbk_log_shipment(struct dbk_log *log, uint64_t after, size_t max_bytes,
                               struct dbk_batch *batch, struct dbk_shipment *shipment,
                               struct dbk_error *err);

/* The same of the keys of a sealed log, which are not in its records: a parcel, malloc'd
 * (keys_share.h), of those from the number `first` on that all copies have, at most `most`, or
 * none; *shared receives up to which number they have them. *bytes is NULL where the log is
 * not sealed. As dbk_keys_parcel; DBK_UNSUPPORTED: it is open without its ring. */
enum dbk_code dbk_log_parcel(struct dbk_log *log, uint64_t first, uint32_t most,
                             char **bytes, size_t *length, uint64_t *shared,
                             struct dbk_error *err);

/* Which master key the ring of a sealed log is wrapped by, of which all copies have the same but
 * while it is rotated: dbk_keys_state's master_id; "" where it is not sealed, or the ring away. */
void dbk_log_master_key(struct dbk_log *log, char out[DBK_KEYS_MASTER_TEXT + 1]);

#endif
