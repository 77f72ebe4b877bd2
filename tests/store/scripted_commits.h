/* scripted_commits.h - commits that the test lets fail. Link with --wrap=mdb_txn_commit. */
#ifndef SCRIPTED_COMMITS_H
#define SCRIPTED_COMMITS_H

#include <errno.h>
#include <lmdb.h>
#include <stdatomic.h>

/* What the next commits do, one character each: '.' works, 'x' fails and writes nothing,
 * '*' as well, and so do all that follow, '?' writes and says that it failed, as after a
 * failed sync of the meta page. */
static _Atomic(const char *) commits;

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    const char *at = atomic_load(&commits);
    char what = at && *at ? *at : '.';

    if (at && *at && what != '*')
        atomic_store(&commits, at + 1);
    if (what == 'x' || what == '*') {
        mdb_txn_abort(txn);
        return EIO;
    }
    if (what == '?')
        return __real_mdb_txn_commit(txn) == 0 ? EIO : EIO;
    return __real_mdb_txn_commit(txn);
}

#endif
