#include "store/backup.h"

#include "backup_check.h"
#include "environment.h"
#include "environment_meta.h"
#include "environment_prove.h"
#include "idempotency.h"
#include "index.h"
#include "index_forget.h"
#include "log_value.h"
#include "place.h"
#include "reindex.h"
#include "sandbox.h"
#include "scan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one transaction holds: enough that a sync costs little. */
#define BATCH_RECORDS 16384
#define BATCH_BYTES ((size_t)16 << 20)

/* What the two are called by: the text of errors names them. */
struct places {
    const char *source, *dir;
};

/* An idempotency key of the log, and the last record that it answers for. */
struct kept_key {
    uint64_t sequence;
    MDB_val key, value; /* in the log's map, as long as the transaction lasts */
};

/* One run, in the sandbox. */
struct append {
    const struct places *places;
    const struct dbk_verify_options *options;
    struct environment log, backup;
    MDB_txn *log_txn, *txn;       /* of the backup; NULL: none is open */
    uint64_t before, head, total; /* of the backup, of the backup now, of the log */
    size_t records, bytes;        /* in txn */
    unsigned format;              /* the backup says that it has records of this one */
    uint64_t findings;
    struct kept_key *keys; /* in the order of their records */
    size_t key_count, key_next;
};

static enum dbk_code fail(const struct append *append, int rc, struct dbk_error *err)
{
    char doing[64];

    snprintf(doing, sizeof doing, "append to the backup behind record %" PRIu64,
             append->head);
    return lmdb_fail(err, append->backup.env, rc, doing);
}

/* The stored value of a record, checksum and all. */
static int get_value(MDB_txn *txn, const struct environment *environment,
                     uint64_t sequence, MDB_val *value)
{
    MDB_val key = {sizeof sequence, &sequence};

    return mdb_get(txn, environment->log, &key, value);
}

/* The backup's last record is the log's, byte for byte, checksum and time: what two logs
 * have in common ends where they part, so all before it is the same. */
static enum dbk_code check_history(const struct append *append, struct dbk_error *err)
{
    const char *dir = append->places->dir;
    MDB_val there, here;
    size_t length;
    int rc;

    if (!dbk_uuid_equal(&append->log.store_id, &append->backup.store_id))
        return dbk_fail(err, DBK_CONFLICT,
                        "%s is a backup of another log: name another folder", dir);
    if (append->before > append->total)
        return dbk_fail(
            err, DBK_CONFLICT,
            "%s is of another history: it holds record %" PRIu64
            ", and this log ends with %" PRIu64
            "; it may have what the log has lost: keep it, and name another "
            "folder",
            dir, append->before, append->total);
    if (append->before == 0)
        return DBK_OK;
    if ((rc = get_value(append->txn, &append->backup, append->before, &here)) != 0 ||
        (rc = get_value(append->log_txn, &append->log, append->before, &there)) != 0)
        return fail(append, rc, err);
    if (!log_value_check(here.mv_data, here.mv_size, &length))
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: record %" PRIu64
                        ", its last, is damaged: daybook backup --verify tells more; "
                        "make a new backup",
                        dir, append->before);
    if (!log_value_check(there.mv_data, there.mv_size, &length))
        return dbk_fail(
            err, DBK_DAMAGED,
            "record %" PRIu64
            " of the log is damaged, so whether %s is of its history cannot "
            "be told: daybook verify",
            append->before, dir);
    if (here.mv_size == there.mv_size &&
        !memcmp(here.mv_data, there.mv_data, here.mv_size))
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT,
                    "%s is of another history: its record %" PRIu64
                    " is not this log's; keep it, and name another folder",
                    dir, append->before);
}

