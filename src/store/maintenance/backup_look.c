#include "store/backup.h"

#include "environment.h"
#include "index.h"
#include "log_value.h"
#include "sandbox.h"
#include "scan.h"

#include <string.h>

#define PROGRESS_EVERY 4096

static void find(const struct dbk_verify_options *options,
                 struct dbk_verify_result *result, uint64_t sequence, const char *text)
{
    result->findings++;
    if (options->finding)
        options->finding(options->context, sequence, text);
}

static void look_at(const struct lmdb_scan *scan,
                    const struct dbk_verify_options *options,
                    struct dbk_verify_result *result)
{
    if (scan->missing)
        find(options, result, scan->sequence - scan->missing, "it is missing");
    if (scan->wrong) {
        find(options, result, scan->sequence, scan->wrong);
        return;
    }
    result->records++;
    result->last = scan->sequence;
    result->last_recorded_at = scan->record.recorded_at;
    result->last_checksum = log_value_checksum(scan->bytes, scan->length);
}

static int look_through(const struct environment *environment, MDB_txn *txn,
                        const struct dbk_verify_options *options,
                        struct dbk_verify_result *result)
{
    struct lmdb_scan scan;
    int rc = lmdb_scan_begin(&scan, txn, environment, 0);

    while (rc == 0 && (rc = lmdb_scan_next(&scan)) == 0) {
        look_at(&scan, options, result);
        if (scan.sequence % PROGRESS_EVERY == 0)
            dbk_watch_progress(&options->watch, "reading", "records", scan.sequence,
                               result->head, NULL);
    }
    lmdb_scan_end(&scan);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum dbk_code look(const void *dir, const struct dbk_verify_options *options,
                          struct dbk_verify_result *result, struct dbk_error *err)
{
    struct environment environment;
    enum dbk_code code = environment_open(dir, ENVIRONMENT_READ, 0, &environment, err);
    MDB_txn *txn = NULL;
    int rc;

    memset(result, 0, sizeof *result);
    if (code != DBK_OK)
        return code;
    result->store_id = environment.store_id;
    rc = mdb_txn_begin(environment.env, NULL, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = index_head(txn, &environment, &result->head);
    if (rc == 0)
        rc = look_through(&environment, txn, options, result);
    result->readable = rc == 0;
    result->whole = rc == 0 && result->records == result->head && !result->findings;
    if (rc != 0)
        code = lmdb_fail(err, environment.env, rc, "read it");
    mdb_txn_abort(txn);
    environment_close(&environment);
    if (code != DBK_DAMAGED)
        return code;
    find(options, result, result->last + 1,
         "the file's structure is damaged from here on");
    return DBK_OK;
}

enum dbk_code dbk_log_backup_look(const char *dir,
                                  const struct dbk_verify_options *options,
                                  struct dbk_verify_result *result,
                                  struct dbk_error *err)
{
    uint64_t died_at;
    enum dbk_code code = sandbox_run(look, dir, options, result, &died_at, err);

    if (code != DBK_OK || died_at == 0)
        return code;
    find(
        options, result, died_at,
        "the file's structure is damaged: reading from about here on ended the reader");
    return DBK_OK;
}
