#include "environment.h"

#include "environment_check.h"
#include "fault_watch.h"
#include "store/durable.h"
#include "store/timestamp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAP_SIZE ((size_t)1 << 40)
#define MAP_SIZE_MIN ((size_t)1 << 30)
#define READERS_MAX 8192 /* every HTTP thread, and tools beside */
#define FULL_BELOW (1 << 20)
#define META_BYTES 512 /* of each meta page; LMDB uses less */

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

/* Map as much as asked for, or as this process may: address space, not memory. */
static int open_mapped(const char *dir, unsigned flags, size_t map_size, MDB_env **env)
{
    size_t size = map_size ? map_size : MAP_SIZE;
    int rc;

    do {
        rc = mdb_env_create(env);
        if (rc != 0)
            return rc;
        if ((rc = mdb_env_set_mapsize(*env, size)) == 0 &&
            (rc = mdb_env_set_maxdbs(*env, 16)) == 0 &&
            (rc = mdb_env_set_maxreaders(*env, READERS_MAX)) == 0)
            rc = mdb_env_open(*env, dir, MDB_NOTLS | flags, 0600);
        if (rc != 0) {
            mdb_env_close(*env);
            *env = NULL;
        }
        size /= 2;
    } while (rc == ENOMEM && !map_size && size >= MAP_SIZE_MIN);
    return rc;
}

/* The flags are in the file, and LMDB goes by them: with wrong ones it reads wild. */
static int open_one(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi)
{
    unsigned found;
    int rc = mdb_dbi_open(txn, name, flags, dbi);

    if (rc == 0)
        rc = mdb_dbi_flags(txn, *dbi, &found);
    return rc == 0 && found != (flags & ~(unsigned)MDB_CREATE) ? MDB_CORRUPTED : rc;
}

static int open_databases(MDB_txn *txn, unsigned flags, struct environment *out)
{
    int rc;

    if ((rc = open_one(txn, "log", flags | MDB_INTEGERKEY, &out->log)) != 0 ||
        (rc = open_one(txn, "person", flags, &out->person)) != 0 ||
        (rc = open_one(txn, "email", flags, &out->email)) != 0 ||
        (rc = open_one(txn, "event", flags, &out->event)) != 0 ||
        (rc = open_one(txn, "idempotency", flags, &out->idempotency)) != 0)
        return rc;
    return 0;
}

/* What a log of a program before does not have: left 0 where it is not made. */
static int open_added(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi)
{
    int rc = open_one(txn, name, flags, dbi);

    if (rc == MDB_NOTFOUND)
        *dbi = 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int open_identities(MDB_txn *txn, unsigned flags, struct environment *out)
{
    int rc;

    if ((rc = open_added(txn, "external", flags, &out->external)) != 0 ||
        (rc = open_added(txn, "alias", flags, &out->alias)) != 0 ||
        (rc = open_added(txn, "person_alias", flags, &out->person_alias)) != 0)
        return rc;
    return open_added(txn, "restricted", flags, &out->restricted);
}

static int put_meta(MDB_txn *txn, MDB_dbi meta, const char *name, const void *bytes,
                    size_t length)
{
    MDB_val key = {strlen(name), (void *)(uintptr_t)name};
    MDB_val value = {length, (void *)(uintptr_t)bytes};

    return mdb_put(txn, meta, &key, &value, 0);
}

static int get_meta(MDB_txn *txn, MDB_dbi meta, const char *name, void *out,
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

static int initialise(MDB_txn *txn, struct environment *out)
{
    struct dbk_uuid store_id =
        dbk_uuid_is_nil(&out->store_id) ? dbk_uuid_new() : out->store_id;
    /* What knows nothing of keys is kept from writing to a sealed one. */
    uint32_t format =
        out->sealed ? ENVIRONMENT_FORMAT_SEALED : ENVIRONMENT_FORMAT_FIRST;
    uint32_t sealed = 1;
    int rc;

    if ((rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &out->meta)) != 0 ||
        (rc = put_meta(txn, out->meta, "format", &format, sizeof format)) != 0)
        return rc;
    if (out->sealed)
        rc = put_meta(txn, out->meta, "sealed", &sealed, sizeof sealed);
    if (rc != 0)
        return rc;
    return put_meta(txn, out->meta, "store_id", store_id.bytes, sizeof store_id.bytes);
}

int environment_put_store_id(MDB_txn *txn, const struct environment *environment,
                             const struct dbk_uuid *store_id)
{
    return put_meta(txn, environment->meta, "store_id", store_id->bytes,
                    sizeof store_id->bytes);
}

int environment_get_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t *number)
{
    int rc = get_meta(txn, environment->meta, name, number, sizeof *number);

    if (rc == MDB_NOTFOUND)
        *number = 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int environment_put_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t number)
{
    return put_meta(txn, environment->meta, name, &number, sizeof number);
}

