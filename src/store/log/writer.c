#include "writer.h"

#include "command_private.h"
#include "decide.h"
#include "fault_watch.h"
#include "gather.h"
#include "held.h"
#include "idempotency.h"
#include "index.h"
#include "log_health.h"
#include "log_keys.h"
#include "recover.h"
#include "shipping.h"
#include "store/clock.h"
#include "store/metrics.h"
#include "turn.h"

#include <assert.h>
#include <string.h>

/* One transaction takes no more than this, but for a submission that is larger alone.
 */
#define BATCH_BYTES ((size_t)16 << 20)
#define BATCH_COMMANDS 16384

/* What a shipment takes besides the records' bytes: of each, with its verdict, and of a key. */
enum { SHIPPED_RECORD = 64, SHIPPED_GROUP = 128 };

/* How often to look after dead readers, busy or not: while one keeps its place, the file
 * grows with each commit. */
#define CHECK_MS 30000

/* How often to try to reopen a log that could not be, where nobody writes: readers wait
 * for that, too. */
#define REOPEN_MS 1000

/* What one transaction holds. */
struct batch {
    struct writer_group *first;
    struct writer_group *rest; /* what did not fit one shipment, and comes next */
    struct decide_turn turn;
    struct shipping shipping;
    uint64_t head_before;
};

/* log->mutex is held, and the turn is taken: there is something queued, or it is time to
 * look after dead readers or to reopen, or the log is closing. */
static void wait_for_turn(struct dbk_log *log)
{
    dbk_deadline until = dbk_deadline_in(CHECK_MS);
    bool late = false;

    assert(log_is_locked(log));
    while (log->writing || log->turns_wanted > 0 ||
           !((log->first && !gather_waits(log)) || log->closing || late)) {
        if (!log->writing && (!log->usable || atomic_load(&log->health.failing)))
            until = dbk_deadline_in(REOPEN_MS);
        late = !dbk_cond_wait(&log->submitted, &log->mutex, gather_until(log, until)) &&
               dbk_deadline_left(until) == 0;
        if (late && (log->writing || log->turns_wanted > 0))
            until = dbk_deadline_in(CHECK_MS); /* who has the turn looks after them */
    }
    log->writing = true;
}

/* Take from the queue's front what fits one transaction; log->mutex is held. *taken receives
 * how many commands that is. */
static struct writer_group *take_batch(struct dbk_log *log, size_t *taken)
{
    struct writer_group *first = log->first, **end = &log->first;
    size_t bytes = 0, commands = 0;

    assert(log_is_locked(log) && log->writing);
    assert((log->first == NULL) == (log->last == &log->first) && !*log->last);
    while (*end &&
           (end == &log->first || (bytes + (*end)->bytes <= BATCH_BYTES &&
                                   commands + (*end)->count <= BATCH_COMMANDS))) {
        bytes += (*end)->bytes;
        commands += (*end)->count;
        end = &(*end)->next;
    }
    if (!first)
        return NULL;
    assert(bytes <= log->queued_bytes && commands <= log->queued);
    log->queued_bytes -= bytes;
    log->queued -= commands;
    *taken = commands;
    log->first = *end;
    log->lane ^= 1;
    *end = NULL;
    if (!log->first)
        log->last = &log->first;
    assert(log->first || log->queued_bytes == 0);
    return first;
}

static bool any_accepted(const struct writer_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->commands[i]->verdict.code == DBK_OK)
            return true;
    }
    return false;
}

static int decide_commands(struct decide_turn *turn, struct writer_group *group)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < group->count; i++)
        rc = decide_command(turn, group->commands[i]);
    return rc;
}

/* What was kept under the key goes with the records. */
static int gather_key(const struct decide_turn *turn, const struct dbk_log *log,
                      const struct dbk_idempotency *idempotency)
{
    MDB_val key = {sizeof idempotency->key, (void *)(uintptr_t)idempotency->key}, value;
    int rc;

    if (!turn->body)
        return 0;
    rc = mdb_get(turn->txn, log->environment.idempotency, &key, &value);
    return rc == 0 ? body_add_key(turn->body, idempotency->key, value.mv_data,
                                  value.mv_size)
                   : rc;
}

