#include "turn.h"

#include "environment_prove.h"
#include "fault_watch.h"
#include "gather.h"
#include "index.h"
#include "log_keys.h"
#include "log_read.h"
#include "place.h"
#include "recover.h"
#include "store/metrics.h"

#include <assert.h>

/* How often to look after dead readers, busy or not: while one keeps its place, the file
 * grows with each commit. */
#define CHECK_MS 30000

bool turn_try(struct dbk_log *log)
{
    assert(log_is_locked(log));
    if (log->writing || log->first || log->turns_wanted > 0 || gather_waits(log))
        return false;
    log->writing = true;
    return true;
}

enum dbk_code turn_wait(struct dbk_log *log, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    pthread_mutex_lock(&log->mutex);
    log->turns_wanted++;
    while (log->writing && !log->closing)
        pthread_cond_wait(&log->turn, &log->mutex);
    log->turns_wanted--;
    if (log->closing)
        code = dbk_fail(err, DBK_UNAVAILABLE, "the log is closing");
    else
        log->writing = true;
    pthread_mutex_unlock(&log->mutex);
    return code;
}

static void check_readers(struct dbk_log *log)
{
    int dead;

    if (dbk_deadline_left(log->check_at) > 0)
        return;
    if (log->usable)
        mdb_reader_check(log->environment.env, &dead);
    log->check_at = dbk_deadline_in(CHECK_MS);
}

void turn_give_back(struct dbk_log *log)
{
    assert(log->writing);
    check_readers(log);
    pthread_mutex_lock(&log->mutex);
    log->writing = false;
    if (log->turns_wanted > 0)
        pthread_cond_signal(&log->turn);
    else if (log->first || log->closing || !log->usable ||
             atomic_load(&log->health.failing))
        pthread_cond_signal(&log->submitted);
    pthread_mutex_unlock(&log->mutex);
}

/* Where the environment is dead, as after a failure that is not ours to see, it is
 * opened again. */
static int begin(struct dbk_log *log, MDB_txn **txn)
{
    struct dbk_error err;
    bool committed;
    int rc = mdb_txn_begin(log->environment.env, NULL, 0, txn);

    if (rc != MDB_PANIC || recover_log(log, NULL, 0, &committed, &err) != DBK_OK)
        return rc;
    return mdb_txn_begin(log->environment.env, NULL, 0, txn);
}

/* What is decided may rest on what is visible only: on a commit that nobody knows to be on
 * disk, for the disk failed, or whoever made it was killed. */
static int make_sure(struct dbk_log *log)
{
    int rc = environment_check_named(&log->environment);

    if (rc != 0 || log->settled)
        return rc;
    rc = environment_prove(&log->environment);
    log->settled = rc == 0;
    return rc;
}

static void tell(struct dbk_log *log, int rc, const char *doing, struct dbk_error *err)
{
    if (rc == LMDB_KEYS_AWAY)
        log_keys_why(log, err);
    else
        lmdb_fail(err, log->environment.env, rc, doing);
    log_health_failed(log, err);
}

void turn_failed(struct dbk_log *log, int rc, const char *doing, struct dbk_error *err)
{
    dbk_metric_add(DBK_METRIC_COMMIT_FAILURES, 1);
    tell(log, rc, doing, err);
}

static enum dbk_code reopen(struct dbk_log *log, struct dbk_error *err)
{
    bool committed;

    if (log->usable || recover_log(log, NULL, 0, &committed, err) == DBK_OK)
        return DBK_OK;
    log_health_failed(log, err);
    return dbk_fail(
        err, DBK_IO,
        "the log cannot be opened again since a commit failed; nothing of this "
        "was recorded");
}

/* As turn_begin, but a failure is not counted. */
static enum dbk_code begin_sure(struct dbk_log *log, MDB_txn **txn,
                                struct dbk_error *err)
{
    int rc;

    assert(log->writing);
    if (reopen(log, err) != DBK_OK)
        return err->code;
    rc = begin(log, txn);
    if (rc == 0) {
        fault_enter(log->environment.env);
        rc = make_sure(log);
        if (rc == 0)
            return DBK_OK;
        mdb_txn_abort(*txn);
        fault_leave();
    }
    tell(log, rc, "append to the log", err);
    return err->code;
}

enum dbk_code turn_begin(struct dbk_log *log, MDB_txn **txn, struct dbk_error *err)
{
    enum dbk_code code = begin_sure(log, txn, err);

    if (code != DBK_OK)
        dbk_metric_add(DBK_METRIC_COMMIT_FAILURES, 1);
    return code;
}

enum dbk_code turn_commit(struct dbk_log *log, MDB_txn *txn,
                          const struct dbk_place *place, struct dbk_error *err)
{
    struct dbk_place there;
    struct dbk_error why;
    bool committed;
    int rc = mdb_txn_commit(txn); /* frees txn even when it fails */

    fault_leave();
    if (rc == 0) {
        log_health_works(log);
        return DBK_OK;
    }
    turn_failed(log, rc, "commit to the log", &why);
    if (recover_log(log, NULL, 0, &committed, err) != DBK_OK)
        return DBK_IN_DOUBT;
    if (place && log->settled && dbk_log_place(log, &there, NULL) == DBK_OK &&
        place_equal(place, &there))
        return DBK_OK;
    return dbk_fail(err, why.code, "%s", why.text);
}

void turn_announce(struct dbk_log *log)
{
    pthread_mutex_lock(&log->mutex);
    log->appends++;
    pthread_cond_broadcast(&log->appended);
    pthread_mutex_unlock(&log->mutex);
}

/* A turn that begins makes sure of it. Nobody wants to commit: no failure of that. */
static enum dbk_code settle(struct dbk_log *log, struct dbk_error *err)
{
    struct dbk_error why;
    MDB_txn *txn;
    enum dbk_code code = turn_wait(log, err);

    if (code != DBK_OK)
        return code;
    code = begin_sure(log, &txn, &why);
    if (code == DBK_OK) {
        mdb_txn_abort(txn);
        fault_leave();
    }
    turn_give_back(log);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

enum dbk_code turn_settled_head(struct dbk_log *log, uint64_t *head,
                                struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = DBK_OK;
    int rc = 0;

    *head = 0;
    if (!log->options.read_only && !atomic_load(&log->settled))
        code = settle(log, err);
    if (code == DBK_OK)
        code = log_begin_read(log, &txn, err);
    if (code != DBK_OK)
        return code;
    /* With the gate held: nobody opens the log again meanwhile. */
    if (!log->options.read_only && !atomic_load(&log->settled))
        code = dbk_fail(err, DBK_UNAVAILABLE,
                        "what was committed last is not known to be on disk");
    else
        rc = index_head(txn, &log->environment, head);
    if (rc != 0)
        code = lmdb_fail(err, log->environment.env, rc, "find the log's head");
    log_end_read(log, txn);
    return code;
}
