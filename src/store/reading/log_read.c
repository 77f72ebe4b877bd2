#include "log_read.h"

#include "fault_watch.h"
#include "identity.h"
#include "index.h"
#include "log_value.h"
#include "map.h"
#include "months.h"
#include "record_layout.h"
#include "store/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How soon what another process appended is noticed. */
#define POLL_MS 50

/* How long to wait for another thread to reopen. */
#define PANIC_MS 2000

/* How much of the file may be read before it is unmapped; and what a read counts for at
 * least, since the system maps more than the page that was asked for: up to about four
 * times as much stays mapped. */
enum { TOUCHED_MAX = 8 << 20, TOUCHED_MIN = 16 << 10 };

/* With the gate held on DBK_OK. */
static enum dbk_code try_begin_read(struct dbk_log *log, MDB_txn **txn, int *rc,
                                    struct dbk_error *err)
{
    enum dbk_code code;

    *rc = 0;
    pthread_rwlock_rdlock(&log->gate);
    if (!log->usable) {
        pthread_rwlock_unlock(&log->gate);
        return dbk_fail(err, DBK_UNAVAILABLE, "the log could not be reopened yet");
    }
    fault_enter(log->environment.env);
    *rc = mdb_txn_begin(log->environment.env, NULL, MDB_RDONLY, txn);
    if (*rc == 0)
        return DBK_OK;
    fault_leave();
    code = lmdb_fail(err, log->environment.env, *rc, "read the log");
    pthread_rwlock_unlock(&log->gate);
    return code;
}

enum dbk_code log_begin_read(struct dbk_log *log, MDB_txn **txn, struct dbk_error *err)
{
    enum dbk_code code;
    int rc;

    code = try_begin_read(log, txn, &rc, err);
    /* A commit has just failed, and whoever made it is about to shut the gate. */
    for (int i = 0; rc == MDB_PANIC && i < PANIC_MS; i++) {
        dbk_sleep_ms(1);
        code = try_begin_read(log, txn, &rc, err);
    }
    return code;
}

void log_end_read(struct dbk_log *log, MDB_txn *txn)
{
    assert(log_gate_is_held(log));
    mdb_txn_abort(txn);
    fault_leave();
    pthread_rwlock_unlock(&log->gate);
}

/* The file itself tells which transaction was the last, whoever made it; LMDB publishes it
 * to readers a moment later, so what is asked of a transaction may be older, but is never
 * mistaken for newer. */
bool log_head_is_known(struct dbk_log *log, uint64_t *head)
{
    size_t txn = atomic_load(&log->head_txn);
    MDB_envinfo info;

    assert(log_gate_is_held(log));
    *head = atomic_load(&log->head_known); /* of txn, or of a later one by now */
    return log->usable && txn != 0 && mdb_env_info(log->environment.env, &info) == 0 &&
           info.me_last_txnid == txn;
}

static void know_head(struct dbk_log *log, size_t txn, uint64_t head)
{
    pthread_mutex_lock(&log->mutex);
    if (txn > atomic_load(&log->head_txn)) {
        atomic_store(&log->head_known, head);
        atomic_store(&log->head_txn, txn);
    }
    pthread_mutex_unlock(&log->mutex);
}

enum dbk_code dbk_log_head(struct dbk_log *log, uint64_t *head, struct dbk_error *err)
{
    enum dbk_code code;
    MDB_txn *txn;
    bool known;
    int rc;

    pthread_rwlock_rdlock(&log->gate);
    known = log_head_is_known(log, head);
    pthread_rwlock_unlock(&log->gate);
    if (known)
        return DBK_OK;
    *head = 0;
    code = log_begin_read(log, &txn, err);
    if (code != DBK_OK)
        return code;
    rc = index_head(txn, &log->environment, head);
    if (rc == 0)
        know_head(log, mdb_txn_id(txn), *head);
    else
        code = lmdb_fail(err, log->environment.env, rc, "find the log's head");
    log_end_read(log, txn);
    return code;
}

void dbk_batch_clear(struct dbk_batch *batch)
{
    /* Of a log that is not sealed the file has it all. */
    if (batch->keys && batch->bytes_used > 0)
        explicit_bzero(batch->bytes, batch->bytes_used);
    batch->count = batch->bytes_used = 0;
    batch->expired = 0;
}