static int decide_keyed(struct dbk_log *log, struct decide_turn *turn,
                        struct writer_group *group)
{
    enum idempotency_state state;
    int rc = idempotency_find(turn->txn, &log->environment, group->idempotency,
                              turn->now, group->commands, group->count, &state);

    if (rc != 0)
        return rc;
    if (state == IDEMPOTENCY_KNOWN) {
        group->replayed = true;
        return 0;
    }
    if (state == IDEMPOTENCY_OTHER_REQUEST) {
        group->code = dbk_fail(&group->error, DBK_KEY_REUSED,
                               "this idempotency key was used with another request");
        return 0;
    }
    rc = decide_commands(turn, group);
    if (rc == 0 && any_accepted(group))
        rc = idempotency_keep(turn->txn, &log->environment, group->idempotency,
                              turn->now, group->commands, group->count);
    if (rc == 0 && any_accepted(group))
        rc = gather_key(turn, log, group->idempotency);
    if (rc == 0)
        rc = idempotency_sweep(turn->txn, &log->environment, turn->now,
                               log->sweep_place);
    return rc;
}

/* At most so many bytes a submission adds to a shipment. */
static size_t shipped_bytes(const struct writer_group *group)
{
    size_t bytes = SHIPPED_GROUP;

    for (size_t i = 0; i < group->count; i++) {
        const struct dbk_command *command = group->commands[i];

        bytes += command->bytes_used + (command->count + 1) * SHIPPED_RECORD;
        if (command->merge)
            bytes += DBK_RECORD_MAX;
    }
    return bytes;
}

/* Whether the group, which is not the first, is left to the next transaction. */
static bool is_cut(struct batch *batch, struct writer_group *last,
                   struct writer_group *group)
{
    const struct shipment_body *body = batch->turn.body;

    if (!body || body_length(body) + shipped_bytes(group) <= DBK_SHIPMENT_MAX)
        return false;
    last->next = NULL;
    batch->rest = group;
    return true;
}

/* Decide all of the batch; an LMDB code means that the transaction is spoiled. */
static int decide_batch(struct dbk_log *log, struct batch *batch)
{
    struct decide_turn *turn = &batch->turn;
    struct writer_group *last = NULL;
    int rc = index_head(turn->txn, &log->environment, &batch->head_before);

    turn->head = batch->head_before;
    for (struct writer_group *group = batch->first; rc == 0 && group;
         last = group, group = group->next) {
        if (last && is_cut(batch, last, group))
            break;
        group->code = DBK_OK;
        rc = group->idempotency ? decide_keyed(log, turn, group)
                                : decide_commands(turn, group);
    }
    assert(turn->head >= batch->head_before);
    return rc;
}

/* Nothing of the batch was appended: whatever was decided is void. */
static void fail_batch(struct batch *batch, const struct dbk_error *why)
{
    assert(why->code != DBK_OK);
    for (struct writer_group *group = batch->first; group; group = group->next) {
        group->code = why->code;
        group->error = *why;
        group->replayed = false;
    }
}

/* The first record that the batch appended, with its place in bytes; NULL for none. */
static const struct dbk_command *first_appended(const struct batch *batch)
{
    for (struct writer_group *group = batch->first; group; group = group->next) {
        for (size_t i = 0; group->code == DBK_OK && i < group->count; i++) {
            if (group->commands[i]->verdict.first_sequence == batch->head_before + 1)
                return group->commands[i];
        }
    }
    return NULL;
}

/* A transaction that appended something is on disk, and took so long to get there. */
static void count_commit(const struct batch *batch, int64_t began_us)
{
    uint64_t records = batch->turn.head - batch->head_before;

    if (records == 0)
        return;
    dbk_metric_add(DBK_METRIC_COMMITS, 1);
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, (uint64_t)(dbk_clock_us() - began_us));
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT_RECORDS, records);
    for (size_t i = 0; i < DBK_TYPE_COUNT; i++) {
        if (batch->turn.appended[i] > 0)
            dbk_metric_add_to(DBK_METRIC_RECORDS, i, batch->turn.appended[i]);
    }
}

