#include "shared_keys.h"

#include "apply_private.h"
#include "environment_meta.h"
#include "fault_watch.h"
#include "log_read.h"
#include "place.h"
#include "store/keys_share.h"
#include "store/little_endian.h"

#include <inttypes.h>
#include <string.h>

#define KEPT_AS "keys" /* u64, little-endian */

/* As dbk_keys_ahead: so many more than are needed, that few shipments have some; and no more
 * than leave a message within what Kafka takes. */
enum { STEP = 4096, MOST = 28000 };

static enum dbk_code fail(const struct dbk_log *log, int rc, struct dbk_error *err)
{
    return lmdb_fail(err, log->environment.env, rc, "find the keys that are shared");
}

static enum dbk_code ring_count(const struct dbk_log *log, uint64_t *count,
                                struct dbk_error *err)
{
    struct dbk_keys_state state;
    enum dbk_code code = dbk_keys_state(log->options.keys, &state, err);

    *count = state.count;
    return code;
}

static int find_kept(const struct dbk_log *log, MDB_txn *txn, uint64_t *shared)
{
    MDB_val value;
    int rc = place_kept(txn, &log->environment, KEPT_AS, &value);

    if (rc == 0 && value.mv_size != sizeof *shared)
        return MDB_CORRUPTED;
    if (rc == 0)
        *shared = dbk_get_le64(value.mv_data);
    return rc;
}

/* Up to which number all copies have the same keys: what is kept, or what a log that has no
 * place yet would begin with. */
static enum dbk_code find(const struct dbk_log *log, MDB_txn *txn, uint64_t *shared,
                          struct dbk_error *err)
{
    int rc = find_kept(log, txn, shared);

    if (rc == MDB_NOTFOUND)
        return ring_count(log, shared, err);
    return rc == 0 ? DBK_OK : fail(log, rc, err);
}

static enum dbk_code keep(const struct dbk_log *log, MDB_txn *txn, uint64_t shared,
                          struct dbk_error *err)
{
    char bytes[sizeof shared];
    int rc;

    dbk_put_le64(bytes, shared);
    rc = place_keep(txn, &log->environment, KEPT_AS,
                    (struct dbk_slice){bytes, sizeof bytes});
    return rc == 0 ? DBK_OK : fail(log, rc, err);
}

static bool has_keys(const struct dbk_log *log)
{
    return log->sealed && log->options.keys;
}

enum dbk_code shared_keys_begin(struct dbk_log *log, MDB_txn *txn,
                                struct dbk_error *err)
{
    uint64_t shared;
    enum dbk_code code;

    if (!has_keys(log))
        return DBK_OK;
    code = find(log, txn, &shared, err);
    return code == DBK_OK ? keep(log, txn, shared, err) : code;
}

enum dbk_code shared_keys_make(struct dbk_log *log, MDB_txn *txn,
                               struct shared_keys *out, struct dbk_error *err)
{
    uint64_t used, shared, needed;
    enum dbk_code code;
    int rc;

    *out = (struct shared_keys){NULL, 0};
    code = find(log, txn, &shared, err);
    if (code != DBK_OK)
        return code;
    rc = environment_get_mark(txn, &log->environment, ENVIRONMENT_KEY, &used);
    if (rc != 0)
        return fail(log, rc, err);
    if (shared >= used + DBK_KEYS_AHEAD)
        return DBK_OK;
    needed = used + DBK_KEYS_AHEAD + STEP - shared;
    return dbk_keys_parcel(log->options.keys, shared + 1,
                           (uint32_t)(needed < MOST ? needed : MOST), true, &out->bytes,
                           &out->length, err);
}

/* A ring that has the numbers was given those that the cluster has, for nothing else makes any:
 * in one of today, beside a log of before, they may be from behind a rotation, and the parcel
 * open by no master key any more. */
static enum dbk_code take(struct dbk_log *log, struct dbk_slice parcel, uint64_t used,
                          uint64_t last, struct dbk_error *err)
{
    enum dbk_code code = dbk_keys_take(log->options.keys, parcel, used, err);
    uint64_t there;

    if (code == DBK_UNAVAILABLE && ring_count(log, &there, NULL) == DBK_OK &&
        there >= last)
        return DBK_OK;
    return code;
}

enum dbk_code shared_keys_take(struct dbk_log *log, MDB_txn *txn,
                               struct dbk_slice parcel, struct dbk_error *err)
{
    uint64_t used, first;
    enum dbk_code code;
    uint32_t count;
    int rc;

    if (!log->sealed)
        return dbk_fail(err, DBK_CONFLICT,
                        "the log in %s is not sealed, and the other members' is: begin "
                        "with an empty data directory, or a backup of one of those",
                        log->dir);
    if (!log->options.keys)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the log is sealed, and is open without its ring of keys: "
                        "nothing can be applied to it");
    if (!dbk_parcel_look(parcel, &first, &count))
        return dbk_fail(err, DBK_DAMAGED, "what should be keys is none");
    rc = environment_get_mark(txn, &log->environment, ENVIRONMENT_KEY, &used);
    if (rc != 0)
        return fail(log, rc, err);
    code = take(log, parcel, used, first + count - 1, err);
    return code == DBK_OK ? keep(log, txn, first + count - 1, err) : code;
}

enum dbk_code shared_keys_check(struct dbk_log *log, MDB_txn *txn,
                                struct dbk_error *err)
{
    uint64_t shared, there;
    enum dbk_code code;
    int rc = find_kept(log, txn, &shared);

    if (rc == MDB_NOTFOUND)
        return DBK_OK;
    if (rc != 0)
        return fail(log, rc, err);
    code = ring_count(log, &there, err);
    if (code != DBK_OK || there >= shared)
        return code;
    return dbk_fail(err, DBK_CONFLICT,
                    "the ring of keys ends at %" PRIu64 ", and the log was given those "
                    "up to %" PRIu64 " by its cluster: put the newest copy there, or "
                    "one of another member (daybook keys backup)",
                    there, shared);
}

enum dbk_code dbk_apply_keys(struct dbk_apply *apply, struct dbk_slice parcel,
                             struct dbk_error *err)
{
    struct dbk_log *log = apply->log;
    enum dbk_code code;

    fault_enter(log->environment.env);
    code = shared_keys_take(log, apply->txn, parcel, err);
    fault_leave();
    apply->failed = code != DBK_OK;
    return code;
}

enum dbk_code dbk_log_parcel(struct dbk_log *log, uint64_t first, uint32_t most,
                             char **bytes, size_t *length, uint64_t *shared,
                             struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code;

    *bytes = NULL;
    *length = 0;
    *shared = 0;
    if (!log->sealed)
        return DBK_OK;
    if (!log->options.keys)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the log is sealed, and is open without its ring of keys");
    code = log_begin_read(log, &txn, err);
    if (code != DBK_OK)
        return code;
    code = find(log, txn, shared, err);
    log_end_read(log, txn);
    if (code != DBK_OK)
        return code;
    if (first > *shared)
        most = 0;
    else if (*shared - first + 1 < most)
        most = (uint32_t)(*shared - first + 1);
    return dbk_keys_parcel(log->options.keys, first, most, false, bytes, length, err);
}

void dbk_log_master_key(struct dbk_log *log, char out[DBK_KEYS_MASTER_TEXT + 1])
{
    struct dbk_keys_state state;

    out[0] = '\0';
    if (has_keys(log) && dbk_keys_state(log->options.keys, &state, NULL) == DBK_OK)
        memcpy(out, state.master_id, sizeof state.master_id);
}
