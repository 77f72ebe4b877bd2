#include "identity.h"

#include "index.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

/* As on disk; the text follows. */
struct alias_value {
    struct dbk_uuid person;
    uint64_t gone, sequence;
};

struct person_alias_key {
    struct dbk_uuid person;
    struct identity_key alias;
};

_Static_assert(sizeof(struct alias_value) == 32 &&
                   sizeof(struct person_alias_key) == 48,
               "as they are on disk");

bool identity_key_of(struct dbk_slice text, struct identity_key *out)
{
    return EVP_Digest(text.data, text.length, out->bytes, NULL, EVP_sha256(), NULL) ==
           1;
}

static MDB_val key_of(const struct identity_key *key)
{
    return (MDB_val){sizeof key->bytes, (void *)(uintptr_t)key->bytes};
}

int identity_get_external(MDB_txn *txn, const struct environment *environment,
                          const struct identity_key *key, struct dbk_uuid *out)
{
    MDB_val name = key_of(key), value;
    int rc = environment->external ? mdb_get(txn, environment->external, &name, &value)
                                   : MDB_NOTFOUND;

    if (rc == 0 && value.mv_size != sizeof out->bytes)
        return LMDB_INDEX_DAMAGED;
    if (rc == 0)
        memcpy(out->bytes, value.mv_data, sizeof out->bytes);
    return rc;
}

int identity_put_external(MDB_txn *txn, const struct environment *environment,
                          const struct identity_key *key, const struct dbk_uuid *person)
{
    MDB_val name = key_of(key);
    MDB_val value = {sizeof person->bytes, (void *)(uintptr_t)person->bytes};

    return mdb_put(txn, environment->external, &name, &value, 0);
}

int identity_drop_external(MDB_txn *txn, const struct environment *environment,
                           const struct identity_key *key)
{
    MDB_val name = key_of(key);
    int rc = mdb_del(txn, environment->external, &name, NULL);

    return rc == MDB_NOTFOUND ? 0 : rc;
}

int identity_get_alias(MDB_txn *txn, const struct environment *environment,
                       const struct identity_key *key, struct identity_alias *out)
{
    MDB_val name = key_of(key), value;
    struct alias_value fixed;
    int rc = environment->alias ? mdb_get(txn, environment->alias, &name, &value)
                                : MDB_NOTFOUND;

    *out = (struct identity_alias){.gone = 0};
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (value.mv_size < sizeof fixed ||
        value.mv_size > sizeof fixed + DBK_ANONYMOUS_ID_MAX)
        return LMDB_INDEX_DAMAGED;
    memcpy(&fixed, value.mv_data, sizeof fixed);
    out->person = fixed.person;
    out->gone = le64toh(fixed.gone);
    out->sequence = le64toh(fixed.sequence);
    out->text = (struct dbk_slice){(const char *)value.mv_data + sizeof fixed,
                                   value.mv_size - sizeof fixed};
    return 0;
}

static int put_alias(MDB_txn *txn, const struct environment *environment,
                     const struct identity_key *key, const struct identity_alias *alias)
{
    const struct alias_value fixed = {alias->person, htole64(alias->gone),
                                      htole64(alias->sequence)};
    MDB_val name = key_of(key), value = {sizeof fixed + alias->text.length, NULL};
    int rc = mdb_put(txn, environment->alias, &name, &value, MDB_RESERVE);

    assert(alias->text.length <= DBK_ANONYMOUS_ID_MAX);
    if (rc != 0)
        return rc;
    memcpy(value.mv_data, &fixed, sizeof fixed);
    if (alias->text.length)
        memcpy((char *)value.mv_data + sizeof fixed, alias->text.data,
               alias->text.length);
    return 0;
}

