#include "restricted.h"

#include "store/little_endian.h"

#include <string.h>

static MDB_val key_of(const struct dbk_uuid *person)
{
    return (MDB_val){sizeof person->bytes, (void *)(uintptr_t)person->bytes};
}

int restricted_get(MDB_txn *txn, const struct environment *environment,
                   const struct dbk_uuid *person, uint64_t *since)
{
    MDB_val key = key_of(person), value;
    int rc = environment->restricted
                 ? mdb_get(txn, environment->restricted, &key, &value)
                 : MDB_NOTFOUND;

    *since = 0;
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc == 0 && value.mv_size != sizeof *since)
        return LMDB_INDEX_DAMAGED;
    if (rc == 0)
        *since = dbk_get_le64(value.mv_data);
    return rc;
}

int restricted_put(MDB_txn *txn, const struct environment *environment,
                   const struct dbk_uuid *person, uint64_t sequence)
{
    char bytes[sizeof sequence];
    MDB_val key = key_of(person), value = {sizeof bytes, bytes};

    dbk_put_le64(bytes, sequence);
    return mdb_put(txn, environment->restricted, &key, &value, 0);
}

int restricted_drop(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *person)
{
    MDB_val key = key_of(person);

    return mdb_del(txn, environment->restricted, &key, NULL);
}

int restricted_count(MDB_txn *txn, const struct environment *environment, size_t *count)
{
    MDB_stat stat = {0};
    int rc =
        environment->restricted ? mdb_stat(txn, environment->restricted, &stat) : 0;

    *count = stat.ms_entries;
    return rc;
}

int restricted_list(MDB_txn *txn, const struct environment *environment, size_t max,
                    struct dbk_uuid *list, size_t *count)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc;

    *count = 0;
    if (!environment->restricted || max == 0)
        return 0;
    rc = mdb_cursor_open(txn, environment->restricted, &cursor);
    if (rc != 0)
        return rc;
    while (rc == 0 && *count < max) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (rc == 0 && key.mv_size != sizeof list->bytes)
            rc = LMDB_INDEX_DAMAGED;
        if (rc == 0)
            memcpy(list[(*count)++].bytes, key.mv_data, sizeof list->bytes);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}
