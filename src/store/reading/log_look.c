/* Looking things up in a log: persons, events, and what is in it. */
#include "identity.h"
#include "index.h"
#include "log_read.h"
#include "log_value.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static enum dbk_code look_up_fail(const struct dbk_log *log, int rc, const char *what,
                                  const struct dbk_uuid *id, struct dbk_error *err)
{
    char text[DBK_UUID_TEXT + 1];

    if (rc != MDB_NOTFOUND)
        return lmdb_fail(err, log->environment.env, rc, "look up in the log");
    dbk_uuid_format(id, text);
    return dbk_fail(err, DBK_NOT_FOUND, "there is no %s %s", what, text);
}

enum dbk_code dbk_log_person(struct dbk_log *log, const struct dbk_uuid *id,
                             struct dbk_person_state *out, struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = index_get_person(txn, &log->environment, id, out);
    if (rc != 0)
        code = look_up_fail(log, rc, "person", id, err);
    else
        out->deleted |= out->erased;
    log_end_read(log, txn);
    return code;
}

enum dbk_code dbk_log_event(struct dbk_log *log, const struct dbk_uuid *id,
                            struct dbk_event_state *out, struct dbk_error *err)
{
    struct dbk_record record;
    struct dbk_uuid owner;
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = index_get_event(txn, &log->environment, id, out);
    if (rc == 0)
        rc = identity_of_event(txn, &log->environment, out, &owner, &record);
    if (rc != 0)
        code = look_up_fail(log, rc, "event", id, err);
    else
        out->person_id = owner;
    log_end_read(log, txn);
    return code;
}

enum dbk_code dbk_log_event_recorded(struct dbk_log *log, const struct dbk_uuid *id,
                                     struct dbk_batch *batch, struct dbk_record *event,
                                     struct dbk_error *err)
{
    struct dbk_event_state state;
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = index_get_event(txn, &log->environment, id, &state);
    if (rc != 0)
        code = look_up_fail(log, rc, "event", id, err);
    log_end_read(log, txn);
    if (code == DBK_OK)
        code = dbk_log_record(log, state.sequence, batch, event, err);
    if (code == DBK_OK &&
        (event->type != DBK_EVENT_RECORDED || !dbk_uuid_equal(&event->subject, id)))
        code = dbk_fail(err, DBK_DAMAGED, "record %llu is not that of its event",
                        (unsigned long long)state.sequence);
    return code;
}

static enum dbk_code read_checksum(const struct dbk_log *log, MDB_txn *txn,
                                   uint64_t sequence, uint32_t *checksum,
                                   struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    MDB_val key = {sizeof sequence, &sequence}, value;
    int rc = mdb_get(txn, environment->log, &key, &value);

    if (rc == MDB_NOTFOUND)
        return dbk_fail(err, DBK_NOT_FOUND, "there is no record %llu",
                        (unsigned long long)sequence);
    if (rc != 0)
        return lmdb_fail(err, environment->env, rc, "look up in the log");
    if (value.mv_size < LOG_VALUE_CHECKSUM)
        return dbk_fail(err, DBK_DAMAGED, "record %llu has no checksum",
                        (unsigned long long)sequence);
    *checksum = log_value_checksum(value.mv_data, value.mv_size - LOG_VALUE_CHECKSUM);
    return DBK_OK;
}

enum dbk_code dbk_log_checksum(struct dbk_log *log, uint64_t sequence,
                               uint32_t *checksum, struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);

    *checksum = 0;
    if (code != DBK_OK)
        return code;
    code = read_checksum(log, txn, sequence, checksum, err);
    log_end_read(log, txn);
    return code;
}

/* By its place on disk; the caller holds the gate. */
static bool is_same_file(const struct dbk_log *log)
{
    struct stat opened, there;
    char path[PATH_MAX];
    mdb_filehandle_t fd;

    if (snprintf(path, sizeof path, "%s/data.mdb", log->dir) >= (int)sizeof path ||
        mdb_env_get_fd(log->environment.env, &fd) != 0 || fstat(fd, &opened) != 0)
        return true; /* nothing is known */
    return stat(path, &there) == 0 && opened.st_dev == there.st_dev &&
           opened.st_ino == there.st_ino;
}

enum dbk_code dbk_log_check_history(struct dbk_log *log, uint64_t sequence,
                                    uint32_t checksum, struct dbk_error *err)
{
    uint32_t found = checksum;
    MDB_txn *txn;
    bool same;
    enum dbk_code code = log_begin_read(log, &txn, err);

    if (code != DBK_OK)
        return code;
    same = is_same_file(log);
    if (sequence > 0)
        code = read_checksum(log, txn, sequence, &found, err);
    log_end_read(log, txn);
    if (!same)
        return dbk_fail(
            err, DBK_MOVED,
            "the log in %s was replaced by another file: begin again with it",
            log->dir);
    if (code == DBK_NOT_FOUND || (code == DBK_OK && found != checksum))
        return dbk_fail(err, DBK_MOVED,
                        "the log was put back to an earlier state: record %llu %s now",
                        (unsigned long long)sequence,
                        code == DBK_OK ? "is another" : "is not there");
    return code;
}

static int count_entries(MDB_txn *txn, MDB_dbi dbi, uint64_t *count)
{
    MDB_stat stat;
    int rc = mdb_stat(txn, dbi, &stat);

    *count = rc == 0 ? stat.ms_entries : 0;
    return rc;
}

static int measure_file(MDB_env *env, struct dbk_log_stats *out)
{
    struct statvfs vfs;
    MDB_envinfo info;
    const char *path;
    MDB_stat stat;
    int rc;

    if ((rc = mdb_env_info(env, &info)) != 0 || (rc = mdb_env_stat(env, &stat)) != 0 ||
        (rc = mdb_env_get_path(env, &path)) != 0)
        return rc;
    out->file_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    if (statvfs(path, &vfs) == 0)
        out->free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    return 0;
}

enum dbk_code dbk_log_stats(struct dbk_log *log, struct dbk_log_stats *out,
                            struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    memset(out, 0, sizeof *out);
    if (code != DBK_OK)
        return code;
    out->store_id = log->store_id;
    if ((rc = index_head(txn, environment, &out->head)) != 0 ||
        (rc = count_entries(txn, environment->person, &out->persons)) != 0 ||
        (rc = count_entries(txn, environment->event, &out->events)) != 0 ||
        (rc = measure_file(environment->env, out)) != 0)
        code = lmdb_fail(err, environment->env, rc, "measure the log");
    log_end_read(log, txn);
    return code;
}