int environment_need_format(MDB_txn *txn, const struct environment *environment,
                            unsigned format)
{
    uint32_t there, needed = format;
    int rc = get_meta(txn, environment->meta, "format", &there, sizeof there);

    if (rc != 0 || (there & ~ENVIRONMENT_MEMBER) >= needed)
        return rc;
    needed |= there & ENVIRONMENT_MEMBER;
    return put_meta(txn, environment->meta, "format", &needed, sizeof needed);
}

int environment_get_member(MDB_txn *txn, const struct environment *environment,
                           bool *member)
{
    uint32_t there;
    int rc = get_meta(txn, environment->meta, "format", &there, sizeof there);

    *member = rc == 0 && (there & ENVIRONMENT_MEMBER) != 0;
    return rc;
}

int environment_set_member(MDB_txn *txn, const struct environment *environment,
                           bool member)
{
    uint32_t there, wanted;
    int rc = get_meta(txn, environment->meta, "format", &there, sizeof there);

    if (rc != 0)
        return rc;
    wanted = (there & ~ENVIRONMENT_MEMBER) | (member ? ENVIRONMENT_MEMBER : 0);
    if (wanted == there)
        return 0;
    return put_meta(txn, environment->meta, "format", &wanted, sizeof wanted);
}

static int look_whether_empty(MDB_txn *txn, bool *empty)
{
    MDB_dbi unnamed;
    MDB_stat stat;
    int rc = mdb_dbi_open(txn, NULL, 0, &unnamed);

    if (rc == 0)
        rc = mdb_stat(txn, unnamed, &stat);
    *empty = rc == 0 && stat.ms_entries == 0;
    return rc;
}

static int read_sealed(MDB_txn *txn, struct environment *out)
{
    uint32_t sealed;
    int rc = get_meta(txn, out->meta, "sealed", &sealed, sizeof sealed);

    out->sealed = rc == 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum dbk_code check_format(MDB_txn *txn, struct environment *out,
                                  struct dbk_error *err)
{
    uint32_t format = 0;
    int rc = get_meta(txn, out->meta, "format", &format, sizeof format);

    if (rc == MDB_NOTFOUND)
        return dbk_fail(err, DBK_UNSUPPORTED, "an LMDB file, but not a log of ours");
    out->member = rc == 0 && (format & ENVIRONMENT_MEMBER) != 0;
    format &= ~ENVIRONMENT_MEMBER;
    if (rc == 0 && format > ENVIRONMENT_FORMAT)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "written by a newer daybook (format %u, this one knows %u): "
                        "use that one",
                        format, ENVIRONMENT_FORMAT);
    if (rc == 0)
        rc = get_meta(txn, out->meta, "store_id", out->store_id.bytes,
                      sizeof out->store_id.bytes);
    if (rc == 0)
        rc = read_sealed(txn, out);
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "read what the log is");
}

/* Open the databases inside txn, for ENVIRONMENT_MAKE making them where the file is new. */
static enum dbk_code load(MDB_txn *txn, enum dbk_access access, struct environment *out,
                          struct dbk_error *err)
{
    enum dbk_code code;
    bool empty = false;
    int found = mdb_dbi_open(txn, "meta", 0, &out->meta), rc = found;

    if (found == MDB_NOTFOUND)
        rc = look_whether_empty(txn, &empty);
    if (empty) {
        if (access != ENVIRONMENT_MAKE) /* killed while it was made */
            return dbk_fail(err, DBK_NOT_FOUND, "holds no log");
        rc = initialise(txn, out);
    }
    if (rc == MDB_INCOMPATIBLE || (rc == 0 && found == MDB_NOTFOUND && !empty))
        return dbk_fail(err, DBK_UNSUPPORTED, "an LMDB file, but not a log of ours");
    if (rc != 0)
        return lmdb_fail(err, out->env, rc, "open the log");
    code = check_format(txn, out, err);
    if (code != DBK_OK)
        return code;
    rc = open_databases(txn, access == ENVIRONMENT_MAKE ? MDB_CREATE : 0, out);
    if (rc == 0)
        rc = open_identities(txn, access == ENVIRONMENT_MAKE ? MDB_CREATE : 0, out);
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) /* all are made in one commit */
        rc = MDB_CORRUPTED;
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "open the log");
}

