#include "log_bind.h"

#include "environment_meta.h"
#include "index.h"
#include "log_value.h"
#include "sealed.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* Of a ring of other keys the first tells; of one whose keys are all destroyed none ever does,
 * and then it is as good as any. */
enum { LOOKED_AT = 100000 };

static enum dbk_code read_fail(const struct environment *environment, int rc,
                               struct dbk_error *err)
{
    return lmdb_fail(err, environment->env, rc, "read the log");
}

/* *told: it says whether the ring is the log's, and opened which. */
static enum dbk_code look(const struct environment *environment, const char *bytes,
                          size_t size, char *room, bool *told, bool *opened)
{
    uint8_t key[DBK_KEY_BYTES];
    struct dbk_record record;
    bool expired;
    size_t length;
    enum dbk_code code;

    *told = false;
    if (!log_value_check(bytes, size, &length) ||
        dbk_record_decode(bytes, length, &record, NULL) != DBK_OK ||
        record.sealed.length == 0)
        return DBK_OK; /* whoever reads a damaged one is told */
    code = sealed_record_key(environment->keys, &record, key, &expired, NULL);
    if (code != DBK_OK) /* erased, damaged, or the ring ends before: it says nothing */
        return code == DBK_KEYS_AWAY || code == DBK_IO ? code : DBK_OK;
    *told = true;
    *opened = dbk_record_open(&record, key, room, NULL) == DBK_OK;
    sealed_wipe(key);
    return DBK_OK;
}

static enum dbk_code search(const struct environment *environment, MDB_txn *txn,
                            char *room, bool *other, struct dbk_error *err)
{
    bool told = false, opened = true;
    enum dbk_code code = DBK_OK;
    uint64_t head;
    int rc = index_head(txn, environment, &head);

    for (uint64_t at = 1;
         rc == 0 && code == DBK_OK && !told && at <= head && at <= LOOKED_AT; at++) {
        MDB_val key = {sizeof at, &at}, value;

        rc = mdb_get(txn, environment->log, &key, &value);
        if (rc == 0)
            code =
                look(environment, value.mv_data, value.mv_size, room, &told, &opened);
    }
    *other = told && !opened;
    if (rc != 0)
        return read_fail(environment, rc, err);
    return code == DBK_OK ? DBK_OK
                          : dbk_fail(err, code, "the ring of keys cannot be read");
}

/* A ring that names no log would be taken for this one's: every name would be told as damaged,
 * and who is new would be sealed with keys of both. */
static enum dbk_code check_unbound(const struct environment *environment, MDB_txn *txn,
                                   struct dbk_error *err)
{
    char *room = malloc(DBK_RECORD_MAX);
    enum dbk_code code;
    bool other = false;

    if (!room)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to look at a record");
    code = search(environment, txn, room, &other, err);
    free(room);
    if (code != DBK_OK || !other)
        return code;
    return dbk_fail(err, DBK_CONFLICT,
                    "the ring of keys does not open this log: it is a new one, or "
                    "another log's; put this one's there, or its newest copy");
}

/* *known: the first record can say whose it is. */
static enum dbk_code hash_first(const struct environment *environment, MDB_txn *txn,
                                uint8_t first[DBK_KEYS_FIRST_BYTES], bool *known,
                                struct dbk_error *err)
{
    uint64_t sequence = 1;
    MDB_val key = {sizeof sequence, &sequence}, value;
    size_t length;
    int rc = mdb_get(txn, environment->log, &key, &value);

    *known = rc == 0 && log_value_check(value.mv_data, value.mv_size, &length);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return read_fail(environment, rc, err);
    if (*known &&
        EVP_Digest(value.mv_data, length, first, NULL, EVP_sha256(), NULL) != 1)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to hash a record");
    return DBK_OK;
}

enum dbk_code log_bind(const struct environment *environment, MDB_txn *txn, bool bound,
                       struct dbk_error *err)
{
    uint8_t first[DBK_KEYS_FIRST_BYTES];
    bool known;
    enum dbk_code code = bound ? DBK_OK : check_unbound(environment, txn, err);

    if (code == DBK_OK)
        code = hash_first(environment, txn, first, &known, err);
    if (code != DBK_OK || !known) /* whoever reads a damaged one is told */
        return code;
    code = dbk_keys_bind(environment->keys, first, err);
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

static enum dbk_code check_bound(const struct environment *environment, MDB_txn *txn,
                                 const struct dbk_keys_state *state,
                                 struct dbk_error *err)
{
    uint8_t first[DBK_KEYS_FIRST_BYTES];
    bool known;
    enum dbk_code code = hash_first(environment, txn, first, &known, err);

    if (code != DBK_OK || !known || !memcmp(first, state->first, sizeof first))
        return code;
    return dbk_fail(err, DBK_CONFLICT,
                    "the ring of keys is another log's: put this one's there");
}

enum dbk_code log_bind_check(const struct environment *environment, MDB_txn *txn,
                             struct dbk_error *err)
{
    struct dbk_keys_state state;
    uint64_t highest;
    enum dbk_code code = dbk_keys_state(environment->keys, &state, err);
    int rc;

    if (code == DBK_OK)
        code = state.bound ? check_bound(environment, txn, &state, err)
                           : check_unbound(environment, txn, err);
    if (code != DBK_OK)
        return code;
    rc = environment_get_mark(txn, environment, ENVIRONMENT_KEY, &highest);
    if (rc != 0)
        return read_fail(environment, rc, err);
    return dbk_keys_need(environment->keys, highest, err);
}