/* It is with the other copies, or may be, and not here: that is known once the stream is
 * applied up to there. */
static void hold_batch(struct dbk_log *log, struct batch *batch,
                       const struct dbk_error *why)
{
    shipping_lose(log, why);
    held_add(log, batch->first, batch->head_before + 1, why);
}

/* Or asks for what was accepted before, and may not be done. */
static bool erases(const struct writer_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        enum dbk_code code = group->commands[i]->verdict.code;

        if ((code == DBK_OK || code == DBK_EXISTS) &&
            (group->commands[i]->entries[0].type == DBK_PERSON_ERASED ||
             group->commands[i]->entries[0].type == DBK_EVENTS_EXPIRED))
            return true;
    }
    return false;
}

/* Who asked for an erasure is told that it is done only when it is. */
static void settle_keys(struct dbk_log *log, struct batch *batch)
{
    const unsigned *appended = batch->turn.appended;
    struct dbk_error err;

    if (log_keys_settle(log, batch->head_before, batch->turn.head,
                        appended[DBK_PERSON_ERASED] > 0 ||
                            appended[DBK_EVENTS_EXPIRED] > 0,
                        &err) == DBK_OK)
        return;
    log_health_failed(log, &err);
    for (struct writer_group *group = batch->first; group; group = group->next) {
        if (group->code == DBK_OK && erases(group)) {
            group->code = err.code;
            group->error = err;
        }
    }
}

/* A commit failed, and whether it happened is unknown until the file is read again. */
static void settle_failed_commit(struct dbk_log *log, struct batch *batch,
                                 int64_t began_us, const struct dbk_error *why)
{
    const struct dbk_command *command = first_appended(batch);
    struct dbk_error err;
    bool committed;
    enum dbk_code code =
        recover_log(log, command, batch->head_before + 1, &committed, &err);

    if (code == DBK_OK)
        err = *why;
    else
        log_health_failed(log, &err);
    log_keys_doubt(log);
    if (code == DBK_OK && committed) {
        count_commit(batch, began_us);
        settle_keys(log, batch);
    } else if (batch->shipping.shipped)
        hold_batch(log, batch, &err);
    else
        fail_batch(batch, &err);
}

/* Not committed: the transaction met an LMDB code, or *refused says why not. */
static void give_up(struct dbk_log *log, struct batch *batch, int rc,
                    struct dbk_error *refused)
{
    mdb_txn_abort(batch->turn.txn);
    fault_leave();
    if (rc != 0)
        turn_failed(log, rc, "append to the log", refused);
    if (batch->shipping.shipped || refused->code == DBK_IN_DOUBT)
        hold_batch(log, batch, refused);
    else
        fail_batch(batch, refused);
}

static void commit_batch(struct dbk_log *log, struct batch *batch)
{
    int64_t began_us = dbk_clock_us();
    int rc = mdb_txn_commit(batch->turn.txn); /* frees txn even when it fails */
    struct dbk_error err;

    fault_leave();
    if (rc == 0) {
        log_health_works(log);
        count_commit(batch, began_us);
        settle_keys(log, batch);
    } else {
        turn_failed(log, rc, "commit to the log", &err);
        settle_failed_commit(log, batch, began_us, &err);
    }
}

/* That the log is open without its ring is no failure. */
static void have_keys(struct dbk_log *log, struct batch *batch,
                      struct dbk_error *refused)
{
    if (log_keys_ahead(log, batch->turn.txn, &batch->shipping, refused) == DBK_OK ||
        refused->code == DBK_UNSUPPORTED)
        return;
    dbk_metric_add(DBK_METRIC_COMMIT_FAILURES, 1);
    log_health_failed(log, refused);
}

