#include "environment_meta.h"

#include <string.h>

int environment_put_meta(MDB_txn *txn, MDB_dbi meta, const char *name,
                         const void *bytes, size_t length)
{
    MDB_val key = {strlen(name), (void *)(uintptr_t)name};
    MDB_val value = {length, (void *)(uintptr_t)bytes};

    return mdb_put(txn, meta, &key, &value, 0);
}

int environment_get_meta(MDB_txn *txn, MDB_dbi meta, const char *name, void *out,
                         size_t length)
{
    MDB_val key = {strlen(name), (void *)(uintptr_t)name};
    MDB_val value;
    int rc = mdb_get(txn, meta, &key, &value);

    if (rc == 0 && value.mv_size != length)
        return MDB_CORRUPTED;
    if (rc == 0)
        memcpy(out, value.mv_data, length);
    return rc;
}

int environment_put_store_id(MDB_txn *txn, const struct environment *environment,
                             const struct dbk_uuid *store_id)
{
    return environment_put_meta(txn, environment->meta, "store_id", store_id->bytes,
                                sizeof store_id->bytes);
}

int environment_get_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t *number)
{
    int rc = environment_get_meta(txn, environment->meta, name, number, sizeof *number);

    if (rc == MDB_NOTFOUND)
        *number = 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int environment_put_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t number)
{
    return environment_put_meta(txn, environment->meta, name, &number, sizeof number);
}

int environment_need_format(MDB_txn *txn, const struct environment *environment,
                            unsigned format)
{
    uint32_t there, needed = format;
    int rc =
        environment_get_meta(txn, environment->meta, "format", &there, sizeof there);

    if (rc != 0 || (there & ~ENVIRONMENT_MEMBER) >= needed)
        return rc;
    needed |= there & ENVIRONMENT_MEMBER;
    return environment_put_meta(txn, environment->meta, "format", &needed,
                                sizeof needed);
}

int environment_get_member(MDB_txn *txn, const struct environment *environment,
                           bool *member)
{
    uint32_t there;
    int rc =
        environment_get_meta(txn, environment->meta, "format", &there, sizeof there);

    *member = rc == 0 && (there & ENVIRONMENT_MEMBER) != 0;
    return rc;
}

int environment_set_member(MDB_txn *txn, const struct environment *environment,
                           bool member)
{
    uint32_t there, wanted;
    int rc =
        environment_get_meta(txn, environment->meta, "format", &there, sizeof there);

    if (rc != 0)
        return rc;
    wanted = (there & ~ENVIRONMENT_MEMBER) | (member ? ENVIRONMENT_MEMBER : 0);
    if (wanted == there)
        return 0;
    return environment_put_meta(txn, environment->meta, "format", &wanted,
                                sizeof wanted);
}
