/* What was shipped once, out of the log again. */
#include "log_read.h"
#include "log_value.h"
#include "store/little_endian.h"

#include <inttypes.h>
#include <string.h>

static bool add(struct dbk_batch *batch, MDB_val value)
{
    char length[sizeof(uint32_t)];

    dbk_put_le32(length, (uint32_t)value.mv_size);
    return log_batch_append(batch, length, sizeof length) &&
           log_batch_append(batch, value.mv_data, value.mv_size);
}

static bool is_whole(MDB_val value)
{
    size_t length;

    return log_value_check(value.mv_data, value.mv_size, &length);
}

static enum dbk_code wrong(uint64_t sequence, const char *what, struct dbk_error *err)
{
    return dbk_fail(err, DBK_DAMAGED,
                    "record %" PRIu64 " %s: daybook verify tells more", sequence, what);
}

static enum dbk_code gather(MDB_cursor *cursor, uint64_t after, size_t max_bytes,
                            struct dbk_batch *batch, struct dbk_shipment *out,
                            struct dbk_error *err)
{
    uint64_t due = after + 1, sequence;
    MDB_val key = {sizeof due, &due}, value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

    for (; rc == 0; due++, out->count++) {
        if (out->count > 0 && (batch->bytes_used + value.mv_size + 4 > max_bytes ||
                               out->count == UINT32_MAX))
            return DBK_OK;
        if (key.mv_size != sizeof sequence)
            return lmdb_fail(err, NULL, MDB_CORRUPTED, "read the log");
        memcpy(&sequence, key.mv_data, sizeof sequence);
        if (sequence != due)
            return wrong(due, "is missing from the log", err);
        if (!is_whole(value))
            return wrong(due, "is damaged", err);
        if (!add(batch, value))
            return dbk_fail(err, DBK_NO_MEMORY, "no memory to read the log");
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? DBK_OK : lmdb_fail(err, NULL, rc, "read the log");
}

static enum dbk_code read_all(struct dbk_log *log, MDB_txn *txn, uint64_t after,
                              size_t max_bytes, struct dbk_batch *batch,
                              struct dbk_shipment *out, struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    uint64_t sequence = after;
    MDB_val key = {sizeof sequence, &sequence}, value;
    enum dbk_code code;
    MDB_cursor *cursor;
    int rc;

    if (after > 0) {
        rc = mdb_get(txn, environment->log, &key, &value);
        if (rc == MDB_NOTFOUND) /* past the head */
            return DBK_OK;
        if (rc != 0)
            return lmdb_fail(err, environment->env, rc, "read the log");
        if (!is_whole(value))
            return wrong(after, "is damaged", err);
        out->before =
            log_value_checksum(value.mv_data, value.mv_size - LOG_VALUE_CHECKSUM);
    }
    rc = mdb_cursor_open(txn, environment->log, &cursor);
    if (rc != 0)
        return lmdb_fail(err, environment->env, rc, "read the log");
    code = gather(cursor, after, max_bytes, batch, out, err);
    mdb_cursor_close(cursor);
    return code;
}

enum dbk_code dbk_log_shipment(struct dbk_log *log, uint64_t after, size_t max_bytes,
                               struct dbk_batch *batch, struct dbk_shipment *shipment,
                               struct dbk_error *err)
{
    enum dbk_code code;
    MDB_txn *txn;

    batch->count = 0;
    batch->bytes_used = 0;
    *shipment = (struct dbk_shipment){.first = after + 1};
    if (after == UINT64_MAX)
        return DBK_OK;
    code = log_begin_read(log, &txn, err);
    if (code != DBK_OK)
        return code;
    code = read_all(log, txn, after, max_bytes, batch, shipment, err);
    log_end_read(log, txn);
    if (code != DBK_OK)
        shipment->count = 0;
    shipment->body = (struct dbk_slice){batch->bytes, batch->bytes_used};
    return code;
}
