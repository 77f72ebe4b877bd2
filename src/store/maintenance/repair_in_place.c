#include "repair_private.h"

#include "environment.h"
#include "environment_meta.h"
#include "environment_prove.h"
#include "index.h"
#include "log_value.h"
#include "sandbox.h"
#include "scan.h"

#include <stdlib.h>
#include <string.h>

/* What the log has. */
struct count {
    uint64_t right, wrong, missing;
};

static int count(MDB_txn *txn, const struct environment *environment,
                 struct count *count)
{
    struct lmdb_scan scan;
    int rc = lmdb_scan_begin(&scan, txn, environment, 0);

    *count = (struct count){0};
    while (rc == 0 && (rc = lmdb_scan_next(&scan)) == 0) {
        count->missing += scan.missing;
        if (scan.wrong)
            count->wrong++;
        else
            count->right++;
    }
    lmdb_scan_end(&scan);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Only where it is wrong: a record that is right is never written. */
static int put(MDB_txn *txn, const struct environment *environment,
               const struct repair_patch *patch)
{
    uint64_t sequence = patch->sequence;
    MDB_val key = {sizeof sequence, &sequence}, value;
    struct dbk_record record;
    size_t length;
    int rc = mdb_get(txn, environment->log, &key, &value);

    if (rc != 0)
        return rc;
    if (log_value_check(value.mv_data, value.mv_size, &length) &&
        dbk_record_decode(value.mv_data, length, &record, NULL) == DBK_OK &&
        record.sequence == sequence)
        return MDB_KEYEXIST;
    rc = dbk_record_decode(patch->bytes, patch->length, &record, NULL) == DBK_OK
             ? environment_need_format(txn, environment, record.format)
             : MDB_KEYEXIST;
    if (rc != 0)
        return rc;
    value.mv_size = patch->length + LOG_VALUE_CHECKSUM;
    rc = mdb_put(txn, environment->log, &key, &value, MDB_RESERVE);
    if (rc == 0)
        log_value_write(value.mv_data, patch->bytes, patch->length);
    return rc;
}

static int put_all(MDB_txn *txn, const struct environment *environment,
                   const struct repair_plan *plan, bool *well)
{
    struct count before = {0}, after = {0};
    int rc = environment_prove(environment);

    if (rc == 0)
        rc = count(txn, environment, &before);
    for (size_t i = 0; rc == 0 && i < plan->count; i++)
        rc = put(txn, environment, &plan->patches[i]);
    if (rc == 0)
        rc = count(txn, environment, &after);
    *well = rc == 0 && after.right == before.right + plan->count &&
            after.wrong == before.wrong - plan->count &&
            after.missing == before.missing;
    return rc;
}

static enum dbk_code run(const void *what, const struct dbk_verify_options *options,
                         struct dbk_verify_result *result, struct dbk_error *err)
{
    const struct repair_plan *plan = what;
    struct environment environment;
    enum dbk_code code =
        environment_open(plan->dir, ENVIRONMENT_WRITE, 0, &environment, err);
    bool well = false;
    MDB_txn *txn;
    int rc;

    (void)options;
    (void)result;
    if (code != DBK_OK)
        return code;
    rc = mdb_txn_begin(environment.env, NULL, 0, &txn);
    if (rc == 0) {
        rc = put_all(txn, &environment, plan, &well);
        if (well)
            rc = mdb_txn_commit(txn);
        else
            mdb_txn_abort(txn);
    }
    if (rc != 0)
        code = lmdb_fail(err, environment.env, rc, "put records back");
    else if (!well)
        code = dbk_fail(err, DBK_DAMAGED, "the records cannot be put back in place");
    environment_close(&environment);
    return code;
}

enum dbk_code repair_in_place(const struct repair_plan *plan, struct dbk_error *err)
{
    const struct dbk_verify_options told = {.watch = plan->options->watch};
    struct dbk_verify_result result;
    uint64_t died_at;
    enum dbk_code code = sandbox_run(run, plan, &told, &result, &died_at, err);

    if (code == DBK_OK && died_at > 0)
        code = dbk_fail(err, DBK_DAMAGED, "putting records back ended the one who did");
    return code;
}