void dbk_batch_finish(struct dbk_batch *batch)
{
    free(batch->entries);
    free(batch->bytes);
    memset(batch, 0, sizeof *batch);
}

static bool reserve(void **memory, size_t *size, size_t needed, size_t item,
                    size_t least)
{
    size_t wanted = *size * 2 > least ? *size * 2 : least;
    void *grown;

    if (needed <= *size)
        return true;
    if (wanted < needed)
        wanted = needed;
    grown = realloc(*memory, wanted * item);
    if (!grown)
        return false;
    *memory = grown;
    *size = wanted;
    assert(needed <= wanted);
    return true;
}

/* A sealed record is opened behind its bytes. */
static size_t room_to_open(const char *bytes, size_t size)
{
    unsigned format = size > 2 ? record_get_format(bytes) : 0;

    return format == RECORD_FORMAT_SEALED || format == RECORD_FORMAT_MONTH ? size : 0;
}

static bool batch_add(struct dbk_batch *batch, uint64_t sequence, const char *bytes,
                      size_t size)
{
    size_t length, room = room_to_open(bytes, size);
    uint32_t checksum = 0;

    if (!reserve((void **)&batch->entries, &batch->entries_size, batch->count + 1,
                 sizeof *batch->entries, 64) ||
        !reserve((void **)&batch->bytes, &batch->bytes_size,
                 batch->bytes_used + size + room, 1, 16384))
        return false;
    if (!log_value_check(bytes, size, &length))
        length = 0;
    assert(batch->bytes_used + length <= batch->bytes_size);
    assert(batch->count < batch->entries_size);
    if (length) {
        memcpy(batch->bytes + batch->bytes_used, bytes, length);
        checksum = log_value_checksum(bytes, length);
    }
    batch->entries[batch->count++] =
        (struct dbk_batch_entry){sequence, batch->bytes_used, length, checksum};
    batch->bytes_used += length + room;
    return true;
}

bool log_batch_append(struct dbk_batch *batch, const void *bytes, size_t length)
{
    if (!reserve((void **)&batch->bytes, &batch->bytes_size, batch->bytes_used + length,
                 1, 16384))
        return false;
    if (length > 0)
        memcpy(batch->bytes + batch->bytes_used, bytes, length);
    batch->bytes_used += length;
    return true;
}

/* What a read is bounded by. */
struct bounds {
    size_t max_records, max_bytes;
};

static bool fits(const struct dbk_batch *batch, const struct bounds *bounds,
                 const struct log_walk *walk)
{
    return batch->count == 0 || batch->bytes_used + walk->size <= bounds->max_bytes;
}

/* Inside the transaction: `at` points to what it has read. */
static void note_touched(struct dbk_log *log, const void *at, size_t bytes)
{
    size_t more = bytes > TOUCHED_MIN ? bytes : TOUCHED_MIN;

    if (atomic_fetch_add(&log->touched, more) + more < TOUCHED_MAX)
        return;
    atomic_store(&log->touched, 0);
    map_give_back(at);
}

enum dbk_code log_walk_begin(struct dbk_log *log, uint64_t after, struct log_walk *walk,
                             struct dbk_error *err)
{
    enum dbk_code code = log_begin_read(log, &walk->txn, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = mdb_cursor_open(walk->txn, log->environment.log, &walk->cursor);
    if (rc != 0) {
        code = lmdb_fail(err, log->environment.env, rc, "read the log");
        log_end_read(log, walk->txn);
    }
    walk->log = log;
    walk->sequence = after;
    walk->touched = 0;
    walk->bytes = NULL;
    return code;
}

enum dbk_code log_walk_next(struct log_walk *walk, struct dbk_error *err)
{
    uint64_t expected = walk->sequence + 1, sequence;
    MDB_val key = {sizeof expected, &expected}, value;
    int rc = mdb_cursor_get(walk->cursor, &key, &value,
                            walk->bytes ? MDB_NEXT : MDB_SET_RANGE);