static enum dbk_code load_databases(enum dbk_access access, struct environment *out,
                                    struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code;
    int rc = mdb_txn_begin(out->env, NULL, access == ENVIRONMENT_MAKE ? 0 : MDB_RDONLY,
                           &txn);

    if (rc != 0)
        return lmdb_fail(err, out->env, rc, "open the log");
    code = load(txn, access, out, err);
    if (code != DBK_OK) {
        mdb_txn_abort(txn);
        return code;
    }
    rc = mdb_txn_commit(txn); /* writes nothing where nothing was made */
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "open the log");
}

/* In a log of a program before, that is opened for writing. */
static enum dbk_code make_identities(struct environment *out, struct dbk_error *err)
{
    MDB_txn *txn;
    int rc;

    if (out->external && out->alias && out->person_alias && out->restricted)
        return DBK_OK;
    rc = mdb_txn_begin(out->env, NULL, 0, &txn);
    if (rc == 0) {
        rc = open_identities(txn, MDB_CREATE, out);
        if (rc == 0)
            rc = mdb_txn_commit(txn);
        else
            mdb_txn_abort(txn);
    }
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "open the log");
}

static enum dbk_code open_env(const char *dir, enum dbk_access access, size_t map_size,
                              MDB_env **env, struct dbk_error *err)
{
    unsigned flags = 0;
    bool lock;
    int rc;

    if (environment_number_taken(dir))
        return number_taken(err);
    if (access == ENVIRONMENT_READ || access == ENVIRONMENT_SALVAGE) {
        if (environment_check_locking(dir, &lock, err) != DBK_OK)
            return err->code;
        flags = MDB_RDONLY | (lock ? 0 : MDB_NOLOCK);
    }
    rc = open_mapped(dir, flags, map_size, env);
    return rc == 0 ? DBK_OK : lmdb_fail(err, NULL, rc, "open the log");
}

static enum dbk_code open_and_load(const char *dir, enum dbk_access access,
                                   size_t map_size, struct environment *out,
                                   struct dbk_error *err)
{
    enum dbk_code code = open_env(dir, access, map_size, &out->env, err);
    int dead;

    if (code != DBK_OK)
        return code;
    fault_watch(out->env, dir);
    mdb_reader_check(out->env, &dead);
    fault_enter(out->env);
    code = load_databases(access, out, err);
    if (code == DBK_OK && access == ENVIRONMENT_WRITE)
        code = make_identities(out, err);
    fault_leave();
    /* Not for new ones only: whoever made it may have been killed before this. */
    if (code == DBK_OK && access != ENVIRONMENT_READ)
        code = environment_sync_names(dir, err);
    return code;
}

static enum dbk_code open_checked(const char *dir, enum dbk_access access,
                                  size_t map_size, struct environment *out,
                                  struct dbk_error *err)
{
    enum dbk_code code;
    struct dbk_error why;

    code = environment_check_directory(dir, access, err);
    if (code != DBK_OK) {
        environment_close(out);
        return code;
    }
    code = open_and_load(dir, access, map_size, out, &why);
    if (code != DBK_OK) {
        environment_close(out);
        return dbk_fail(err, code, "%s: %s", dir, why.text);
    }
    return DBK_OK;
}

enum dbk_code environment_open(const char *dir, enum dbk_access access, size_t map_size,
                               struct environment *out, struct dbk_error *err)
{
    memset(out, 0, sizeof *out);
    return open_checked(dir, access, map_size, out, err);
}

enum dbk_code environment_make(const char *dir, size_t map_size,
                               const struct dbk_uuid *store_id, bool sealed,
                               struct environment *out, struct dbk_error *err)
{
    memset(out, 0, sizeof *out);
    if (store_id)
        out->store_id = *store_id;
    out->sealed = sealed;
    return open_checked(dir, ENVIRONMENT_MAKE, map_size, out, err);
}

void environment_close(struct environment *environment)
{
    fault_forget(environment->env);
    if (environment->env)
        mdb_env_close(environment->env);
    memset(environment, 0, sizeof *environment);
}

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
        rc = put_meta(txn, environment->meta, "reopened", &now, sizeof now);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}
