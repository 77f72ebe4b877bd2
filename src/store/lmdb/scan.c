#include "scan.h"

#include "log_value.h"

#include <assert.h>
#include <string.h>

int lmdb_scan_begin(struct lmdb_scan *scan, MDB_txn *txn,
                    const struct environment *environment, uint64_t after)
{
    memset(scan, 0, sizeof *scan);
    scan->sequence = after;
    return mdb_cursor_open(txn, environment->log, &scan->cursor);
}

void lmdb_scan_end(struct lmdb_scan *scan)
{
    if (scan->cursor)
        mdb_cursor_close(scan->cursor);
    scan->cursor = NULL;
}

/* The same content has one encoding, so other bytes were not written by this program. */
static bool is_canonical(const struct lmdb_scan *scan)
{
    char again[DBK_RECORD_MAX];
    size_t length;

    return dbk_record_encode(&scan->record, again, sizeof again, &length, NULL) ==
               DBK_OK &&
           length == scan->length && !memcmp(again, scan->bytes, length);
}

static const char *look_at(struct lmdb_scan *scan, MDB_val value)
{
    scan->bytes = value.mv_data;
    if (!log_value_check(value.mv_data, value.mv_size, &scan->length))
        return "its checksum is wrong: its bytes changed on disk";
    if (dbk_record_decode(scan->bytes, scan->length, &scan->record, &scan->error) !=
        DBK_OK)
        return scan->error.text;
    if (scan->record.sequence != scan->sequence)
        return "it says that it has another sequence";
    if (!is_canonical(scan))
        return "its bytes are not as this program writes them";
    return NULL;
}

int lmdb_scan_next(struct lmdb_scan *scan)
{
    uint64_t next = scan->sequence + 1;
    MDB_val key = {sizeof next, &next}, value;
    bool first = scan->bytes == NULL;
    int rc;

    assert(scan->cursor);
    rc = mdb_cursor_get(scan->cursor, &key, &value, first ? MDB_SET_RANGE : MDB_NEXT);
    if (rc != 0)
        return rc;
    if (key.mv_size != sizeof scan->sequence)
        return MDB_CORRUPTED;
    memcpy(&scan->sequence, key.mv_data, sizeof scan->sequence);
    if (scan->sequence < next)
        return MDB_CORRUPTED;
    scan->missing = scan->sequence - next;
    scan->wrong = look_at(scan, value);
    return 0;
}