    if (rc == MDB_NOTFOUND)
        return DBK_NOT_FOUND;
    if (rc != 0)
        return lmdb_fail(err, walk->log->environment.env, rc, "read the log");
    if (key.mv_size != sizeof sequence)
        return lmdb_fail(err, NULL, MDB_CORRUPTED, "read the log");
    memcpy(&sequence, key.mv_data, sizeof sequence);
    if (sequence != expected)
        return dbk_fail(err, DBK_DAMAGED, "record %llu is missing from the log",
                        (unsigned long long)expected);
    walk->sequence = sequence;
    walk->bytes = value.mv_data;
    walk->size = value.mv_size;
    walk->touched += value.mv_size;
    return DBK_OK;
}

void log_walk_end(struct log_walk *walk)
{
    if (walk->bytes)
        note_touched(walk->log, walk->bytes, walk->touched);
    mdb_cursor_close(walk->cursor);
    log_end_read(walk->log, walk->txn);
}

/* What its records are opened with, and which events are not to be shown, as of the
 * transaction. */
static enum dbk_code end_batch(struct dbk_log *log, MDB_txn *txn,
                               struct dbk_batch *batch, struct dbk_error *err)
{
    int rc = log->sealed ? months_expired(txn, &log->environment, &batch->expired) : 0;

