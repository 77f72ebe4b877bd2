/* Applying what another copy appended: one transaction. */
#include "apply_private.h"

#include "environment_meta.h"
#include "fault_watch.h"
#include "idempotency.h"
#include "index.h"
#include "log_keys.h"
#include "log_value.h"
#include "place.h"
#include "reindex.h"
#include "shipment_body.h"
#include "store/metrics.h"
#include "turn.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int apply_find_end(MDB_txn *txn, const struct environment *environment, uint64_t *head,
                   uint32_t *checksum)
{
    MDB_val key = {sizeof *head, head}, value;
    int rc = index_head(txn, environment, head);

    *checksum = 0;
    if (rc != 0 || *head == 0)
        return rc;
    rc = mdb_get(txn, environment->log, &key, &value);
    if (rc == 0 && value.mv_size < LOG_VALUE_CHECKSUM)
        return MDB_CORRUPTED;
    if (rc == 0)
        *checksum =
            log_value_checksum(value.mv_data, value.mv_size - LOG_VALUE_CHECKSUM);
    return rc;
}

static void enter(const struct dbk_apply *apply)
{
    fault_enter(apply->log->environment.env);
}

static enum dbk_code fail(struct dbk_apply *apply, int rc, struct dbk_error *err)
{
    if (rc == 0)
        return DBK_OK;
    apply->failed = true;
    return lmdb_fail(err, apply->log->environment.env, rc, "apply to the log");
}

/* Look where the log is. */
static enum dbk_code begin(struct dbk_apply *apply, struct dbk_place *place,
                           struct dbk_error *err)
{
    const struct environment *environment = &apply->log->environment;
    int rc = place_get(apply->txn, environment, place);

    if (rc == MDB_NOTFOUND)
        return dbk_fail(
            err, DBK_CONFLICT,
            "the log in %s is no member of a cluster: it has no place in one",
            apply->log->dir);
    if (rc == 0)
        rc = apply_find_end(apply->txn, environment, &apply->head, &apply->checksum);
    apply->before = apply->head;
    return fail(apply, rc, err);
}

static void end(struct dbk_apply *apply)
{
    log_health_end(apply->log);
    turn_give_back(apply->log);
    free(apply);
}

enum dbk_code dbk_log_apply_begin(struct dbk_log *log, struct dbk_apply **out,
                                  struct dbk_place *place, uint64_t *head,
                                  uint32_t *checksum, struct dbk_error *err)
{
    struct dbk_apply *apply = calloc(1, sizeof *apply);
    enum dbk_code code;

    *out = NULL;
    if (!apply)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to apply to the log");
    apply->log = log;
    code = turn_wait(log, err);
    if (code != DBK_OK) {
        free(apply);
        return code;
    }
    log_health_begin(log);
    code = turn_begin(log, &apply->txn, err ? err : &apply->why);
    if (code != DBK_OK) {
        end(apply);
        return code;
    }
    code = begin(apply, place, err);
    fault_leave();
    if (code != DBK_OK) {
        dbk_apply_abort(apply);
        return code;
    }
    *head = apply->head;
    *checksum = apply->checksum;
    *out = apply;
    return DBK_OK;
}

void dbk_apply_abort(struct dbk_apply *apply)
{
    if (!apply)
        return;
    enter(apply);
    mdb_txn_abort(apply->txn);
    fault_leave();
    end(apply);
}

/* It is whole, and what it says it is. */
static enum dbk_code check_value(uint64_t sequence, struct dbk_slice value,
                                 struct dbk_record *record, struct dbk_error *err)
{
    struct dbk_error why;
    size_t length;

    if (!log_value_check(value.data, value.length, &length))
        return dbk_fail(err, DBK_DAMAGED,
                        "record %" PRIu64 " does not match its checksum", sequence);
    if (dbk_record_decode(value.data, length, record, &why) != DBK_OK)
        return dbk_fail(err, why.code, "record %" PRIu64 ": %s", sequence, why.text);
    if (record->sequence != sequence)
        return dbk_fail(err, DBK_DAMAGED,
                        "record %" PRIu64 " where %" PRIu64 " comes next",
                        record->sequence, sequence);
    return DBK_OK;
}

static int put(struct dbk_apply *apply, const struct dbk_record *record,
               struct dbk_slice value)
{
    const struct environment *environment = &apply->log->environment;
    uint64_t sequence = record->sequence;
    MDB_val key = {sizeof sequence, &sequence};
    MDB_val bytes = {value.length, (void *)(uintptr_t)value.data};
    int rc = 0;

