#include "log_builder_private.h"

#include "environment.h"
#include "environment_meta.h"
#include "idempotency.h"
#include "index.h"
#include "log_value.h"
#include "place.h"
#include "reindex.h"
#include "store/proof/tree.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one transaction holds: enough that a sync costs little. */
#define BATCH_RECORDS 16384
#define BATCH_BYTES ((size_t)16 << 20)

struct dbk_log_builder {
    struct environment environment;
    MDB_txn *txn; /* NULL: none is open */
    uint64_t head;
    bool opened;           /* a sealed record, by the ring: it is the right one */
    unsigned format;       /* the log says that it has records of this one */
    size_t records, bytes; /* in txn */
};

void dbk_log_builder_abandon(struct dbk_log_builder *builder)
{
    if (!builder)
        return;
    if (builder->txn)
        mdb_txn_abort(builder->txn);
    environment_close(&builder->environment);
    free(builder);
}

static enum dbk_code begin(struct dbk_log_builder *builder, struct dbk_error *err)
{
    int rc;

    assert(!builder->txn);
    rc = mdb_txn_begin(builder->environment.env, NULL, 0, &builder->txn);
    builder->records = builder->bytes = 0;
    if (rc == 0)
        return DBK_OK;
    builder->txn = NULL;
    return lmdb_fail(err, builder->environment.env, rc, "fill the log");
}

static enum dbk_code commit(struct dbk_log_builder *builder, struct dbk_error *err)
{
    int rc = builder->txn ? mdb_txn_commit(builder->txn) : 0;

    builder->txn = NULL;
    return rc == 0 ? DBK_OK
                   : lmdb_fail(err, builder->environment.env, rc, "fill the log");
}

static bool has_data(const char *dir)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/data.mdb", dir) >= (int)sizeof path ||
           access(path, F_OK) == 0;
}

enum dbk_code dbk_log_builder_open_sealed(const char *dir, struct dbk_keys *keys,
                                          struct dbk_log_builder **out,
                                          struct dbk_error *err)
{
    struct dbk_log_builder *builder = calloc(1, sizeof *builder);
    bool is_new = !has_data(dir);
    enum dbk_code code;
    int rc;

    *out = NULL;
    if (!builder)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to fill a log");
    code = environment_make(dir, 0, NULL, keys != NULL, &builder->environment, err);
    builder->environment.keys = keys;
    if (code == DBK_OK)
        code = begin(builder, err);
    if (code != DBK_OK)
        goto fail;
    rc = index_head(builder->txn, &builder->environment, &builder->head);
    if (rc != 0)
        code = lmdb_fail(err, builder->environment.env, rc, "fill the log");
    else if (builder->head != 0)
        code = dbk_fail(err, DBK_EXISTS, "%s holds %llu records already", dir,
                        (unsigned long long)builder->head);
    if (code != DBK_OK)
        goto fail;
    *out = builder;
    return DBK_OK;

fail:
    dbk_log_builder_abandon(builder);
    if (is_new)
        dbk_log_builder_remove(dir);
    return code;
}

enum dbk_code dbk_log_builder_open(const char *dir, struct dbk_log_builder **out,
                                   struct dbk_error *err)
{
    return dbk_log_builder_open_sealed(dir, NULL, out, err);
}

static int put(struct dbk_log_builder *builder, const char *bytes, size_t length)
{
    uint64_t sequence = builder->head + 1;
    MDB_val key = {sizeof sequence, &sequence};
    MDB_val value = {length + LOG_VALUE_CHECKSUM, NULL};
    int rc = mdb_put(builder->txn, builder->environment.log, &key, &value,
                     MDB_APPEND | MDB_RESERVE);

    if (rc == 0)
        log_value_write(value.mv_data, bytes, length);
    return rc;
}

/* The record may be right, and the ring not. */
static enum dbk_code refuse(const struct dbk_log_builder *builder,
                            const struct dbk_record *record, const char *wrong,
                            struct dbk_error *err)
{
    unsigned long long sequence = record->sequence;

    if (reindex_lacks_key(&builder->environment, record))
        return dbk_fail(err, DBK_KEYS_AWAY, "record %llu cannot be read: %s", sequence,
                        wrong);
    if (record->key > 0 && builder->environment.keys && !builder->opened)
        return dbk_fail(
            err, DBK_CONFLICT,
            "the ring of keys does not open record %llu: it is a new one, or "
            "another log's; put this one's there, or its newest copy",
            sequence);
    return dbk_fail(err, DBK_DAMAGED, "record %llu cannot be here: %s", sequence,
                    wrong);
}