static int by_sequence(const void *left, const void *right)
{
    const struct kept_key *a = left, *b = right;

    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static int add_key(struct append *append, size_t *room, struct kept_key key)
{
    struct kept_key *grown;

    if (append->key_count == *room) {
        *room = *room ? 2 * *room : 1024;
        grown = realloc(append->keys, *room * sizeof *grown);
        if (!grown)
            return ENOMEM;
        append->keys = grown;
    }
    append->keys[append->key_count++] = key;
    return 0;
}

/* One of what changed nothing answers for no record that is new. */
static bool has_key(const struct append *append, struct kept_key *at)
{
    MDB_val there;

    return mdb_get(append->txn, append->backup.idempotency, &at->key, &there) == 0 &&
           there.mv_size == at->value.mv_size &&
           !memcmp(there.mv_data, at->value.mv_data, there.mv_size);
}

/* The keys that answer for records to come, and those that the backup has not. A damaged one is left out, as restore does. */
static int collect_keys(struct append *append)
{
    struct kept_key at;
    MDB_cursor *cursor;
    size_t room = 0;
    int rc = mdb_cursor_open(append->log_txn, append->log.idempotency, &cursor);

    if (rc != 0)
        return rc;
    while (rc == 0 &&
           (rc = mdb_cursor_get(cursor, &at.key, &at.value, MDB_NEXT)) == 0) {
        if (!idempotency_reaches(at.key, at.value, &at.sequence))
            continue;
        if (at.sequence > append->before || !has_key(append, &at))
            rc = add_key(append, &room, at);
    }
    mdb_cursor_close(cursor);
    if (append->key_count > 0)
        qsort(append->keys, append->key_count, sizeof *append->keys, by_sequence);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Those that the log has forgotten, since they expired. */
static int drop_keys(const struct append *append)
{
    MDB_val key, value, there;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(append->txn, append->backup.idempotency, &cursor);

    if (rc != 0)
        return rc;
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        rc = mdb_get(append->log_txn, append->log.idempotency, &key, &there);
        if (rc == MDB_NOTFOUND)
            rc = mdb_cursor_del(cursor, 0);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* With the records that they answer for, in one transaction. */
static int put_keys(struct append *append)
{
    int rc = 0;

    for (; rc == 0 && append->key_next < append->key_count; append->key_next++) {
        struct kept_key *at = &append->keys[append->key_next];

        if (at->sequence > append->head)
            break;
        rc = mdb_put(append->txn, append->backup.idempotency, &at->key, &at->value, 0);
    }
    return rc;
}

static int begin(struct append *append)
{
    int rc = mdb_txn_begin(append->backup.env, NULL, 0, &append->txn);

    append->records = append->bytes = 0;
    if (rc != 0)
        append->txn = NULL;
    return rc;
}

static int commit(struct append *append)
{
    int rc = put_keys(append);

    if (rc == 0)
        rc = mdb_txn_commit(append->txn);
    else
        mdb_txn_abort(append->txn);
    append->txn = NULL;
    return rc;
}

static int put(struct append *append, const struct lmdb_scan *scan)
{
    uint64_t sequence = scan->sequence;
    MDB_val key = {sizeof sequence, &sequence};
    MDB_val value = {scan->length + LOG_VALUE_CHECKSUM, (void *)(uintptr_t)scan->bytes};
    int rc = 0;

    if (scan->record.format > append->format)
        rc = environment_need_format(append->txn, &append->backup,
                                     append->format = scan->record.format);
    if (rc == 0)
        rc = mdb_put(append->txn, append->backup.log, &key, &value, MDB_APPEND);
    if (rc != 0)
        return rc;
    append->head = sequence;
    append->records++;
    append->bytes += scan->length;
    if (append->records < BATCH_RECORDS && append->bytes < BATCH_BYTES)
        return 0;
    rc = commit(append);
    return rc == 0 ? begin(append) : rc;
}

/* The log has nothing to take from here on. What is before it is kept. */
static void find(struct append *append, uint64_t sequence, const char *wrong)
{
    char text[256];

    snprintf(text, sizeof text, "%.150s; the backup ends before it: daybook verify",
             wrong);
    append->findings++;
    if (append->options->finding)
        append->options->finding(append->options->context, sequence, text);
}

/* *more turns false where it cannot go on. */
static int append_one(struct append *append, const struct lmdb_scan *scan, bool *more)
{
    const char *wrong = scan->missing ? "it is missing in the log" : scan->wrong;
    int rc = 0;

    if (!wrong)
        rc = reindex_add(append->txn, &append->backup, &scan->record, &wrong);
    if (rc != 0)
        return rc;
    *more = !wrong;
    if (!wrong)
        return put(append, scan);
    find(append, append->head + 1, wrong);
    return 0;
}

static int append_all(struct append *append)
{
    struct lmdb_scan scan;
    bool more = true;
    int rc = lmdb_scan_begin(&scan, append->log_txn, &append->log, append->before);

    while (rc == 0 && more && append->head < append->total) {
        rc = lmdb_scan_next(&scan);
        if (rc == 0)
            rc = append_one(append, &scan, &more);
        if (scan.sequence % 1024 == 0) /* the parent asks whether to go on */
            dbk_watch_progress(&append->options->watch, "appending", "records",
                               append->head - append->before,
                               append->total - append->before, NULL);
    }
    lmdb_scan_end(&scan);
    return rc;
}

static int check_appended(struct append *append)
{
    struct backup_check check = {.log = &append->log,
                                 .backup = &append->backup,
                                 .log_txn = append->log_txn,
                                 .same_head = append->head == append->total,
                                 .options = append->options};
    int rc = mdb_txn_begin(append->backup.env, NULL, MDB_RDONLY, &check.backup_txn);

    if (rc != 0)
        return rc;
    rc = backup_check_run(&check, append->before, append->head);
    append->findings += check.findings;
    mdb_txn_abort(check.backup_txn);
    return rc;
}

/* In the cluster, for a log that is in one: that of the last record. */
static int put_place(struct append *append)
{
    bool changed;

    return append->head < append->total
               ? 0
               : place_copy(append->log_txn, &append->log, append->txn, &append->backup,
                            &changed);
}

/* Until the last record is there, the backup has none: what it says would be wrong. */
static int drop_place(struct append *append)
{
    return append->backup.member && append->before < append->total
               ? place_drop(append->txn, &append->backup)
               : 0;
}

/* Whoever was erased since the backup cannot be read in it any more. */
static int forget_erased(const struct append *append)
{
    uint64_t last;
    int rc =
        environment_get_mark(append->log_txn, &append->log, ENVIRONMENT_ERASED, &last);

    return rc == 0 && last > append->before ? index_forget(append->txn, &append->backup)
                                            : rc;
}

/* With txn open, in which nothing is changed yet. */
static int bring_up(struct append *append)
{
    int rc = environment_prove(&append->backup);

    if (rc == 0)
        rc = collect_keys(append);
    if (rc == 0)
        rc = drop_keys(append);
    if (rc == 0)
        rc = drop_place(append);
    if (rc == 0)
        rc = forget_erased(append);
    if (rc == 0)
        rc = append_all(append);
    if (rc == 0)
        rc = put_place(append);
    if (rc == 0)
        rc = commit(append);
    return rc == 0 ? check_appended(append) : rc;
}

static enum dbk_code look_and_bring_up(struct append *append, struct dbk_error *err)
{
    enum dbk_code code;
    bool moved = false;
    int rc = mdb_txn_begin(append->log.env, NULL, MDB_RDONLY, &append->log_txn);

    if (rc != 0)
        append->log_txn = NULL;
    if (rc == 0)
        rc = begin(append);
    if (rc == 0)
        rc = index_head(append->log_txn, &append->log, &append->total);
    if (rc == 0)
        rc = index_head(append->txn, &append->backup, &append->before);
    if (rc == 0)
        rc = place_differs(append->log_txn, &append->log, append->txn, &append->backup,
                           &moved);
    if (rc != 0)
        return fail(append, rc, err);
    append->head = append->before;
    code = check_history(append, err);
    if (code != DBK_OK || (append->before == append->total && !moved))
        return code;
    rc = bring_up(append);
    return rc == 0 ? DBK_OK : fail(append, rc, err);
}

/* By which the indexes are made. */
static enum dbk_code take_ring(struct append *append, struct dbk_error *err)
{
    if (!append->log.sealed)
        return DBK_OK;
    append->log.keys = append->backup.keys = append->options->keys;
    if (append->options->keys)
        return DBK_OK;
    return dbk_fail(
        err, DBK_UNSUPPORTED,
        "the log is sealed, and its ring of keys is not here, by which a backup "
        "is added to: make a whole one");
}

static enum dbk_code run(const void *what, const struct dbk_verify_options *options,
                         struct dbk_verify_result *result, struct dbk_error *err)
{
    struct append append = {.places = what, .options = options};
    enum dbk_code code =
        environment_open(append.places->source, ENVIRONMENT_READ, 0, &append.log, err);
    struct dbk_uuid store_id;
    bool sealed;

    memset(result, 0, sizeof *result);
    if (code == DBK_OK)
        code = environment_open(append.places->dir, ENVIRONMENT_WRITE, 0,
                                &append.backup, err);
    if (code == DBK_OK)
        code = take_ring(&append, err);
    if (code == DBK_OK)
        code = look_and_bring_up(&append, err);
    store_id = append.log.store_id;
    sealed = append.log.sealed;
    mdb_txn_abort(append.txn); /* NULL is fine */
    mdb_txn_abort(append.log_txn);
    environment_close(&append.backup);
    environment_close(&append.log);
    free(append.keys);
    result->store_id = store_id;
    result->head = append.head;
    result->records = append.head - append.before;
    result->findings = append.findings;
    result->shut = sealed;
    return code;
}

enum dbk_code dbk_log_backup_append(const char *source, const char *dir,
                                    const struct dbk_backup_append_options *options,
                                    struct dbk_backup_appended *out,
                                    struct dbk_error *err)
{
    const struct dbk_verify_options told = {.finding = options->finding,
                                            .context = options->context,
                                            .keys = options->keys,
                                            .watch = options->watch};
    const struct places places = {source, dir};
    struct dbk_verify_result result;
    uint64_t died_at;
    enum dbk_code code = sandbox_run(run, &places, &told, &result, &died_at, err);

    *out = (struct dbk_backup_appended){.store_id = result.store_id,
                                        .before = result.head - result.records,
                                        .head = result.head,
                                        .findings = result.findings,
                                        .sealed = result.shut};
    if (code == DBK_OK && died_at > 0)
        code =
            dbk_fail(err, DBK_DAMAGED,
                     "the structure of the log or of %s is damaged: reading it ended "
                     "the reader; daybook verify and daybook backup --verify tell "
                     "which",
                     dir);
    return code;
}
