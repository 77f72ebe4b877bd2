#include "store/verify.h"

#include "compare.h"
#include "environment.h"
#include "idempotency.h"
#include "index.h"
#include "log_bind.h"
#include "log_builder_private.h"
#include "log_value.h"
#include "place.h"
#include "reindex.h"
#include "sandbox.h"
#include "scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INDEX_DAMAGED                                                                  \
    "all records could be read, but not all of an index, so damaged is it: daybook "   \
    "verify --repair-indexes makes the indexes anew"
#define BATCH_RECORDS 16384 /* read and indexed in one transaction each */

/* One check under way. */
struct check {
    const struct dbk_verify_options *options;
    struct dbk_verify_result *result;
    struct environment log;     /* the one that is checked */
    struct environment scratch; /* the indexes that its records imply */
    uint64_t keyless;           /* records whose keys the ring has not, or damaged */
    uint64_t done;              /* the last sequence looked at */
    uint64_t total;             /* the head, when last seen */
};

static void find(struct check *check, uint64_t sequence, const char *text)
{
    check->result->findings++;
    if (check->options->finding)
        check->options->finding(check->options->context, sequence, text);
}

static void find_in_indexes(void *context, const char *text)
{
    find(context, 0, text);
}

static void find_missing(struct check *check, uint64_t missing, uint64_t before)
{
    char text[96];

    snprintf(text, sizeof text,
             "%" PRIu64 " records are missing, up to the one before %" PRIu64, missing,
             before);
    find(check, before - missing, text);
}

static void note_right(struct dbk_verify_result *result, const struct lmdb_scan *scan)
{
    result->records++;
    result->last = scan->sequence;
    result->last_recorded_at = scan->record.recorded_at;
    result->last_checksum = log_value_checksum(scan->bytes, scan->length);
}

static int check_record(struct check *check, const struct lmdb_scan *scan,
                        MDB_txn *implied)
{
    const char *wrong = scan->wrong;
    int rc = 0;

    if (scan->missing)
        find_missing(check, scan->missing, scan->sequence);
    if (!wrong && !check->result->shut)
        rc = reindex_add(implied, &check->scratch, &scan->record, &wrong);
    if (rc != 0)
        return rc;
    if (wrong && reindex_lacks_key(&check->log, &scan->record))
        check->keyless++;
    if (wrong)
        find(check, scan->sequence, wrong);
    else
        note_right(check->result, scan);
    check->done = scan->sequence;
    return 0;
}

/* Up to `most` records behind the last one. *end: there are no more. */
static int check_records(struct check *check, MDB_txn *txn, MDB_txn *implied,
                         uint64_t most, bool *end)
{
    struct lmdb_scan scan;
    int rc = lmdb_scan_begin(&scan, txn, &check->log, check->done);

    for (uint64_t i = 0; rc == 0 && i < most; i++) {
        rc = lmdb_scan_next(&scan);
        if (rc == 0)
            rc = check_record(check, &scan, implied);
    }
    lmdb_scan_end(&scan);
    *end = rc == MDB_NOTFOUND;
    return *end ? 0 : rc;
}

