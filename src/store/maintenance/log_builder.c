#include "log_builder_private.h"

#include "environment.h"
#include "idempotency.h"
#include "reindex.h"
#include "index.h"
#include "log_value.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one transaction holds: enough that a sync costs little. */
#define BATCH_RECORDS 16384
#define BATCH_BYTES ((size_t)16 << 20)

struct dbk_refill {
    struct dbk_environment environment;
    MDB_txn *txn; /* NULL: none is open */
    uint64_t head;
    size_t records, bytes; /* in txn */
};

void dbk_refill_abandon(struct dbk_refill *refill)
{
    if (!refill)
        return;
    if (refill->txn)
        mdb_txn_abort(refill->txn);
    dbk_environment_close(&refill->environment);
    free(refill);
}

static enum dbk_code begin(struct dbk_refill *refill, struct dbk_error *err)
{
    int rc = mdb_txn_begin(refill->environment.env, NULL, 0, &refill->txn);

    refill->records = refill->bytes = 0;
    if (rc == 0)
        return DBK_OK;
    refill->txn = NULL;
    return dbk_lmdb_fail(err, refill->environment.env, rc, "fill the log");
}

static enum dbk_code commit(struct dbk_refill *refill, struct dbk_error *err)
{
    int rc = refill->txn ? mdb_txn_commit(refill->txn) : 0;

    refill->txn = NULL;
    return rc == 0 ? DBK_OK
                   : dbk_lmdb_fail(err, refill->environment.env, rc, "fill the log");
}

static bool has_data(const char *dir)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/data.mdb", dir) >= (int)sizeof path ||
           access(path, F_OK) == 0;
}

enum dbk_code dbk_refill_open(const char *dir, struct dbk_refill **out,
                              struct dbk_error *err)
{
    struct dbk_refill *refill = calloc(1, sizeof *refill);
    bool is_new = !has_data(dir);
    enum dbk_code code;
    int rc;

    *out = NULL;
    if (!refill)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to fill a log");
    code = dbk_environment_open(dir, DBK_MAKE, 0, &refill->environment, err);
    if (code == DBK_OK)
        code = begin(refill, err);
    if (code != DBK_OK)
        goto fail;
    rc = dbk_index_head(refill->txn, &refill->environment, &refill->head);
    if (rc != 0)
        code = dbk_lmdb_fail(err, refill->environment.env, rc, "fill the log");
    else if (refill->head != 0)
        code = dbk_fail(err, DBK_EXISTS, "%s holds %llu records already", dir,
                        (unsigned long long)refill->head);
    if (code != DBK_OK)
        goto fail;
    *out = refill;
    return DBK_OK;

fail:
    dbk_refill_abandon(refill);
    if (is_new)
        dbk_refill_remove(dir);
    return code;
}

static int put(struct dbk_refill *refill, const char *bytes, size_t length)
{
    uint64_t sequence = refill->head + 1;
    MDB_val key = {sizeof sequence, &sequence};
    MDB_val value = {length + DBK_CHECKSUM_BYTES, NULL};
    int rc = mdb_put(refill->txn, refill->environment.log, &key, &value,
                     MDB_APPEND | MDB_RESERVE);

    if (rc == 0)
        dbk_log_value_write(value.mv_data, bytes, length);
    return rc;
}

static enum dbk_code add(struct dbk_refill *refill, const struct dbk_record *record,
                         const char *bytes, size_t length, struct dbk_error *err)
{
    const char *wrong;
    int rc = dbk_implied_add(refill->txn, &refill->environment, record, &wrong);

    if (rc == 0 && wrong)
        return dbk_fail(err, DBK_DAMAGED, "record %llu cannot be here: %s",
                        (unsigned long long)record->sequence, wrong);
    if (rc == 0)
        rc = put(refill, bytes, length);
    if (rc != 0)
        return dbk_lmdb_fail(err, refill->environment.env, rc, "fill the log");
    refill->head++;
    refill->records++;
    refill->bytes += length;
    return DBK_OK;
}

enum dbk_code dbk_refill_add(struct dbk_refill *refill, const char *bytes,
                             size_t length, struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code = dbk_record_decode(bytes, length, &record, err);

    if (code != DBK_OK)
        return code;
    if (record.sequence != refill->head + 1)
        return dbk_fail(err, DBK_DAMAGED, "record %llu where %llu comes next",
                        (unsigned long long)record.sequence,
                        (unsigned long long)refill->head + 1);
    code = add(refill, &record, bytes, length, err);
    if (code == DBK_OK &&
        (refill->records >= BATCH_RECORDS || refill->bytes >= BATCH_BYTES)) {
        code = commit(refill, err);
        if (code == DBK_OK)
            code = begin(refill, err);
    }
    return code;
}

static int take_keys(struct dbk_refill *refill, MDB_cursor *from)
{
    MDB_val key, value;
    uint64_t sequence;
    int rc;

    while ((rc = mdb_cursor_get(from, &key, &value, MDB_NEXT)) == 0) {
        if (!dbk_idempotency_reaches(key, value, &sequence) || sequence > refill->head)
            continue;
        rc = mdb_put(refill->txn, refill->environment.idempotency, &key, &value, 0);
        if (rc != 0)
            return rc;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

enum dbk_code dbk_refill_keys(struct dbk_refill *refill, MDB_txn *from,
                              const struct dbk_environment *environment,
                              struct dbk_error *err)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(from, environment->idempotency, &cursor);

    if (rc == 0) {
        rc = take_keys(refill, cursor);
        mdb_cursor_close(cursor);
    }
    return rc == 0 ? DBK_OK
                   : dbk_lmdb_fail(err, refill->environment.env, rc,
                                   "take over the idempotency keys");
}

void dbk_refill_remove(const char *dir)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (snprintf(path, sizeof path, "%s/%s", dir, names[i]) < (int)sizeof path)
            unlink(path);
    }
    rmdir(dir);
}

uint64_t dbk_refill_head(const struct dbk_refill *refill)
{
    return refill->head;
}

enum dbk_code dbk_refill_finish(struct dbk_refill *refill, struct dbk_error *err)
{
    enum dbk_code code = commit(refill, err);

    dbk_refill_abandon(refill);
    return code;
}
