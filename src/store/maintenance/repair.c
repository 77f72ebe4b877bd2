#include "environment.h"
#include "environment_prove.h"
#include "index.h"
#include "reindex.h"
#include "sandbox.h"
#include "scan.h"
#include "store/verify.h"

#define PROGRESS_EVERY 4096

static bool go_on(const struct dbk_verify_options *options, uint64_t done,
                  uint64_t total)
{
    return done % PROGRESS_EVERY != 0 ||
           dbk_watch_progress(&options->watch, "making indexes", "records", done, total,
                              NULL) == DBK_OK;
}

static enum dbk_code add_record(const struct lmdb_scan *scan, MDB_txn *txn,
                                const struct environment *environment,
                                struct dbk_error *err)
{
    const char *wrong = scan->missing ? "one before it is missing" : scan->wrong;
    int rc = 0;

    if (!wrong)
        rc = reindex_add(txn, environment, &scan->record, &wrong);
    if (wrong && reindex_lacks_key(environment, &scan->record))
        return dbk_fail(err, DBK_DAMAGED, "record %llu: %s",
                        (unsigned long long)scan->sequence, wrong);
    if (wrong)
        return dbk_fail(err, DBK_DAMAGED, "record %llu: %s; restore from a backup",
                        (unsigned long long)scan->sequence, wrong);
    return rc == 0 ? DBK_OK
                   : lmdb_fail(err, environment->env, rc, "make the indexes anew");
}

static enum dbk_code add_all(struct lmdb_scan *scan, MDB_txn *txn,
                             const struct environment *environment,
                             const struct dbk_verify_options *options,
                             struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    uint64_t head;
    int rc = index_head(txn, environment, &head);

    while (rc == 0 && code == DBK_OK && (rc = lmdb_scan_next(scan)) == 0) {
        code = add_record(scan, txn, environment, err);
        if (code == DBK_OK && !go_on(options, scan->sequence, head))
            code = dbk_fail(err, DBK_INTERRUPTED, "stopped; nothing was changed");
    }
    if (code == DBK_OK && rc != MDB_NOTFOUND)
        return lmdb_fail(err, environment->env, rc, "read the log");
    return code;
}

static enum dbk_code rebuild(MDB_txn *txn, const struct environment *environment,
                             const struct dbk_verify_options *options,
                             struct dbk_error *err)
{
    struct lmdb_scan scan = {.cursor = NULL};
    enum dbk_code code;
    int rc = reindex_clear(txn, environment);

    if (rc == 0)
        rc = lmdb_scan_begin(&scan, txn, environment, 0);
    if (rc != 0)
        return lmdb_fail(err, environment->env, rc, "make the indexes anew");
    code = add_all(&scan, txn, environment, options, err);
    lmdb_scan_end(&scan);
    return code;
}

static enum dbk_code repair(const void *dir, const struct dbk_verify_options *options,
                            struct dbk_verify_result *result, struct dbk_error *err)
{
    struct environment environment;
    enum dbk_code code = environment_open(dir, ENVIRONMENT_WRITE, 0, &environment, err);
    MDB_txn *txn;
    int rc;

    (void)result;
    if (code == DBK_OK && environment.sealed && !options->keys) {
        environment_close(&environment);
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the log is sealed, and its indexes are made by its ring of "
                        "keys, which is not here");
    }
    if (code != DBK_OK)
        return code;
    environment.keys = environment.sealed ? options->keys : NULL;
    rc = mdb_txn_begin(environment.env, NULL, 0, &txn);
    if (rc == 0 && (rc = environment_prove(&environment)) != 0)
        mdb_txn_abort(txn);
    if (rc == 0) {
        code = rebuild(txn, &environment, options, err);
        if (code == DBK_OK)
            rc = mdb_txn_commit(txn);
        else
            mdb_txn_abort(txn);
    }
    if (rc != 0)
        code = lmdb_fail(err, environment.env, rc, "make the indexes anew");
    environment_close(&environment);
    return code;
}

enum dbk_code dbk_log_repair_indexes(const char *dir, struct dbk_keys *keys,
                                     const struct dbk_watch *watch,
                                     struct dbk_error *err)
{
    static const struct dbk_watch nobody = {.context = NULL};
    const struct dbk_verify_options options = {.keys = keys,
                                               .watch = watch ? *watch : nobody};
    struct dbk_verify_result result;
    uint64_t died_at;
    enum dbk_code code = sandbox_run(repair, dir, &options, &result, &died_at, err);

    if (code == DBK_OK && died_at > 0)
        code =
            dbk_fail(err, DBK_DAMAGED,
                     "the file's structure is damaged: making the indexes anew ended "
                     "the reader, and nothing was changed; restore from a backup");
    return code;
}
