#include "recover.h"

#include "command_private.h"
#include "environment.h"
#include "environment_prove.h"
#include "log_value.h"

#include <assert.h>
#include <string.h>

static bool is_entry(const struct dbk_command *command,
                     const struct command_entry *entry, MDB_val value, size_t length)
{
    return entry->length == length &&
           !memcmp(command->bytes + entry->offset, value.mv_data, length);
}

/* The record of the command that came first: one that changed nothing was skipped, so
 * look for the sequence that was stamped into it. */
static bool same_record(const struct dbk_command *command, MDB_val value)
{
    size_t length;

    if (!log_value_check(value.mv_data, value.mv_size, &length))
        return false;
    if (command->sealed)
        return command->sealed_length == length &&
               !memcmp(command->sealed, value.mv_data, length);
    for (size_t i = 0; i < command->count; i++) {
        if (is_entry(command, &command->entries[i], value, length))
            return true;
    }
    return (command->has_otherwise &&
            is_entry(command, &command->otherwise, value, length)) ||
           (command->has_merged && is_entry(command, &command->merged, value, length));
}

static int look_up(const struct environment *environment,
                   const struct dbk_command *command, uint64_t sequence,
                   bool *committed)
{
    MDB_val key = {sizeof sequence, &sequence}, value;
    MDB_txn *txn;
    int rc = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return rc;
    rc = mdb_get(txn, environment->log, &key, &value);
    *committed = rc == 0 && same_record(command, value);
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum dbk_code reopen(struct dbk_log *log, struct dbk_error *err)
{
    struct environment *environment = &log->environment;
    enum dbk_code code;

    environment_close(environment);
    code = environment_open(log->dir, ENVIRONMENT_WRITE, log->options.map_size,
                            environment, err);
    environment->keys = environment->sealed ? log->options.keys : NULL;
    if (code == DBK_OK && !dbk_uuid_equal(&environment->store_id, &log->store_id)) {
        environment_close(environment);
        code = dbk_fail(err, DBK_UNSUPPORTED, "%s holds another log now", log->dir);
    }
    return code;
}

/* Whether a commit failed at its meta page, or later: LMDB lets no transaction begin then.
 * It takes the page back, but the disk may have it all the same. */
static bool died_at_meta(const struct environment *environment)
{
    MDB_txn *txn;
    int rc;

    if (!environment->env)
        return false;
    rc = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0)
        mdb_txn_abort(txn);
    return rc == MDB_PANIC;
}

/* With the gate held alone. */
static enum dbk_code find_out(struct dbk_log *log, const struct dbk_command *command,
                              uint64_t sequence, bool *committed, struct dbk_error *err)
{
    struct environment *environment = &log->environment;
    bool doubt = died_at_meta(environment), proven;
    enum dbk_code code = reopen(log, err);
    int settled, rc = 0;

    assert(log_gate_is_shut(log));
    if (code != DBK_OK)
        return code;
    settled = environment_settle(environment, &proven);
    if (settled != 0) /* that may have killed it again; for reading it must live */
        code = reopen(log, err);
    if (code != DBK_OK)
        return code;
    log->usable = true;
    log->settled = settled == 0;
    if (command)
        rc = look_up(environment, command, sequence, committed);
    if (rc == 0 && (*committed || (doubt && !proven)))
        rc = settled;
    return rc == 0 ? DBK_OK : lmdb_fail(err, environment->env, rc, "settle");
}

enum dbk_code recover_log(struct dbk_log *log, const struct dbk_command *command,
                          uint64_t sequence, bool *committed, struct dbk_error *err)
{
    enum dbk_code code;

    assert(log->writing);
    assert(!command || (command->count > 0 && sequence > 0));
    *committed = false;
    pthread_rwlock_wrlock(&log->gate);
    log->usable = false;
    /* The transaction that failed may never have been, and its number is used again. */
    atomic_store(&log->head_txn, 0);
    code = find_out(log, command, sequence, committed, err);
    assert(!log->usable || log->environment.env);
    pthread_rwlock_unlock(&log->gate);

    if (code != DBK_OK)
        return dbk_fail(err, DBK_IN_DOUBT,
                        "after a failed commit it is unknown what was recorded: %.300s",
                        err->text);
    log_health_report(log, *committed
                               ? "reopened the log: the commit that failed did happen"
                               : "reopened the log after a failed commit");
    return DBK_OK;
}
