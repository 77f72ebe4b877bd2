#include "sealed.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

int sealed_code(enum dbk_code code)
{
    if (code == DBK_OK)
        return 0;
    if (code == DBK_NOT_FOUND)
        return LMDB_KEY_ERASED;
    if (code == DBK_INVALID)
        return LMDB_KEY_MISSING;
    if (code == DBK_DAMAGED)
        return LMDB_KEY_DAMAGED;
    return code == DBK_NO_MEMORY ? ENOMEM : LMDB_KEYS_AWAY;
}

int sealed_key(const struct environment *environment, uint64_t number,
               uint8_t key[DBK_KEY_BYTES])
{
    if (!environment->keys)
        return LMDB_KEYS_AWAY;
    return sealed_code(dbk_keys_get(environment->keys, number, key, NULL));
}

bool sealed_is_destroyed(const struct environment *environment, uint64_t number)
{
    uint8_t key[DBK_KEY_BYTES];
    enum dbk_code code;

    if (!environment->keys)
        return false;
    code = dbk_keys_get(environment->keys, number, key, NULL);
    if (code == DBK_OK)
        sealed_wipe(key);
    return code == DBK_NOT_FOUND;
}

void sealed_wipe(uint8_t key[DBK_KEY_BYTES])
{
    sodium_memzero(key, DBK_KEY_BYTES);
}

enum { BOUND = 4 + 1 + 32 };

static struct dbk_slice bound_to(char kind, const void *id, size_t length,
                                 char out[BOUND])
{
    assert(length <= 32);
    memcpy(out, "DBKI", 4);
    out[4] = kind;
    memcpy(out + 5, id, length);
    return (struct dbk_slice){out, 5 + length};
}

int sealed_put(const struct environment *environment, uint64_t number, char kind,
               const void *id, size_t id_length, char *out, size_t length)
{
    uint8_t key[DBK_KEY_BYTES];
    char bound[BOUND];
    int rc = sealed_key(environment, number, key);

    if (rc != 0)
        return rc;
    seal_the_same(key, bound_to(kind, id, id_length, bound), out, length);
    sealed_wipe(key);
    return 0;
}

int sealed_take(const struct environment *environment, uint64_t number, char kind,
                const void *id, size_t id_length, struct dbk_slice blob, char *out)
{
    uint8_t key[DBK_KEY_BYTES];
    char bound[BOUND];
    int rc = sealed_key(environment, number, key);
    bool fine;

    if (rc != 0)
        return rc;
    fine = seal_open(key, bound_to(kind, id, id_length, bound), blob, out);
    sealed_wipe(key);
    return fine ? 0 : LMDB_INDEX_DAMAGED;
}

enum dbk_code sealed_record_key(struct dbk_keys *keys, const struct dbk_record *record,
                                uint8_t key[DBK_KEY_BYTES], bool *expired,
                                struct dbk_error *err)
{
    uint8_t own[DBK_KEY_BYTES], month[DBK_KEY_BYTES];
    enum dbk_code code = dbk_keys_get(keys, record->key, own, err);

    *expired = false;
    if (code == DBK_OK && record->month == 0)
        memcpy(key, own, sizeof own);
    if (code != DBK_OK || record->month == 0)
        goto wipe;
    code = dbk_keys_get(keys, record->month, month, err);
    if (code == DBK_OK)
        dbk_record_mix(own, month, key);
    *expired = code == DBK_NOT_FOUND;
    sealed_wipe(month);
wipe:
    sealed_wipe(own);
    return code;
}

/* Which of its keys does not open it. */
static uint64_t find_damaged(struct dbk_keys *keys, const struct dbk_record *record)
{
    uint8_t key[DBK_KEY_BYTES];
    bool own = dbk_keys_get(keys, record->key, key, NULL) == DBK_OK,
         month = record->month == 0 ||
                 dbk_keys_get(keys, record->month, key, NULL) == DBK_OK;

    sealed_wipe(key);
    return own && !month ? record->month : record->key;
}

enum dbk_code sealed_open_record(struct dbk_keys *keys, struct dbk_record *record,
                                 char *room, struct dbk_error *err)
{
    uint8_t key[DBK_KEY_BYTES];
    enum dbk_code code;

    if (record->sealed.length == 0 || record->opened || !keys)
        return DBK_OK;
    code = sealed_record_key(keys, record, key, &record->expired, err);
    if (code == DBK_NOT_FOUND) {
        record->erased = true;
        return DBK_OK;
    }
    if (code == DBK_INVALID) /* the ring ends before */
        code = dbk_fail(err, DBK_DAMAGED, "its key, %llu, is not in the ring",
                        (unsigned long long)find_damaged(keys, record));
    if (code == DBK_OK)
        code = dbk_record_open(record, key, room, err);
    if (code == DBK_DAMAGED)
        record->damaged = find_damaged(keys, record);
    sealed_wipe(key);
    return code;
}

int sealed_open(const struct environment *environment, struct dbk_record *record,
                char *room)
{
    uint8_t key[DBK_KEY_BYTES];
    enum dbk_code code;
    int rc;

    if (!environment->keys)
        return LMDB_KEYS_AWAY;
    code = sealed_open_record(environment->keys, record, room, NULL);
    if (code != DBK_DAMAGED)
        return sealed_code(code);
    rc = sealed_key(environment, record->key, key);
    if (rc == 0 && record->month > 0)
        rc = sealed_key(environment, record->month, key);
    sealed_wipe(key);
    return rc == 0 ? LMDB_RECORD_DAMAGED : rc;
}
