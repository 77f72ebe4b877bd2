/* What an open log is at. */
#include "fault_watch.h"
#include "index.h"
#include "log_read.h"

#include <ctype.h>
#include <string.h>

/* LMDB tells a line a reader, of its process, thread and transaction, the last of which is
 * "-" where none is open; and a line that names these. */
static int count_reader(const char *line, void *context)
{
    size_t length = strlen(line);
    unsigned *readers = context;

    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    *readers += length > 0 && isdigit((unsigned char)line[length - 1]) != 0;
    return 0;
}

/* With the gate held, for it may be shut for long. */
static enum dbk_code find_head(struct dbk_log *log, uint64_t *head,
                               struct dbk_error *why)
{
    MDB_env *env = log->environment.env;
    MDB_txn *txn;
    int rc;

    if (log_head_is_known(log, head))
        return DBK_OK;
    rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = index_head(txn, &log->environment, head);
        mdb_txn_abort(txn);
    }
    if (rc == 0)
        return DBK_OK;
    *head = 0;
    if (rc == MDB_PANIC) /* whoever made it is about to shut the gate */
        return dbk_fail(why, DBK_UNAVAILABLE,
                        "a commit has failed, and the log is about to be opened again");
    return lmdb_fail(why, env, rc, "find the log's head");
}

/* With the gate held. */
static void measure(struct dbk_log *log, struct dbk_log_gauges *out)
{
    MDB_env *env = log->environment.env;
    MDB_envinfo info;
    MDB_stat stat;

    if (find_head(log, &out->head, &out->why) != DBK_OK)
        return;
    mdb_env_info(env, &info); /* neither can fail */
    mdb_env_stat(env, &stat);
    out->readable = true;
    out->file_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    mdb_reader_list(env, count_reader, &out->readers);
}

void dbk_log_gauges(struct dbk_log *log, struct dbk_log_gauges *out)
{
    struct log_room_found room;

    *out = (struct dbk_log_gauges){0};
    pthread_mutex_lock(&log->mutex);
    out->queued = log->queued;
    pthread_mutex_unlock(&log->mutex);
    log_room_find(&log->room, log->dir, &room);
    out->room_known = room.known;
    out->free_bytes = room.disk;
    if (pthread_rwlock_tryrdlock(&log->gate) != 0) {
        dbk_fail(&out->why, DBK_UNAVAILABLE, "it is being opened again");
        return;
    }
    if (!log->usable) {
        dbk_fail(&out->why, DBK_UNAVAILABLE,
                 "the disk failed, and it could not be opened again yet");
    } else {
        fault_enter(log->environment.env);
        measure(log, out);
        fault_leave();
    }
    pthread_rwlock_unlock(&log->gate);
}
