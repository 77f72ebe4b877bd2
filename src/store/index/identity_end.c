/* What becomes of all the anonymous ids of a person who is deleted, or erased. */
#include "identity_private.h"

#include "sealed.h"
#include "store/little_endian.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/* In a sealed log: the key goes, and who erases the person must find it. */
static int end_sealed(MDB_cursor *cursor, const struct environment *environment,
                      const struct dbk_uuid *person, const struct identity_key *place)
{
    MDB_txn *txn = mdb_cursor_txn(cursor);
    struct person_alias_key both = {*person, *place};
    struct identity_alias alias;
    int rc = identity_get_alias_at(txn, environment, place, &alias);
    uint64_t number = htole64(alias.number);
    MDB_val name = {sizeof both, &both}, value = {sizeof number, &number};

    if (rc == 0 && alias.number > 0)
        rc = mdb_cursor_put(cursor, &name, &value, 0);
    else if (rc == 0)
        rc = mdb_cursor_del(cursor, 0);
    return rc == 0 ? identity_leave(txn, environment, place, 0, 0) : rc;
}

int identity_end(MDB_txn *txn, const struct environment *environment,
                 const struct dbk_uuid *person, uint64_t gone)
{
    struct identity_key place = {{0}};
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, environment->person_alias, &cursor);

    if (rc != 0)
        return rc;
    while (rc == 0 && (rc = identity_next(cursor, person, &place)) == 0) {
        if (environment->sealed) {
            rc = end_sealed(cursor, environment, person, &place);
            continue;
        }
        rc = mdb_cursor_del(cursor, 0);
        if (rc == 0)
            rc = identity_leave(txn, environment, &place, gone, 0);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of the row that the cursor is at: what was kept in it, or what the alias has. */
static int number_at(MDB_cursor *cursor, const struct environment *environment,
                     const struct dbk_uuid *person, const struct identity_key *place,
                     uint64_t *number)
{
    struct identity_alias alias;
    MDB_val name, value;
    int rc = mdb_cursor_get(cursor, &name, &value, MDB_GET_CURRENT);

    *number = 0;
    if (rc == 0 && value.mv_size == sizeof *number) {
        *number = dbk_get_le64(value.mv_data);
        return 0;
    }
    if (rc == 0)
        rc = identity_get_alias_at(mdb_cursor_txn(cursor), environment, place, &alias);
    if (rc == 0 && dbk_uuid_equal(&alias.person, person))
        *number = alias.number;
    return rc;
}

int identity_numbers(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_uuid *person, uint64_t *numbers, size_t max,
                     size_t *count)
{
    struct identity_key place = {{0}};
    MDB_cursor *cursor;
    uint64_t number;
    int rc = mdb_cursor_open(txn, environment->person_alias, &cursor);

    *count = 0;
    if (rc != 0)
        return rc;
    while ((rc = identity_next(cursor, person, &place)) == 0) {
        rc = number_at(cursor, environment, person, &place, &number);
        if (rc == 0 && number > 0 && *count == max)
            rc = LMDB_INDEX_DAMAGED;
        if (rc != 0)
            break;
        if (number > 0)
            numbers[(*count)++] = number;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* *left: the number where its key is there still, else 0. */
static int left_of(const struct environment *environment, uint64_t number, bool late,
                   uint64_t *left)
{
    uint8_t key[DBK_KEY_BYTES];
    int rc = late ? sealed_key(environment, number, key) : LMDB_KEY_ERASED;

    *left = rc == 0 ? number : 0;
    sealed_wipe(key);
    return rc == LMDB_KEYS_AWAY || rc == ENOMEM ? rc : 0;
}

static int forget_one(MDB_txn *txn, const struct environment *environment,
                      const struct identity_key *place,
                      const struct identity_alias *alias, bool late)
{
    uint64_t left;
    int rc = left_of(environment, alias->number, late, &left);

    return rc == 0 ? identity_leave(txn, environment, place, 0, left) : rc;
}

static int forget(MDB_txn *txn, const struct environment *environment,
                  const struct dbk_uuid *person, bool late)
{
    struct identity_key place = {{0}};
    struct identity_alias alias;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, environment->person_alias, &cursor);

    if (rc != 0)
        return rc;
    while (rc == 0 && (rc = identity_next(cursor, person, &place)) == 0) {
        rc = mdb_cursor_del(cursor, 0);
        if (rc == 0)
            rc = identity_get_alias_at(txn, environment, &place, &alias);
        if (rc == 0 && alias.sequence > 0 && dbk_uuid_equal(&alias.person, person))
            rc = forget_one(txn, environment, &place, &alias, late);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int identity_forget(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *person)
{
    return forget(txn, environment, person, false);
}

int identity_forget_late(MDB_txn *txn, const struct environment *environment,
                         const struct dbk_uuid *person)
{
    return forget(txn, environment, person, true);
}
