#include "store/keys_used.h"

#include "environment_meta.h"
#include "log_bind.h"
#include "log_read.h"

enum dbk_code dbk_log_keys_used(struct dbk_log *log, struct dbk_keys_used *out,
                                struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    *out = (struct dbk_keys_used){0};
    if (code != DBK_OK)
        return code;
    rc = environment_get_mark(txn, environment, ENVIRONMENT_KEY, &out->highest);
    if (rc == 0)
        rc = environment_get_mark(txn, environment, ENVIRONMENT_ERASED, &out->erased);
    if (rc != 0)
        code = lmdb_fail(err, environment->env, rc, "read the log");
    log_end_read(log, txn);
    return code;
}

enum dbk_code dbk_log_keys_fit(struct dbk_log *log, struct dbk_keys *keys,
                               struct dbk_error *err)
{
    struct environment with;
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);

    if (code != DBK_OK)
        return code;
    with = log->environment;
    with.keys = keys;
    code = log_bind_check(&with, txn, err);
    log_end_read(log, txn);
    return code;
}

void dbk_log_take_keys(struct dbk_log *log)
{
    log->owns_keys = true;
}
