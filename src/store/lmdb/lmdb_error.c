#include "lmdb_error.h"

#include "store/durable.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FULL_BELOW (1 << 20)

/* What failed was larger than a page, so a little may still be free. */
static bool disk_is_full(MDB_env *env)
{
    struct statvfs vfs;
    const char *path;

    return mdb_env_get_path(env, &path) == 0 && path && statvfs(path, &vfs) == 0 &&
           (uint64_t)vfs.f_bavail * vfs.f_frsize < FULL_BELOW;
}

/* ulimit -f, which a service manager may have set. */
static bool limit_is_reached(MDB_env *env)
{
    struct rlimit limit;
    struct stat status;
    mdb_filehandle_t fd;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           mdb_env_get_fd(env, &fd) == 0 && fstat(fd, &status) == 0 &&
           (uint64_t)status.st_size + FULL_BELOW > limit.rlim_cur;
}

/* What was written in part, LMDB reports as EIO. */
static bool is_full(MDB_env *env, int rc)
{
    return dbk_errno_code(rc) == DBK_NO_ROOM || (rc == EIO && env && disk_is_full(env));
}

static bool is_too_large(MDB_env *env, int rc)
{
    return rc == EFBIG || (rc == EIO && env && limit_is_reached(env));
}

static enum dbk_code number_taken(struct dbk_error *err)
{
    return dbk_fail(
        err, DBK_BUSY,
        "another process with the number %ld, in another container, has the "
        "log open: let them share a pid namespace (shareProcessNamespace: "
        "true, or --pid=container:NAME), or start again",
        (long)getpid());
}

/* Until this process ends the system keeps what was in it. */
static enum dbk_code removed(struct dbk_error *err, MDB_env *env, const char *doing)
{
    mdb_filehandle_t fd = -1;

    if (env)
        mdb_env_get_fd(env, &fd);
    return dbk_fail(
        err, DBK_IO,
        "%s: its file was removed while it is open, so nothing is written "
        "any more: copy /proc/%ld/fd/%d to where it was before this process "
        "ends, then start again",
        doing, (long)getpid(), fd);
}

enum dbk_code lmdb_fail(struct dbk_error *err, MDB_env *env, int rc, const char *doing)
{
    assert(rc != 0);
    switch (rc) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL: /* a tree that goes round */
    case MDB_PAGE_FULL:
        return dbk_fail(err, DBK_DAMAGED, "%s: the log's file is damaged (%s)", doing,
                        mdb_strerror(rc));
    case LMDB_INDEX_DAMAGED:
        return dbk_fail(err, DBK_DAMAGED, "%s: an entry of the indexes is damaged",
                        doing);
    case LMDB_KEY_MISSING:
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: the key that opens it is not in the ring of keys: daybook "
                        "keys status tells more",
                        doing);
    case LMDB_KEY_DAMAGED:
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: the key that opens it is damaged in the ring of keys: "
                        "daybook keys status tells which, and what to do",
                        doing);
    case LMDB_KEY_ERASED:
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: the key that opens it was destroyed, and the log was put "
                        "back to an earlier state: erase the person again",
                        doing);
    case LMDB_RECORD_DAMAGED:
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: a record is damaged: daybook verify tells which", doing);
    case LMDB_KEYS_AWAY:
        return dbk_fail(err, DBK_KEYS_AWAY, "%s: the ring of keys cannot be read",
                        doing);
    case LMDB_FILE_REMOVED:
        return removed(err, env, doing);
    case MDB_VERSION_MISMATCH:
        return dbk_fail(err, DBK_UNSUPPORTED, "%s: written by another version of LMDB",
                        doing);
    case MDB_MAP_FULL:
        return dbk_fail(err, DBK_NO_ROOM, "%s: the log has reached its largest size",
                        doing);
    case MDB_READERS_FULL:
        return dbk_fail(err, DBK_BUSY, "%s: too many readers of the log", doing);
    case EAGAIN: /* it came between our look and LMDB's */
        return number_taken(err);
    case ENOMEM:
        return dbk_fail(err, DBK_NO_MEMORY, "%s: no memory", doing);
    default:
        break;
    }
    if (is_too_large(env, rc))
        return dbk_fail(err, DBK_NO_ROOM,
                        "%s: the log's file may not grow larger (ulimit -f, or a bound "
                        "of its file system)",
                        doing);
    if (is_full(env, rc))
        return dbk_fail(err, DBK_NO_ROOM, "%s: the disk is full", doing);
    return dbk_fail(err, DBK_IO, "%s: %s", doing, mdb_strerror(rc));
}