    batch->keys = log->sealed ? log->options.keys : NULL;
    return rc == 0 ? DBK_OK : lmdb_fail(err, log->environment.env, rc, "read the log");
}

static enum dbk_code read_from(struct log_walk *walk, const struct bounds *bounds,
                               struct dbk_batch *batch, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    assert(batch->count == 0 && batch->bytes_used == 0);
    while (batch->count < bounds->max_records &&
           (code = log_walk_next(walk, err)) == DBK_OK && fits(batch, bounds, walk)) {
        if (!batch_add(batch, walk->sequence, walk->bytes, walk->size))
            return dbk_fail(err, DBK_NO_MEMORY, "no memory to read the log");
    }
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

enum dbk_code dbk_log_read(struct dbk_log *log, uint64_t after, size_t max_records,
                           size_t max_bytes, struct dbk_batch *batch,
                           struct dbk_error *err)
{
    struct bounds bounds = {max_records, max_bytes};
    struct log_walk walk;
    enum dbk_code code;

    dbk_batch_clear(batch);
    if (max_records == 0 || after == UINT64_MAX)
        return DBK_OK;
    code = log_walk_begin(log, after, &walk, err);
    if (code != DBK_OK)
        return code;
    code = read_from(&walk, &bounds, batch, err);
    if (code == DBK_OK)
        code = end_batch(log, walk.txn, batch, err);
    log_walk_end(&walk);
    if (code != DBK_OK)
        batch->count = 0;
    return code;
}

/* Whose it is, too. MDB_NOTFOUND also where it was deleted, or is expired. */
static int find_live_event(const struct environment *environment, MDB_txn *txn,
                           const struct dbk_uuid *id, uint64_t *sequence,
                           struct dbk_uuid *owner)
{
    struct dbk_person_state person;
    struct dbk_event_state event;
    struct dbk_record record;
    uint64_t expired;
    int rc = index_get_event(txn, environment, id, &event);

    if (rc == 0)
        rc = months_expired(txn, environment, &expired);
    if (rc == 0 && (event.deleted_sequence != 0 || event.sequence <= expired))
        return MDB_NOTFOUND;
    if (rc == 0)
        rc = identity_of_event(txn, environment, &event, owner, &record);
    if (rc != 0)
        return rc;
    *sequence = event.sequence;
    if (record.anonymous_id.length > 0) /* whoever has it lives */
        return 0;
    rc = index_look_person(txn, environment, &event.person_id, &person);
    return rc == 0 && (person.deleted || person.erased) ? MDB_NOTFOUND : rc;
}

static enum dbk_code copy_record(struct dbk_log *log, MDB_txn *txn, uint64_t sequence,
                                 struct dbk_batch *batch, struct dbk_error *err)
{
    MDB_val key = {sizeof sequence, &sequence}, value;
    int rc = mdb_get(txn, log->environment.log, &key, &value);

    if (rc == MDB_NOTFOUND)
        return dbk_fail(err, DBK_DAMAGED, "record %llu is missing from the log",
                        (unsigned long long)sequence);
    if (rc != 0)
        return lmdb_fail(err, log->environment.env, rc, "read the log");
    if (!batch_add(batch, sequence, value.mv_data, value.mv_size))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read the log");
    note_touched(log, value.mv_data, batch->bytes_used);
    return DBK_OK;
}

/* An entry of an index has no checksum: what it names must say itself that it is it. */
static enum dbk_code check_event(const struct dbk_uuid *id,
                                 const struct dbk_record *event, struct dbk_error *err)
{
    if (event->type == DBK_EVENT_RECORDED && dbk_uuid_equal(&event->subject, id))
        return DBK_OK;
    return dbk_fail(err, DBK_DAMAGED,
                    "the log's index of events is damaged: daybook verify tells more");
}

static enum dbk_code copy_event(struct dbk_log *log, const struct dbk_uuid *id,
                                struct dbk_batch *batch, struct dbk_uuid *owner,
                                struct dbk_error *err)
{
    enum dbk_code code;
    uint64_t sequence;
    MDB_txn *txn;
    int rc;

    dbk_batch_clear(batch);
    code = log_begin_read(log, &txn, err);
    if (code != DBK_OK)
        return code;
    rc = find_live_event(&log->environment, txn, id, &sequence, owner);
    if (rc == 0)
        code = copy_record(log, txn, sequence, batch, err);
    else if (rc == MDB_NOTFOUND)
        code = dbk_fail(err, DBK_NOT_FOUND, "there is no such event");
    else
        code = lmdb_fail(err, log->environment.env, rc, "look up in the log");
    if (code == DBK_OK)
        code = end_batch(log, txn, batch, err);
    log_end_read(log, txn);
    return code;
}

enum dbk_code dbk_log_read_event(struct dbk_log *log, const struct dbk_uuid *id,
                                 struct dbk_batch *batch, struct dbk_record *event,
                                 struct dbk_error *err)
{
    struct dbk_uuid owner;
    enum dbk_code code = copy_event(log, id, batch, &owner, err);

    if (code == DBK_OK)
        code = dbk_batch_record(batch, 0, event, err);
    if (code != DBK_OK || check_event(id, event, err) != DBK_OK)
        return code != DBK_OK ? code : DBK_DAMAGED;
    event->person_id = owner;
    return DBK_OK;
}

/* Sleep until something was appended here since `seen`, but not past `until` nor longer
 * than it takes to look for another process's appends. False when the wait is over. */
static bool sleep_a_little(struct dbk_log *log, uint64_t seen, uint64_t interrupts,
                           dbk_deadline until)
{
    int left = dbk_deadline_left(until);
    dbk_deadline wake = left < POLL_MS ? until : dbk_deadline_in(POLL_MS);
    bool go_on;

    pthread_mutex_lock(&log->mutex);
    while (log->appends == seen && !log->closing &&
           dbk_cond_wait(&log->appended, &log->mutex, wake))
        ;
    go_on = log->interrupts == interrupts && !log->closing;
    pthread_mutex_unlock(&log->mutex);
    return go_on && left > 0;
}

enum dbk_code dbk_log_wait(struct dbk_log *log, uint64_t after, int timeout_ms,
                           uint64_t *head, struct dbk_error *err)
{
    uint64_t interrupts = 0, seen = 0;
    dbk_deadline until = dbk_deadline_in(timeout_ms > 0 ? timeout_ms : 0);
    bool first = true, go_on = true;

    while (go_on) {
        enum dbk_code code;

        pthread_mutex_lock(&log->mutex);
        if (first)
            interrupts = log->interrupts;
        first = false;
        seen = log->appends; /* before the look, so that no append slips in between */
        pthread_mutex_unlock(&log->mutex);

        code = dbk_log_head(log, head, err);
        if (code != DBK_OK || *head > after)
            return code;
        go_on = sleep_a_little(log, seen, interrupts, until);
    }
    return DBK_OK;
}

void dbk_log_interrupt(struct dbk_log *log)
{
    pthread_mutex_lock(&log->mutex);
    log->appends++;
    log->interrupts++;
    pthread_cond_broadcast(&log->appended);
    pthread_mutex_unlock(&log->mutex);
}