    if (!apply->cursor)
        rc = mdb_cursor_open(apply->txn, environment->log, &apply->cursor);
    if (rc == 0 && record->format > apply->format) {
        rc = environment_need_format(apply->txn, environment, record->format);
        apply->format = record->format;
    }
    if (rc == 0)
        rc = mdb_cursor_put(apply->cursor, &key, &bytes, MDB_APPEND);
    if (rc != 0)
        return rc;
    apply->head = sequence;
    apply->checksum = log_value_checksum(value.data, value.length - LOG_VALUE_CHECKSUM);
    apply->latest = record->recorded_at;
    apply->appended[record->type]++;
    return 0;
}

static enum dbk_code append(struct dbk_apply *apply, struct dbk_slice value,
                            struct dbk_error *err)
{
    const char *wrong = NULL;
    struct dbk_record record;
    enum dbk_code code = check_value(apply->head + 1, value, &record, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = reindex_add(apply->txn, &apply->log->environment, &record, &wrong);
    if (rc == 0 && wrong)
        return dbk_fail(err, DBK_DAMAGED, "record %" PRIu64 " cannot be here: %s",
                        record.sequence, wrong);
    if (rc == 0)
        rc = put(apply, &record, value);
    return fail(apply, rc, err);
}

static enum dbk_code compare(struct dbk_apply *apply, uint64_t sequence,
                             struct dbk_slice value, struct dbk_error *err)
{
    MDB_val key = {sizeof sequence, &sequence}, here;
    struct dbk_record record;
    enum dbk_code code = check_value(sequence, value, &record, err);
    int rc;

    if (code != DBK_OK)
        return code;
    if (sequence > apply->head)
        return dbk_fail(err, DBK_CONFLICT, "record %" PRIu64 " is not here", sequence);
    rc = mdb_get(apply->txn, apply->log->environment.log, &key, &here);
    if (rc != 0)
        return fail(apply, rc, err);
    if (here.mv_size == value.length && !memcmp(here.mv_data, value.data, value.length))
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT, "record %" PRIu64 " is another one here",
                    sequence);
}

static enum dbk_code keep_key(struct dbk_apply *apply, struct dbk_slice key,
                              struct dbk_slice entry, struct dbk_error *err)
{
    const struct environment *environment = &apply->log->environment;
    MDB_val at = {key.length, (void *)(uintptr_t)key.data};
    MDB_val value = {entry.length, (void *)(uintptr_t)entry.data};
    uint64_t sequence;
    int rc;

    if (!idempotency_reaches(at, value, &sequence) || sequence > apply->head)
        return dbk_fail(err, DBK_DAMAGED,
                        "behind record %" PRIu64 ": what should be the entry of an "
                        "idempotency key is none",
                        apply->head);
    rc = mdb_put(apply->txn, environment->idempotency, &at, &value, 0);
    if (rc == 0 && apply->latest != 0) /* by the leader's clock, which made them */
        rc = idempotency_sweep(apply->txn, environment, apply->latest,
                               apply->log->sweep_place);
    return fail(apply, rc, err);
}

static enum dbk_code cut(const struct dbk_apply *apply, struct dbk_error *err)
{
    return dbk_fail(err, DBK_DAMAGED,
                    "behind record %" PRIu64 ": what was shipped is cut", apply->head);
}

static enum dbk_code keep_keys(struct dbk_apply *apply, struct body_walk *walk,
                               struct dbk_error *err)
{
    struct dbk_slice key, entry;
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && walk->left > 0)
        code = body_next_key(walk, &key, &entry) ? keep_key(apply, key, entry, err)
                                                 : cut(apply, err);
    return code;
}

/* What is done with a shipment's records. */
struct manner {
    bool compares; /* those that the log has */
    bool appends;  /* the others, and keeps keys */
};

static enum dbk_code take(struct dbk_apply *apply, struct manner manner, uint64_t first,
                          uint32_t count, struct body_walk *walk, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_slice value;

    for (uint32_t i = 0; code == DBK_OK && i < count; i++) {
        if (!body_next_record(walk, &value))
            code = cut(apply, err);
        else if (!manner.appends || first + i <= apply->head)
            code = compare(apply, first + i, value, err);
        else
            code = append(apply, value, err);
    }
    if (code == DBK_OK && manner.appends)
        code = keep_keys(apply, walk, err);
    return code;
}