static enum dbk_code add(struct dbk_log_builder *builder,
                         const struct dbk_record *record, const char *bytes,
                         size_t length, struct dbk_error *err)
{
    const char *wrong;
    int rc;

    assert(builder->txn && record->sequence == builder->head + 1);
    rc = reindex_add(builder->txn, &builder->environment, record, &wrong);
    if (rc == 0 && wrong)
        return refuse(builder, record, wrong, err);
    if (rc == 0 && record->format > builder->format) {
        rc = environment_need_format(builder->txn, &builder->environment,
                                     record->format);
        builder->format = record->format;
    }
    if (rc == 0)
        rc = put(builder, bytes, length);
    if (rc != 0)
        return lmdb_fail(err, builder->environment.env, rc, "fill the log");
    builder->opened = builder->opened || record->key > 0;
    builder->head++;
    builder->records++;
    builder->bytes += length;
    return DBK_OK;
}

/* Else the ring of another log would be told as damage of the first record. */
static enum dbk_code check_ring(struct dbk_keys *keys, const char *bytes, size_t length,
                                struct dbk_error *err)
{
    struct dbk_keys_state state;
    struct dbk_hash first;
    enum dbk_code code = dbk_keys_state(keys, &state, err);

    if (code != DBK_OK || !state.bound)
        return code;
    dbk_hash_entry(bytes, length, &first);
    if (!memcmp(first.bytes, state.first, sizeof state.first))
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT,
                    "the ring of keys is another log's: put this one's there");
}

enum dbk_code dbk_log_builder_add(struct dbk_log_builder *builder, const char *bytes,
                                  size_t length, struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code = dbk_record_decode(bytes, length, &record, err);

    if (code != DBK_OK)
        return code;
    if (record.sequence != builder->head + 1)
        return dbk_fail(err, DBK_DAMAGED, "record %llu where %llu comes next",
                        (unsigned long long)record.sequence,
                        (unsigned long long)builder->head + 1);
    if (record.sequence == 1 && builder->environment.keys)
        code = check_ring(builder->environment.keys, bytes, length, err);
    if (code == DBK_OK)
        code = add(builder, &record, bytes, length, err);
    if (code == DBK_OK &&
        (builder->records >= BATCH_RECORDS || builder->bytes >= BATCH_BYTES)) {
        code = commit(builder, err);
        if (code == DBK_OK)
            code = begin(builder, err);
    }
    return code;
}

static int take_keys(struct dbk_log_builder *builder, MDB_cursor *from)
{
    MDB_val key, value;
    uint64_t sequence;
    int rc;

    while ((rc = mdb_cursor_get(from, &key, &value, MDB_NEXT)) == 0) {
        if (!idempotency_reaches(key, value, &sequence) || sequence > builder->head)
            continue;
        rc = mdb_put(builder->txn, builder->environment.idempotency, &key, &value, 0);
        if (rc != 0)
            return rc;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

enum dbk_code log_builder_take_keys(struct dbk_log_builder *builder, MDB_txn *from,
                                    const struct environment *environment,
                                    struct dbk_error *err)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(from, environment->idempotency, &cursor);

    if (rc == 0) {
        rc = take_keys(builder, cursor);
        mdb_cursor_close(cursor);
    }
    return rc == 0 ? DBK_OK
                   : lmdb_fail(err, builder->environment.env, rc,
                               "take over the idempotency keys");
}

enum dbk_code log_builder_name(struct dbk_log_builder *builder,
                               const struct dbk_uuid *store_id, struct dbk_error *err)
{
    int rc = environment_put_store_id(builder->txn, &builder->environment, store_id);

    return rc == 0 ? DBK_OK
                   : lmdb_fail(err, builder->environment.env, rc, "name the log");
}

enum dbk_code log_builder_join(struct dbk_log_builder *builder, MDB_txn *from,
                               const struct environment *environment,
                               struct dbk_error *err)
{
    bool changed = false;
    int rc =
        place_copy(from, environment, builder->txn, &builder->environment, &changed);

    if (rc == 0 && !changed)
        return dbk_fail(
            err, DBK_INVALID,
            "it has no place in a cluster, as no member's log and no backup of "
            "one is; of an incremental backup that was broken off, run that "
            "again");
    if (rc != 0)
        return lmdb_fail(err, builder->environment.env, rc,
                         "take over the place in the cluster");
    return log_builder_name(builder, &environment->store_id, err);
}

void dbk_log_builder_remove(const char *dir)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (snprintf(path, sizeof path, "%s/%s", dir, names[i]) < (int)sizeof path)
            unlink(path);
    }
    rmdir(dir);
}

uint64_t dbk_log_builder_head(const struct dbk_log_builder *builder)
{
    return builder->head;
}

enum dbk_code dbk_log_builder_finish(struct dbk_log_builder *builder,
                                     struct dbk_error *err)
{
    enum dbk_code code = commit(builder, err);

    dbk_log_builder_abandon(builder);
    return code;
}
