#include "writer.h"

#include "command_private.h"
#include "decide.h"
#include "fault_watch.h"
#include "idempotency.h"
#include "index.h"
#include "log_health.h"
#include "recover.h"
#include "store/clock.h"
#include "store/metrics.h"

#include <assert.h>
#include <string.h>

/* One transaction takes no more than this, but for a submission that is larger alone.
 */
#define BATCH_BYTES ((size_t)16 << 20)
#define BATCH_COMMANDS 16384

/* How often to look after dead readers, busy or not: while one keeps its place, the file
 * grows with each commit. */
#define CHECK_MS 30000

/* How often to try to reopen a log that could not be, where nobody writes: readers wait
 * for that, too. */
#define REOPEN_MS 1000

/* What one transaction holds. */
struct batch {
    struct writer_group *first;
    struct decide_turn turn;
    uint64_t head_before;
};

/* log->mutex is held, and the turn is taken: there is something queued, or it is time to
 * look after dead readers or to reopen, or the log is closing. */
static void wait_for_turn(struct dbk_log *log)
{
    dbk_deadline until = dbk_deadline_in(CHECK_MS);
    bool late = false;

    assert(log_is_locked(log));
    while (log->writing || !(log->first || log->closing || late)) {
        if (!log->writing && (!log->usable || atomic_load(&log->health.failing)))
            until = dbk_deadline_in(REOPEN_MS);
        late = !dbk_cond_wait(&log->submitted, &log->mutex, until);
        if (late && log->writing) /* then whoever has the turn looks after them */
            until = dbk_deadline_in(CHECK_MS);
    }
    log->writing = true;
}

/* Take from the queue's front what fits one transaction; log->mutex is held. */
static struct writer_group *take_batch(struct dbk_log *log)
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
    if (rc == 0)
        rc = idempotency_sweep(turn->txn, &log->environment, turn->now,
                               log->sweep_place);
    return rc;
}