int identity_claim(MDB_txn *txn, const struct environment *environment,
                   const struct identity_key *key, struct dbk_slice text,
                   const struct dbk_uuid *person, uint64_t sequence)
{
    struct person_alias_key both = {*person, *key};
    MDB_val name = {sizeof both, &both}, nothing = {0, NULL};
    struct identity_alias alias;
    int rc = identity_get_alias(txn, environment, key, &alias);

    if (rc != 0)
        return rc;
    alias.person = *person;
    alias.sequence = sequence;
    alias.text = text;
    rc = put_alias(txn, environment, key, &alias);
    return rc == 0 ? mdb_put(txn, environment->person_alias, &name, &nothing, 0) : rc;
}

/* What is left of it when it is nobody's. */
static int leave(MDB_txn *txn, const struct environment *environment,
                 const struct identity_key *key, uint64_t gone)
{
    const struct identity_alias alias = {.gone = gone};
    MDB_val name = key_of(key);
    int rc;

    if (gone > 0)
        return put_alias(txn, environment, key, &alias);
    rc = mdb_del(txn, environment->alias, &name, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int identity_release(MDB_txn *txn, const struct environment *environment,
                     const struct identity_key *key, const struct dbk_uuid *person)
{
    struct person_alias_key both = {*person, *key};
    MDB_val name = {sizeof both, &both};
    struct identity_alias alias;
    int rc = identity_get_alias(txn, environment, key, &alias);

    if (rc == 0)
        rc = leave(txn, environment, key, alias.gone);
    if (rc == 0)
        rc = mdb_del(txn, environment->person_alias, &name, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int identity_next(MDB_cursor *cursor, const struct dbk_uuid *person,
                  struct identity_key *key)
{
    struct person_alias_key both = {*person, *key}, before = both;
    MDB_val name = {sizeof both, &both}, value;
    int rc = mdb_cursor_get(cursor, &name, &value, MDB_SET_RANGE);

    if (rc == 0 && name.mv_size == sizeof both &&
        !memcmp(name.mv_data, &before, sizeof before))
        rc = mdb_cursor_get(cursor, &name, &value, MDB_NEXT);
    if (rc != 0)
        return rc;
    if (name.mv_size != sizeof both)
        return MDB_CORRUPTED;
    memcpy(&both, name.mv_data, sizeof both);
    if (!dbk_uuid_equal(&both.person, person))
        return MDB_NOTFOUND;
    *key = both.alias;
    return 0;
}

int identity_end(MDB_txn *txn, const struct environment *environment,
                 const struct dbk_uuid *person, uint64_t gone)
{
    struct identity_key key = {{0}};
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, environment->person_alias, &cursor);

    if (rc != 0)
        return rc;
    while (rc == 0 && (rc = identity_next(cursor, person, &key)) == 0) {
        rc = mdb_cursor_del(cursor, 0);
        if (rc == 0)
            rc = leave(txn, environment, &key, gone);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int identity_of_record(MDB_txn *txn, const struct environment *environment,
                       const struct dbk_record *record, struct dbk_uuid *owner)
{
    struct identity_alias alias;
    struct identity_key key;
    int rc;

    *owner = record->person_id;
    if (record->anonymous_id.length == 0)
        return 0;
    if (!identity_key_of(record->anonymous_id, &key))
        return ENOMEM;
    rc = identity_get_alias(txn, environment, &key, &alias);
    if (rc != 0)
        return rc;
    *owner = alias.person;
    return alias.gone >= record->sequence ? MDB_NOTFOUND : 0;
}

int identity_of_event(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_event_state *event, struct dbk_uuid *owner,
                      struct dbk_record *record)
{
    int rc;

    *owner = event->person_id;
    memset(record, 0, sizeof *record);
    if (!dbk_uuid_is_nil(owner))
        return 0;
    rc = index_get_record(txn, environment, event->sequence, record);
    if (rc != 0)
        return rc == MDB_NOTFOUND ? LMDB_INDEX_DAMAGED : rc;
    if (record->type != DBK_EVENT_RECORDED)
        return LMDB_INDEX_DAMAGED;
    return identity_of_record(txn, environment, record, owner);
}
