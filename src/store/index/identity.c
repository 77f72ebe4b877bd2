#include "identity_private.h"

#include "index.h"
#include "sealed.h"
#include "store/little_endian.h"

#include <assert.h>
#include <endian.h>
#include <openssl/evp.h>
#include <string.h>

/* As on disk; the text follows. */
struct alias_value {
    struct dbk_uuid person;
    uint64_t gone, sequence;
};

_Static_assert(sizeof(struct alias_value) == 32, "as it is on disk");

bool identity_key_of(struct dbk_slice text, struct identity_key *out)
{
    return EVP_Digest(text.data, text.length, out->bytes, NULL, EVP_sha256(), NULL) ==
           1;
}

/* What stands for a key in the databases. */
static struct identity_key place_of(const struct environment *environment,
                                    enum dbk_key_tag kind,
                                    const struct identity_key *key)
{
    struct identity_key place = {{0}};

    if (!environment->sealed)
        return *key;
    if (environment->keys)
        dbk_keys_tag(environment->keys, kind,
                     (struct dbk_slice){(const char *)key->bytes, sizeof key->bytes},
                     place.bytes);
    return place;
}

static MDB_val key_of(const struct identity_key *key)
{
    return (MDB_val){sizeof key->bytes, (void *)(uintptr_t)key->bytes};
}

int identity_get_external(MDB_txn *txn, const struct environment *environment,
                          const struct identity_key *key, struct dbk_uuid *out)
{
    struct identity_key place = place_of(environment, DBK_TAG_EXTERNAL_ID, key);
    MDB_val name = key_of(&place), value;
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
    struct identity_key place = place_of(environment, DBK_TAG_EXTERNAL_ID, key);
    MDB_val name = key_of(&place);
    MDB_val value = {sizeof person->bytes, (void *)(uintptr_t)person->bytes};

    return mdb_put(txn, environment->external, &name, &value, 0);
}