static void write_batch(struct dbk_log *log, struct batch *batch)
{
    struct dbk_error refused = {.code = DBK_OK, .text = ""};
    struct decide_turn *turn = &batch->turn;
    int rc = shipping_begin(&batch->shipping, log, turn->txn, &refused);

    turn->now = dbk_timestamp_now();
    turn->by_month = log->sealed && log->options.by_month;
    turn->body = batch->shipping.body;
    if (rc == 0 && refused.code == DBK_OK)
        have_keys(log, batch, &refused);
    if (rc == 0 && refused.code == DBK_OK)
        rc = decide_batch(log, batch);
    decide_finish(turn);
    if (rc == 0 && refused.code == DBK_OK)
        rc = shipping_send(&batch->shipping, log, turn->txn, batch->head_before + 1,
                           &refused);
    if (rc == 0 && refused.code == DBK_OK)
        commit_batch(log, batch);
    else
        give_up(log, batch, rc, &refused);
    shipping_finish(&batch->shipping);
}

/* To those whose submissions were queued. */
static void wake_submitters(struct dbk_log *log, struct writer_group *first)
{
    struct writer_group *next;
    bool lanes[2] = {false, false}; /* both, where some did not fit the batch before */

    for (struct writer_group *group = first; group; group = next) {
        next = group->next;
        assert(group->lane < 2 && !atomic_load(&group->done));
        lanes[group->lane] = true;
        atomic_store(&group->done, true); /* the group may be gone from here on */
    }
    for (size_t i = 0; i < 2; i++) {
        if (lanes[i])
            wake_all(&log->decided[i]);
    }
}

static void process(struct dbk_log *log, struct batch *batch)
{
    struct dbk_error err;

    assert(log->writing && batch->first);
    batch->turn.environment = &log->environment;
    log_health_begin(log);
    if (atomic_load(&log->role) == DBK_LOG_FOLLOWS) {
        shipping_refuse(&err);
        fail_batch(batch, &err);
    } else if (turn_begin(log, &batch->turn.txn, &err) == DBK_OK) {
        write_batch(log, batch);
    } else {
        fail_batch(batch, &err);
    }
    log_health_end(log);
    turn_announce(log);
}

/* Nobody is told of another failure: it was reported when the log was lost. */
static void reopen(struct dbk_log *log)
{
    struct dbk_error err;
    bool committed;

    assert(log->writing && !log->usable);
    if (recover_log(log, NULL, 0, &committed, &err) == DBK_OK)
        turn_announce(log);
}

void writer_write(struct dbk_log *log, struct writer_group *group)
{
    struct batch batch = {.first = group};

    assert(!group->next); /* not queued */
    process(log, &batch);
    assert(!batch.rest);
    turn_give_back(log);
}

/* In one transaction, or as many as it takes to ship them. Who is in the last one is woken
 * when the turn is given back. */
static void process_all(struct dbk_log *log, struct batch *batch, size_t commands)
{
    int64_t began_us = dbk_clock_us();

    process(log, batch);
    while (batch->rest) {
        struct writer_group *rest = batch->rest;

        wake_submitters(log, batch->first);
        *batch = (struct batch){.first = rest};
        process(log, batch);
    }
    pthread_mutex_lock(&log->mutex);
    gather_begin(log, commands, dbk_clock_us() - began_us);
    pthread_mutex_unlock(&log->mutex);
}

void *writer_run(void *context)
{
    struct dbk_log *log = context;
    bool closing;

    do {
        struct batch batch = {0};
        size_t commands = 0;

        pthread_mutex_lock(&log->mutex);
        wait_for_turn(log);
        batch.first = take_batch(log, &commands);
        closing = log->closing && !batch.first;
        pthread_mutex_unlock(&log->mutex);
        if (batch.first)
            process_all(log, &batch, commands);
        else if (!closing && !log->usable)
            reopen(log);
        else if (!closing)
            log_health_look(log);
        turn_give_back(log);
        wake_submitters(log, batch.first);
    } while (!closing);
    return NULL;
}
