#include "environment_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_MIN ((uint64_t)4 << 20) /* what a new log needs */

static enum dbk_code system_fail(struct dbk_error *err, const char *call,
                                 const char *path)
{
    return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "%s %s: %s", call,
                    path, strerror(errno));
}

/* The name of any file in dir that is not LMDB's; "" where there is none. */
static enum dbk_code find_foreign_file(const char *dir, char *name, size_t size,
                                       struct dbk_error *err)
{
    static const char *const ours[] = {".", "..", "data.mdb", "lock.mdb", "lost+found"};
    struct dirent *entry;
    DIR *stream = opendir(dir);

    if (!stream)
        return system_fail(err, "open", dir);
    name[0] = '\0';
    while (!name[0] && (entry = readdir(stream))) {
        bool known = false;

        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            known = known || !strcmp(entry->d_name, ours[i]);
        if (!known)
            snprintf(name, size, "%s", entry->d_name);
    }
    closedir(stream);
    return DBK_OK;
}

static enum dbk_code check_new(const char *dir, struct dbk_error *err)
{
    char foreign[NAME_MAX + 1];
    struct statvfs vfs;
    enum dbk_code code = find_foreign_file(dir, foreign, sizeof foreign, err);

    if (code != DBK_OK)
        return code;
    if (foreign[0])
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "%s holds no log but other files (%s): give an empty directory",
                        dir, foreign);
    if (statvfs(dir, &vfs) == 0 && (uint64_t)vfs.f_bavail * vfs.f_frsize < ROOM_MIN)
        return dbk_fail(err, DBK_NO_ROOM, "%s: the disk is full, a new log needs 4 MiB",
                        dir);
    return DBK_OK;
}

enum dbk_code dbk_check_directory(const char *dir, bool must_exist,
                                  struct dbk_error *err)
{
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof path, "%s/data.mdb", dir) >= (int)sizeof path)
        return dbk_fail(err, DBK_INVALID, "the path of the log is too long");
    if (stat(path, &st) == 0)
        return S_ISREG(st.st_mode)
                   ? DBK_OK
                   : dbk_fail(err, DBK_UNSUPPORTED, "%s is no file", path);
    if (errno != ENOENT)
        return system_fail(err, "look at", path);
    if (must_exist)
        return dbk_fail(err, DBK_NOT_FOUND, "%s holds no log", dir);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return system_fail(err, "make directory", dir);
    return check_new(dir, err);
}

static enum dbk_code sync_one(const char *dir, struct dbk_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum dbk_code code = DBK_OK;

    if (fd < 0) /* one that we may not read was there before us */
        return errno == EACCES ? DBK_OK : system_fail(err, "open", dir);
    if (fsync(fd) != 0 &&
        errno != EINVAL) /* EINVAL: its file system has no such sync */
        code = system_fail(err, "sync", dir);
    close(fd);
    return code;
}

enum dbk_code dbk_sync_directory(const char *dir, struct dbk_error *err)
{
    char parent[PATH_MAX];

    if (snprintf(parent, sizeof parent, "%s/..", dir) >= (int)sizeof parent)
        return dbk_fail(err, DBK_INVALID, "the path of the log is too long");
    if (sync_one(dir, err) != DBK_OK)
        return err ? err->code : DBK_IO;
    return sync_one(parent, err);
}

/* Reading may be left by a jump: what must be freed then, and where to jump to. */
struct reading {
    MDB_cursor *cursor;
    jmp_buf damaged;
};

static void close_cursor(struct reading *reading)
{
    if (reading->cursor)
        mdb_cursor_close(reading->cursor);
    reading->cursor = NULL;
}

static int read_all_entries(struct reading *reading, MDB_txn *txn, MDB_dbi dbi)
{
    MDB_val key, value;
    volatile char byte;
    int rc = mdb_cursor_open(txn, dbi, &reading->cursor);

    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(reading->cursor, &key, &value, MDB_NEXT)) == 0) {
        if (value.mv_size) /* touches values on overflow pages too */
            byte = ((const char *)value.mv_data)[value.mv_size - 1];
    }
    (void)byte;
    close_cursor(reading);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int read_databases(struct reading *reading, MDB_txn *txn)
{
    static const char *const names[] = {"log",   "person",      "email",
                                        "event", "idempotency", "meta"};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++) {
        MDB_dbi dbi;

        rc = mdb_dbi_open(txn, names[i], 0, &dbi);
        if (rc == 0)
            rc = read_all_entries(reading, txn, dbi);
        else if (rc == MDB_NOTFOUND)
            rc = 0;
    }
    return rc;
}

/* Where LMDB goes instead of aborting the process when a page is not what it must be.
 */
static void leave_reading(MDB_env *env, const char *message)
{
    (void)message;
    longjmp(((struct reading *)mdb_env_get_userctx(env))->damaged, 1);
}

/* Every page that is in use. Nothing is written, so LMDB may be left in the middle. */
static int read_everything(MDB_env *env)
{
    struct reading reading = {.cursor = NULL};
    MDB_txn *txn;
    int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return rc;
    mdb_env_set_userctx(env, &reading);
    mdb_env_set_assert(env, leave_reading);
    if (setjmp(reading.damaged) == 0)
        rc = read_databases(&reading, txn);
    else
        rc = MDB_CORRUPTED;
    mdb_env_set_assert(env, NULL);
    mdb_env_set_userctx(env, NULL);
    close_cursor(&reading);
    mdb_txn_abort(txn);
    return rc;
}

/* How long the file is, and how long its last commit says. */
static int measure(MDB_env *env, int fd, uint64_t *length, uint64_t *needed)
{
    MDB_envinfo info;
    struct stat st;
    MDB_stat stat;
    int rc;

    if ((rc = mdb_env_info(env, &info)) != 0 || (rc = mdb_env_stat(env, &stat)) != 0)
        return rc;
    if (fstat(fd, &st) != 0)
        return errno;
    *length = (uint64_t)st.st_size;
    *needed = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    return 0;
}

/* With the writer's lock held: a file that another process has made longer since we
 * looked must not be cut. */
static int extend(MDB_env *env, int fd)
{
    uint64_t length, needed;
    MDB_txn *txn;
    int rc = mdb_txn_begin(env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    rc = measure(env, fd, &length, &needed);
    if (rc == 0 && length < needed && ftruncate(fd, (off_t)needed) != 0)
        rc = errno;
    mdb_txn_abort(txn);
    return rc;
}

enum dbk_code dbk_check_length(MDB_env *env, struct dbk_error *err)
{
    uint64_t length, needed;
    int fd, rc;

    if ((rc = mdb_env_get_fd(env, &fd)) != 0 ||
        (rc = measure(env, fd, &length, &needed)) != 0)
        return dbk_lmdb_fail(err, env, rc, "look at the log's file");
    if (length >= needed)
        return DBK_OK;

    rc = extend(env, fd);
    if (rc != 0)
        return dbk_lmdb_fail(err, env, rc, "extend the log's file");
    rc = read_everything(env);
    if (rc != 0)
        return dbk_fail(err, DBK_DAMAGED,
                        "data.mdb is cut off: it had %llu bytes, its last commit needs "
                        "%llu (%s); restore it from a backup",
                        (unsigned long long)length, (unsigned long long)needed,
                        mdb_strerror(rc));
    return DBK_OK;
}
