/* Who may append to a log that is one of several copies, and where in the stream it is. */
#include "fault_watch.h"
#include "log_read.h"
#include "place.h"
#include "shared_keys.h"
#include "turn.h"

#include <assert.h>
#include <string.h>

enum dbk_log_role dbk_log_role(struct dbk_log *log)
{
    return (enum dbk_log_role)atomic_load(&log->role);
}

static enum dbk_code place_fail(const struct dbk_log *log, int rc,
                                struct dbk_error *err)
{
    if (rc == MDB_NOTFOUND)
        return dbk_fail(
            err, DBK_NOT_FOUND,
            "the log in %s is no member of a cluster: it has no place in one",
            log->dir);
    return lmdb_fail(err, log->environment.env, rc,
                     "find the log's place in the cluster");
}

enum dbk_code dbk_log_place(struct dbk_log *log, struct dbk_place *place,
                            struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = place_get(txn, &log->environment, place);
    if (rc != 0)
        code = place_fail(log, rc, err);
    log_end_read(log, txn);
    return code;
}

static enum dbk_code write_place(struct dbk_log *log, const struct dbk_place *place,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    MDB_txn *txn;
    int rc;

    if (turn_begin(log, &txn, err) != DBK_OK)
        return err->code;
    rc = place ? place_put(txn, &log->environment, place)
               : place_drop(txn, &log->environment);
    if (rc == 0 && place)
        code = shared_keys_begin(log, txn, err);
    if (rc == 0 && code == DBK_OK)
        return turn_commit(log, txn, place, err);
    mdb_txn_abort(txn);
    fault_leave();
    if (rc != 0)
        turn_failed(log, rc, "put the log's place", err);
    return err->code;
}

enum dbk_code dbk_log_put_place(struct dbk_log *log, const struct dbk_place *place,
                                struct dbk_error *err)
{
    struct dbk_error why;
    enum dbk_code code;

    if (place && !place_is_right(place))
        return dbk_fail(err, DBK_INVALID, "no such place can be in a stream");
    if (turn_wait(log, err) != DBK_OK)
        return DBK_UNAVAILABLE;
    log_health_begin(log);
    code = write_place(log, place, &why);
    log_health_end(log);
    if (code == DBK_OK)
        atomic_store(&log->role, place ? DBK_LOG_FOLLOWS : DBK_LOG_ALONE);
    turn_give_back(log);
    turn_announce(log);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

void dbk_log_lead(struct dbk_log *log, const struct dbk_shipper *shipper)
{
    assert(shipper->ship && shipper->confirm);
    if (turn_wait(log, NULL) != DBK_OK)
        return;
    log->shipper = *shipper;
    atomic_store(&log->role, DBK_LOG_LEADS);
    turn_give_back(log);
}

void dbk_log_follow(struct dbk_log *log)
{
    int leads = DBK_LOG_LEADS;

    if (turn_wait(log, NULL) != DBK_OK)
        return;
    atomic_compare_exchange_strong(&log->role, &leads, DBK_LOG_FOLLOWS);
    memset(&log->shipper, 0, sizeof log->shipper);
    turn_give_back(log);
}

enum dbk_code dbk_log_kept(struct dbk_log *log, const char *name,
                           struct dbk_batch *batch, struct dbk_slice *bytes,
                           struct dbk_error *err)
{
    MDB_txn *txn;
    MDB_val value;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    batch->count = 0;
    batch->bytes_used = 0;
    *bytes = (struct dbk_slice){NULL, 0};
    if (code != DBK_OK)
        return code;
    rc = place_kept(txn, &log->environment, name, &value);
    if (rc == MDB_NOTFOUND || rc == MDB_BAD_VALSIZE)
        code = dbk_fail(err, DBK_NOT_FOUND, "the log keeps nothing called %s", name);
    else if (rc != 0)
        code = lmdb_fail(err, log->environment.env, rc, "read what the log keeps");
    else if (!log_batch_append(batch, value.mv_data, value.mv_size))
        code = dbk_fail(err, DBK_NO_MEMORY, "no memory to read what the log keeps");
    else
        *bytes = (struct dbk_slice){batch->bytes, batch->bytes_used};
    log_end_read(log, txn);
    return code;
}