int identity_drop_external(MDB_txn *txn, const struct environment *environment,
                           const struct identity_key *key)
{
    struct identity_key place = place_of(environment, DBK_TAG_EXTERNAL_ID, key);
    MDB_val name = key_of(&place);
    int rc = mdb_del(txn, environment->external, &name, NULL);

    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* How much of a value there is before the text. */
static size_t fixed_size(const struct environment *environment)
{
    return sizeof(struct alias_value) + (environment->sealed ? sizeof(uint64_t) : 0);
}

int identity_get_alias_at(MDB_txn *txn, const struct environment *environment,
                          const struct identity_key *place, struct identity_alias *out)
{
    size_t before = fixed_size(environment);
    MDB_val name = key_of(place), value;
    struct alias_value fixed;
    int rc = environment->alias ? mdb_get(txn, environment->alias, &name, &value)
                                : MDB_NOTFOUND;

    *out = (struct identity_alias){.gone = 0};
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (value.mv_size < before ||
        value.mv_size > before + SEAL_OVERHEAD + DBK_ANONYMOUS_ID_MAX)
        return LMDB_INDEX_DAMAGED;
    memcpy(&fixed, value.mv_data, sizeof fixed);
    out->person = fixed.person;
    out->gone = le64toh(fixed.gone);
    out->sequence = le64toh(fixed.sequence);
    if (environment->sealed)
        out->number = dbk_get_le64((const char *)value.mv_data + sizeof fixed);
    out->text = (struct dbk_slice){(const char *)value.mv_data + before,
                                   value.mv_size - before};
    return 0;
}

int identity_get_alias(MDB_txn *txn, const struct environment *environment,
                       const struct identity_key *key, struct identity_alias *out)
{
    struct identity_key place = place_of(environment, DBK_TAG_ANONYMOUS_ID, key);

    return identity_get_alias_at(txn, environment, &place, out);
}

int identity_alias_text(MDB_txn *txn, const struct environment *environment,
                        const struct identity_key *place,
                        const struct identity_alias *alias, char *out, size_t *length)
{
    struct dbk_person_state person;
    size_t overhead = environment->sealed ? SEAL_OVERHEAD : 0;
    int rc;

    if (alias->text.length < overhead ||
        alias->text.length - overhead > DBK_ANONYMOUS_ID_MAX)
        return LMDB_INDEX_DAMAGED;
    *length = alias->text.length - overhead;
    if (!environment->sealed) {
        memcpy(out, alias->text.data, alias->text.length);
        return 0;
    }
    rc = index_look_person(txn, environment, &alias->person, &person);
    return rc == 0 ? sealed_take(environment, person.key, 'A', place->bytes,
                                 sizeof place->bytes, alias->text, out)
                   : rc;
}

static int put_alias(MDB_txn *txn, const struct environment *environment,
                     const struct identity_key *place,
                     const struct identity_alias *alias)
{
    const struct alias_value fixed = {alias->person, htole64(alias->gone),
                                      htole64(alias->sequence)};
    size_t before = fixed_size(environment);
    char bytes[sizeof fixed + sizeof alias->number + SEAL_OVERHEAD +
               DBK_ANONYMOUS_ID_MAX];
    MDB_val name = key_of(place), value = {before + alias->text.length, bytes};

    assert(alias->text.length <= SEAL_OVERHEAD + DBK_ANONYMOUS_ID_MAX);
    memcpy(bytes, &fixed, sizeof fixed);
    if (environment->sealed)
        dbk_put_le64(bytes + sizeof fixed, alias->number);
    if (alias->text.length)
        memcpy(bytes + before, alias->text.data, alias->text.length);
    return mdb_put(txn, environment->alias, &name, &value, 0);
}

int identity_give(MDB_txn *txn, const struct environment *environment,
                  const struct identity_key *key, uint64_t number)
{
    struct identity_key place = place_of(environment, DBK_TAG_ANONYMOUS_ID, key);
    struct identity_alias alias;
    int rc = identity_get_alias_at(txn, environment, &place, &alias);

    alias.number = number;
    return rc == 0 ? put_alias(txn, environment, &place, &alias) : rc;
}

/* Its text as the database has it, in room. */
static int seal_text(MDB_txn *txn, const struct environment *environment,
                     const struct identity_key *place, struct dbk_slice text,
                     const struct dbk_uuid *person,
                     char room[SEAL_OVERHEAD + DBK_ANONYMOUS_ID_MAX],
                     struct dbk_slice *out)
{
    struct dbk_person_state state;
    int rc;

    *out = text;
    if (!environment->sealed)
        return 0;
    assert(text.length <= DBK_ANONYMOUS_ID_MAX);
    memcpy(room + SEAL_NONCE, text.data, text.length);
    *out = (struct dbk_slice){room, text.length + SEAL_OVERHEAD};
    rc = index_look_person(txn, environment, person, &state);
    return rc == 0 ? sealed_put(environment, state.key, 'A', place->bytes,
                                sizeof place->bytes, room, text.length)
                   : rc;
}

int identity_claim(MDB_txn *txn, const struct environment *environment,
                   const struct identity_key *key, struct dbk_slice text,
                   const struct dbk_uuid *person, uint64_t sequence)
{
    struct identity_key place = place_of(environment, DBK_TAG_ANONYMOUS_ID, key);
    struct person_alias_key both = {*person, place};
    MDB_val name = {sizeof both, &both}, nothing = {0, NULL};
    char room[SEAL_OVERHEAD + DBK_ANONYMOUS_ID_MAX];
    struct identity_alias alias;
    int rc = identity_get_alias_at(txn, environment, &place, &alias);

    if (rc == 0)
        rc = seal_text(txn, environment, &place, text, person, room, &alias.text);
    if (rc != 0)
        return rc;
    alias.person = *person;
    alias.sequence = sequence;
    rc = put_alias(txn, environment, &place, &alias);
    return rc == 0 ? mdb_put(txn, environment->person_alias, &name, &nothing, 0) : rc;
}

int identity_leave(MDB_txn *txn, const struct environment *environment,
                   const struct identity_key *place, uint64_t gone, uint64_t number)
{
    const struct identity_alias alias = {.gone = gone, .number = number};
    MDB_val name = key_of(place);
    int rc;

    if (gone > 0 || number > 0)
        return put_alias(txn, environment, place, &alias);
    rc = mdb_del(txn, environment->alias, &name, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int identity_release(MDB_txn *txn, const struct environment *environment,
                     const struct identity_key *key, const struct dbk_uuid *person)
{
    struct identity_key place = place_of(environment, DBK_TAG_ANONYMOUS_ID, key);
    struct person_alias_key both = {*person, place};
    MDB_val name = {sizeof both, &both};
    struct identity_alias alias;
    int rc = identity_get_alias_at(txn, environment, &place, &alias);

    if (rc == 0)
        rc = identity_leave(txn, environment, &place, alias.gone, alias.number);
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
