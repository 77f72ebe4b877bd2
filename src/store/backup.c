#include "store/backup.h"

#include "index.h"
#include "log_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dbk_code system_fail(struct dbk_error *err, const char *doing,
                                 const char *path)
{
    return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "%s %s: %s", doing,
                    path, strerror(errno));
}

static enum dbk_code make_empty(const char *dir, bool *made, struct dbk_error *err)
{
    struct dirent *entry;
    bool empty = true;
    DIR *stream;

    *made = mkdir(dir, 0700) == 0;
    if (*made)
        return DBK_OK;
    if (errno != EEXIST)
        return system_fail(err, "make", dir);
    stream = opendir(dir);
    if (!stream)
        return system_fail(err, "open", dir);
    while (empty && (entry = readdir(stream)))
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    closedir(stream);
    return empty ? DBK_OK : dbk_fail(err, DBK_EXISTS, "%s is not empty", dir);
}

/* mdb_env_copy does not sync what it wrote. */
static enum dbk_code sync_path(const char *path, int flags, struct dbk_error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    enum dbk_code code = DBK_OK;

    if (fd < 0)
        return system_fail(err, "open", path);
    if (fsync(fd) != 0)
        code = system_fail(err, "sync", path);
    close(fd);
    return code;
}

static enum dbk_code copy(struct dbk_log *log, const char *dir, bool compact,
                          struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    int rc;

    pthread_rwlock_rdlock(&log->gate);
    if (!log->usable) {
        code = dbk_fail(err, DBK_UNAVAILABLE, "the log could not be reopened yet");
    } else {
        rc = mdb_env_copy2(log->environment.env, dir, compact ? MDB_CP_COMPACT : 0);
        if (rc == ENOSPC)
            code = dbk_fail(err, DBK_NO_ROOM, "copy to %s: the disk is full", dir);
        else if (rc != 0)
            code = dbk_lmdb_fail(err, NULL, rc, "copy the log");
    }
    pthread_rwlock_unlock(&log->gate);
    return code;
}

static enum dbk_code read_head(const char *dir, uint64_t *head, struct dbk_error *err)
{
    struct dbk_environment copied;
    enum dbk_code code = dbk_environment_open(dir, true, 0, &copied, err);
    MDB_txn *txn;
    int rc;

    if (code != DBK_OK)
        return code;
    rc = mdb_txn_begin(copied.env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = dbk_index_head(txn, &copied, head);
        mdb_txn_abort(txn);
    }
    if (rc != 0)
        code = dbk_lmdb_fail(err, copied.env, rc, "read the copy");
    dbk_environment_close(&copied);
    return code;
}

enum dbk_code dbk_log_backup(struct dbk_log *log, const char *dir, bool compact,
                             uint64_t *head, struct dbk_error *err)
{
    char file[PATH_MAX], lock[PATH_MAX];
    enum dbk_code code;
    bool made;

    if (snprintf(file, sizeof file, "%s/data.mdb", dir) >= (int)sizeof file ||
        snprintf(lock, sizeof lock, "%s/lock.mdb", dir) >= (int)sizeof lock)
        return dbk_fail(err, DBK_INVALID, "the path of the backup is too long");
    code = make_empty(dir, &made, err);
    if (code != DBK_OK)
        return code;
    if ((code = copy(log, dir, compact, err)) == DBK_OK &&
        (code = sync_path(file, O_RDONLY, err)) == DBK_OK &&
        (code = sync_path(dir, O_RDONLY | O_DIRECTORY, err)) == DBK_OK)
        code = read_head(dir, head, err);
    unlink(lock); /* of the look just taken */
    if (code != DBK_OK) {
        unlink(file);
        if (made)
            rmdir(dir);
    }
    return code;
}
