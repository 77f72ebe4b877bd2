#include "environment_prove.h"

#include "environment_meta.h"
#include "store/timestamp.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_BYTES 512 /* of each meta page; LMDB uses less */

static int write_again(int fd, off_t offset)
{
    char sector[META_BYTES];
    ssize_t done = pread(fd, sector, sizeof sector, offset);

    if (done == (ssize_t)sizeof sector)
        done = pwrite(fd, sector, sizeof sector, offset);
    if (done < 0)
        return errno;
    return done == (ssize_t)sizeof sector ? 0 : EIO;
}

int environment_check_named(const struct environment *environment)
{
    mdb_filehandle_t fd;
    struct stat status;
    int rc = mdb_env_get_fd(environment->env, &fd);

    if (rc != 0)
        return rc;
    if (fstat(fd, &status) != 0)
        return errno;
    return status.st_nlink > 0 ? 0 : LMDB_FILE_REMOVED;
}

int environment_prove(const struct environment *environment)
{
    mdb_filehandle_t fd;
    MDB_stat stat;
    int rc;

    assert(environment->env);
    if ((rc = mdb_env_stat(environment->env, &stat)) != 0 ||
        (rc = mdb_env_get_fd(environment->env, &fd)) != 0 ||
        (rc = write_again(fd, 0)) != 0 || (rc = write_again(fd, stat.ms_psize)) != 0)
        return rc;
    return fdatasync(fd) == 0 ? 0 : errno;
}

int environment_settle(const struct environment *environment, bool *proven)
{
    dbk_timestamp now = dbk_timestamp_now();
    MDB_txn *txn;
    int rc = mdb_txn_begin(environment->env, NULL, 0, &txn);

    *proven = false;
    if (rc != 0)
        return rc;
    rc = environment_prove(environment);
    *proven = rc == 0;
    if (rc == 0)
        rc = environment_put_meta(txn, environment->meta, "reopened", &now, sizeof now);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}
