/* lmdb_faults.h - LMDB fails at the Nth call. Its functions are wrapped by the linker: the
 * program is linked with --wrap for each that is named here. */
#ifndef LMDB_FAULTS_H
#define LMDB_FAULTS_H

#include <errno.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static struct lmdb_faults {
    atomic_int left; /* calls until it fails; negative: it has, or no fault is wanted */
    atomic_int error;
    atomic_bool lasting; /* so do all calls after that one */
    atomic_bool met;
    atomic_bool serious; /* met by a call that cannot be done without */
} faults = {.left = -1};

static inline void faults_none(void)
{
    atomic_store(&faults.lasting, false);
    atomic_store(&faults.left, -1);
}

static inline void faults_arm(int calls, int error, bool lasting)
{
    atomic_store(&faults.met, false);
    atomic_store(&faults.serious, false);
    atomic_store(&faults.error, error);
    atomic_store(&faults.lasting, lasting);
    atomic_store(&faults.left, calls);
}

static inline bool faults_met(void)
{
    return atomic_load(&faults.met);
}

/* What the call returns instead of being made; 0: it is made. */
static inline int fault(void)
{
    int left = atomic_load(&faults.left);

    if (left < 0)
        return atomic_load(&faults.met) && atomic_load(&faults.lasting)
                   ? atomic_load(&faults.error)
                   : 0;
    if (atomic_fetch_sub(&faults.left, 1) > 0)
        return 0;
    atomic_store(&faults.met, true);
    return atomic_load(&faults.error);
}

/* Not so: to look after dead readers, and whether the head is known without a transaction;
 * and where there is no memory to open, for a smaller map is tried. */
static inline bool is_serious(const char *name, int error)
{
    return strcmp(name, "mdb_reader_check") != 0 && strcmp(name, "mdb_env_info") != 0 &&
           (error != ENOMEM || strncmp(name, "mdb_env_", 8) != 0);
}

#define WRAP(name, parameters, ...)                                                    \
    int __real_##name parameters;                                                      \
    int __wrap_##name parameters;                                                      \
    int __wrap_##name parameters                                                       \
    {                                                                                  \
        int rc = fault();                                                              \
                                                                                       \
        if (rc && is_serious(#name, rc))                                               \
            atomic_store(&faults.serious, true);                                       \
        return rc ? rc : __real_##name(__VA_ARGS__);                                   \
    }

WRAP(mdb_env_create, (MDB_env * *env), env)
WRAP(mdb_env_set_mapsize, (MDB_env * env, size_t size), env, size)
WRAP(mdb_env_set_maxdbs, (MDB_env * env, MDB_dbi count), env, count)
WRAP(mdb_env_set_maxreaders, (MDB_env * env, unsigned count), env, count)
WRAP(mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
     env, path, flags, mode)
WRAP(mdb_env_info, (MDB_env * env, MDB_envinfo *info), env, info)
WRAP(mdb_env_stat, (MDB_env * env, MDB_stat *stat), env, stat)
WRAP(mdb_env_copy2, (MDB_env * env, const char *path, unsigned flags), env, path, flags)
WRAP(mdb_reader_check, (MDB_env * env, int *dead), env, dead)
WRAP(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn),
     env, parent, flags, txn)
WRAP(mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi), txn,
     name, flags, dbi)
WRAP(mdb_dbi_flags, (MDB_txn * txn, MDB_dbi dbi, unsigned *flags), txn, dbi, flags)
WRAP(mdb_stat, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *stat), txn, dbi, stat)
WRAP(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), txn, dbi, key,
     value)
WRAP(mdb_put,
     (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags), txn,
     dbi, key, value, flags)
WRAP(mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), txn, dbi, key,
     value)
WRAP(mdb_drop, (MDB_txn * txn, MDB_dbi dbi, int del), txn, dbi, del)
WRAP(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor), txn, dbi,
     cursor)
WRAP(mdb_cursor_get,
     (MDB_cursor * cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op), cursor, key,
     value, op)
WRAP(mdb_cursor_put,
     (MDB_cursor * cursor, MDB_val *key, MDB_val *value, unsigned flags), cursor, key,
     value, flags)
WRAP(mdb_cursor_del, (MDB_cursor * cursor, unsigned flags), cursor, flags)

/* Fails as LMDB's does: the transaction is gone either way. */
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    int rc = fault();

    if (rc == 0)
        return __real_mdb_txn_commit(txn);
    atomic_store(&faults.serious, true);
    mdb_txn_abort(txn);
    return rc;
}

#endif