static enum dbk_code take_body(struct dbk_apply *apply, struct manner manner,
                               uint64_t first, uint32_t count, struct dbk_slice body,
                               struct dbk_error *err)
{
    struct body_walk walk = {body.data, body.length};
    enum dbk_code code;

    assert(!apply->failed);
    if (first == 0 || (manner.appends && first > apply->head + 1) ||
        (!manner.compares && first <= apply->head)) {
        apply->failed = true;
        return dbk_fail(err, DBK_DAMAGED,
                        "records from %" PRIu64 " on where %" PRIu64 " comes next",
                        first, apply->head + 1);
    }
    enter(apply);
    code = take(apply, manner, first, count, &walk, err);
    fault_leave();
    apply->failed = code != DBK_OK;
    return code;
}

enum dbk_code dbk_apply_batch(struct dbk_apply *apply, uint64_t first, uint32_t count,
                              struct dbk_slice body, uint64_t *head, uint32_t *checksum,
                              struct dbk_error *err)
{
    enum dbk_code code =
        take_body(apply, (struct manner){.appends = true}, first, count, body, err);

    *head = apply->head;
    *checksum = apply->checksum;
    return code;
}

enum dbk_code dbk_apply_overlap(struct dbk_apply *apply, uint64_t first, uint32_t count,
                                struct dbk_slice body, uint64_t *head,
                                uint32_t *checksum, struct dbk_error *err)
{
    enum dbk_code code =
        take_body(apply, (struct manner){.compares = true, .appends = true}, first,
                  count, body, err);

    *head = apply->head;
    *checksum = apply->checksum;
    return code;
}

enum dbk_code dbk_apply_compare(struct dbk_apply *apply, uint64_t first, uint32_t count,
                                struct dbk_slice body, struct dbk_error *err)
{
    return take_body(apply, (struct manner){.compares = true}, first, count, body, err);
}

enum dbk_code dbk_apply_keep(struct dbk_apply *apply, const char *name,
                             struct dbk_slice bytes, struct dbk_error *err)
{
    int rc;

    enter(apply);
    rc = place_keep(apply->txn, &apply->log->environment, name, bytes);
    fault_leave();
    if (rc == MDB_BAD_VALSIZE)
        return dbk_fail(err, DBK_INVALID, "nothing can be kept as \"%s\"", name);
    if (rc != 0 && apply->rc == 0)
        apply->rc = rc;
    return fail(apply, rc, err);
}

static void count_commit(const struct dbk_apply *apply)
{
    uint64_t records = 0;

    for (size_t i = 0; i < DBK_TYPE_COUNT; i++) {
        records += apply->appended[i];
        if (apply->appended[i] > 0)
            dbk_metric_add_to(DBK_METRIC_RECORDS, i, apply->appended[i]);
    }
    if (records == 0)
        return;
    dbk_metric_add(DBK_METRIC_COMMITS, 1);
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT_RECORDS, records);
}

/* It was committed, or nobody knows. */
static void settle_keys(const struct dbk_apply *apply, bool committed)
{
    struct dbk_log *log = apply->log;
    struct dbk_error why;

    if (!committed)
        log_keys_doubt(log);
    else if (log_keys_settle(log, apply->before, apply->head,
                             apply->appended[DBK_PERSON_ERASED] > 0 ||
                                 apply->appended[DBK_EVENTS_EXPIRED] > 0,
                             &why) != DBK_OK)
        log_report(log, why.text); /* the next does it */
}

enum dbk_code dbk_apply_commit(struct dbk_apply *apply, const struct dbk_place *place,
                               struct dbk_error *err)
{
    struct dbk_log *log = apply->log;
    enum dbk_code code;

    assert(!apply->failed);
    if (!place_is_right(place)) {
        dbk_apply_abort(apply);
        return dbk_fail(err, DBK_INVALID, "no such place can be in a stream");
    }
    enter(apply);
    code = fail(apply, place_put(apply->txn, &log->environment, place), err);
    if (code != DBK_OK) {
        dbk_apply_abort(apply);
        return code;
    }
    code = turn_commit(log, apply->txn, place, err);
    if (code == DBK_OK)
        count_commit(apply);
    settle_keys(apply, code == DBK_OK);
    end(apply);
    turn_announce(log);
    return code;
}