/* No record implies them, so all that can be said is whether they can be read. */
static int check_keys(struct check *check, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t sequence;
    int rc = mdb_cursor_open(txn, check->log.idempotency, &cursor);

    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        if (!idempotency_reaches(key, value, &sequence))
            find(check, 0,
                 "the entry of an idempotency key is damaged: requests with that key "
                 "are refused; daybook restore leaves it out");
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of a log that is one of several copies. */
static int check_place(struct check *check, MDB_txn *txn)
{
    struct dbk_verify_result *result = check->result;
    const char *wrong;
    char text[256];
    int rc = place_check(txn, &check->log, &result->place, &result->member, &wrong);

    if (rc != 0 || !wrong)
        return rc;
    snprintf(text, sizeof text,
             "%s: begin this member anew from a backup of another one (daybook restore "
             "--member)",
             wrong);
    find(check, 0, text);
    return 0;
}

static bool go_on(const struct check *check)
{
    return dbk_watch_progress(&check->options->watch, "checking the log", "records",
                              check->done, check->total, NULL) == DBK_OK;
}

/* One short look: no reader is kept for long, so the log's file does not grow. */
static int check_batch(struct check *check, bool *end)
{
    MDB_txn *txn = NULL, *implied = NULL;
    int rc = mdb_txn_begin(check->log.env, NULL, MDB_RDONLY, &txn);

    if (rc == 0)
        rc = mdb_txn_begin(check->scratch.env, NULL, 0, &implied);
    if (rc == 0)
        rc = index_head(txn, &check->log, &check->total);
    if (rc == 0)
        rc = check_records(check, txn, implied, BATCH_RECORDS, end);
    if (rc == 0) {
        rc = mdb_txn_commit(implied);
        implied = NULL;
    }
    mdb_txn_abort(implied);
    mdb_txn_abort(txn);
    return rc;
}

/* What is left, and then the indexes, as both are at one moment. */
static int check_indexes(struct check *check)
{
    MDB_txn *txn = NULL, *implied = NULL;
    int rc = mdb_txn_begin(check->log.env, NULL, MDB_RDONLY, &txn);
    bool end;

    if (rc == 0)
        rc = mdb_txn_begin(check->scratch.env, NULL, 0, &implied);
    if (rc == 0)
        rc = index_head(txn, &check->log, &check->result->head);
    if (rc == 0)
        rc = check_records(check, txn, implied, UINT64_MAX, &end);
    if (rc == 0)
        rc = check_keys(check, txn);
    if (rc == 0)
        rc = check_place(check, txn);
    if (rc == 0)
        check->result->whole = check->result->records == check->result->head;
    /* What they imply is not known, and would be told as too much in the indexes. */
    if (rc == 0 && !check->result->shut && check->keyless == 0)
        rc = compare_indexes(txn, &check->log, implied, &check->scratch,
                             find_in_indexes, check);
    check->result->readable = rc == 0;
    mdb_txn_abort(implied);
    mdb_txn_abort(txn);
    return rc;
}

static bool is_damage(int rc)
{
    return rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_CURSOR_FULL;
}

static enum dbk_code check_all(struct check *check, struct dbk_error *err)
{
    bool end = false;
    int rc = 0;

    while (rc == 0 && !end) {
        rc = check_batch(check, &end);
        if (rc == 0 && !go_on(check))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped at record %" PRIu64,
                            check->done);
    }
    if (rc == 0 && is_damage(rc = check_indexes(check))) {
        check->result->head = check->total;
        find(check, 0, INDEX_DAMAGED);
        return DBK_OK;
    }
    if (is_damage(rc)) {
        check->result->head = check->total;
        find(check, check->done + 1, "the file's structure is damaged from here on");
        return DBK_OK;
    }
    /* Of the two only the scratch is written, so it is what has no room. */
    return rc == 0 ? DBK_OK : lmdb_fail(err, check->scratch.env, rc, "check the log");
}

/* Every record, or many, would be found wrong, and none is. */
static void check_ring(struct check *check)
{
    struct dbk_error why;
    MDB_txn *txn;

    if (!check->log.keys || mdb_txn_begin(check->log.env, NULL, MDB_RDONLY, &txn) != 0)
        return;
    if (log_bind_check(&check->log, txn, &why) != DBK_OK) {
        check->result->shut = true;
        find(check, 0, why.text);
    }
    mdb_txn_abort(txn);
}

/* In the sandbox. The scratch directory is left for the caller to remove. */
static enum dbk_code check_log(const void *dir,
                               const struct dbk_verify_options *options,
                               struct dbk_verify_result *result, struct dbk_error *err)
{
    struct check check = {.options = options, .result = result};
    enum dbk_code code;

    memset(result, 0, sizeof *result);
    code = environment_open(dir, ENVIRONMENT_READ, 0, &check.log, err);
    if (code != DBK_OK)
        return code;
    result->store_id = check.log.store_id;
    result->shut = check.log.sealed && !options->keys;
    code = environment_make(options->scratch_dir, 0, NULL, check.log.sealed,
                            &check.scratch, err);
    if (code == DBK_OK) {
        check.log.keys = check.scratch.keys = check.log.sealed ? options->keys : NULL;
        check_ring(&check);
        /* Nobody will ever open it again: no need to wait for the disk. */
        mdb_env_set_flags(check.scratch.env, MDB_NOSYNC, 1);
        code = check_all(&check, err);
    }
    environment_close(&check.scratch);
    environment_close(&check.log);
    return code;
}

enum dbk_code dbk_log_verify(const char *dir, const struct dbk_verify_options *options,
                             struct dbk_verify_result *result, struct dbk_error *err)
{
    enum dbk_code code;
    uint64_t died_at;

    dbk_log_builder_remove(options->scratch_dir);
    code = sandbox_run(check_log, dir, options, result, &died_at, err);
    dbk_log_builder_remove(options->scratch_dir); /* one that died leaves it */
    if (code != DBK_OK || died_at == 0)
        return code;
    result->findings++; /* that the file kills its reader is one */
    if (options->finding && result->head > 0 && died_at > result->head)
        options->finding(options->context, 0, INDEX_DAMAGED);
    else if (options->finding)
        options->finding(options->context, died_at,
                         "the file's structure is damaged: reading from about here on "
                         "ended the reader; restore from a backup");
    return DBK_OK;
}