/* Decide all of the batch; an LMDB code means that the transaction is spoiled. */
static int decide_batch(struct dbk_log *log, struct batch *batch)
{
    struct decide_turn *turn = &batch->turn;
    int rc = index_head(turn->txn, &log->environment, &batch->head_before);

    turn->head = batch->head_before;
    for (struct writer_group *group = batch->first; rc == 0 && group;
         group = group->next) {
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

/* A commit failed, and whether it happened is unknown until the file is read again. */
static void settle_failed_commit(struct dbk_log *log, struct batch *batch,
                                 int64_t began_us, const struct dbk_error *why)
{
    const struct dbk_command *command = first_appended(batch);
    struct dbk_error err = *why;
    bool committed;

    dbk_metric_add(DBK_METRIC_COMMIT_FAILURES, 1);
    log_health_failed(log, why);
    if (recover_log(log, command, batch->head_before + 1, &committed, &err) != DBK_OK) {
        log_health_failed(log, &err);
        fail_batch(batch, &err);
    } else if (!committed) {
        fail_batch(batch, why);
    } else {
        count_commit(batch, began_us);
    }
}

/* Where the environment is dead, as after a failure that is not ours to see, it is
 * opened again. */
static int begin_turn(struct dbk_log *log, struct decide_turn *turn)
{
    struct dbk_error err;
    bool committed;
    int rc = mdb_txn_begin(log->environment.env, NULL, 0, &turn->txn);

    if (rc != MDB_PANIC || recover_log(log, NULL, 0, &committed, &err) != DBK_OK)
        return rc;
    return mdb_txn_begin(log->environment.env, NULL, 0, &turn->txn);
}

static void write_batch(struct dbk_log *log, struct batch *batch)
{
    struct decide_turn *turn = &batch->turn;
    int rc = begin_turn(log, turn);
    MDB_env *env = log->environment.env;
    struct dbk_error err;
    int64_t began_us;

    if (rc == 0) {
        fault_enter(env);
        turn->now = dbk_timestamp_now();
        rc = environment_check_named(&log->environment);
        /* A verdict may rest on what is visible only: on a commit that nobody knows to be
         * on disk, for the disk failed, or whoever made it was killed. */
        if (rc == 0 && !log->settled) {
            rc = environment_prove(&log->environment);
            log->settled = rc == 0;
        }
        if (rc == 0)
            rc = decide_batch(log, batch);
        decide_finish(turn);
        if (rc != 0)
            mdb_txn_abort(turn->txn);
    }
    if (rc != 0) {
        fault_leave();
        lmdb_fail(&err, env, rc, "append to the log");
        dbk_metric_add(DBK_METRIC_COMMIT_FAILURES, 1);
        log_health_failed(log, &err);
        fail_batch(batch, &err);
        return;
    }
    began_us = dbk_clock_us();
    rc = mdb_txn_commit(turn->txn); /* frees txn even when it fails */
    fault_leave();
    if (rc == 0) {
        log_health_works(log);
        count_commit(batch, began_us);
    } else {
        lmdb_fail(&err, env, rc, "commit to the log");
        settle_failed_commit(log, batch, began_us, &err);
    }
}

/* To followers. */
static void announce(struct dbk_log *log)
{
    pthread_mutex_lock(&log->mutex);
    log->appends++;
    pthread_cond_broadcast(&log->appended);
    pthread_mutex_unlock(&log->mutex);
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
    bool committed;

    assert(log->writing && batch->first);
    batch->turn.environment = &log->environment;
    log_health_begin(log);
    if (log->usable || recover_log(log, NULL, 0, &committed, &err) == DBK_OK) {
        write_batch(log, batch);
    } else {
        dbk_metric_add(DBK_METRIC_COMMIT_FAILURES, 1);
        log_health_failed(log, &err);
        dbk_fail(
            &err, DBK_IO,
            "the log cannot be opened again since a commit failed; nothing of this "
            "was recorded");
        fail_batch(batch, &err);
    }
    log_health_end(log);
    announce(log);
}

/* Nobody is told of another failure: it was reported when the log was lost. */
static void reopen(struct dbk_log *log)
{
    struct dbk_error err;
    bool committed;

    assert(log->writing && !log->usable);
    if (recover_log(log, NULL, 0, &committed, &err) == DBK_OK)
        announce(log);
}

static void check_readers(struct dbk_log *log)
{
    int dead;

    if (dbk_deadline_left(log->check_at) > 0)
        return;
    if (log->usable)
        mdb_reader_check(log->environment.env, &dead);
    log->check_at = dbk_deadline_in(CHECK_MS);
}

static void give_turn_back(struct dbk_log *log)
{
    assert(log->writing);
    check_readers(log);
    pthread_mutex_lock(&log->mutex);
    log->writing = false;
    if (log->first || log->closing || !log->usable || atomic_load(&log->health.failing))
        pthread_cond_signal(&log->submitted);
    pthread_mutex_unlock(&log->mutex);
}

bool writer_take_turn(struct dbk_log *log)
{
    assert(log_is_locked(log));
    if (log->writing || log->first)
        return false;
    log->writing = true;
    return true;
}

void writer_write(struct dbk_log *log, struct writer_group *group)
{
    struct batch batch = {.first = group};

    assert(!group->next); /* not queued */
    process(log, &batch);
    give_turn_back(log);
}

void *writer_run(void *context)
{
    struct dbk_log *log = context;
    bool closing;

    do {
        struct batch batch = {0};

        pthread_mutex_lock(&log->mutex);
        wait_for_turn(log);
        batch.first = take_batch(log);
        closing = log->closing && !batch.first;
        pthread_mutex_unlock(&log->mutex);
        if (batch.first)
            process(log, &batch);
        else if (!closing && !log->usable)
            reopen(log);
        else if (!closing && atomic_load(&log->health.failing))
            log_health_probe(log);
        give_turn_back(log);
        wake_submitters(log, batch.first);
    } while (!closing);
    return NULL;
}
