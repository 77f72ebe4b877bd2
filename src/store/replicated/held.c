#include "held.h"

#include "index.h"
#include "log_read.h"
#include "shipment_body.h"
#include "turn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MS 15000
#define LOOK_AGAIN_MS 1000

struct held_batch {
    uint64_t first;
    struct shipment_body body;
    struct dbk_error why;
    struct writer_group *groups; /* by held_next */
    struct held_batch *next;
};

static void doubt(struct writer_group *group, const struct dbk_error *why)
{
    group->code =
        dbk_fail(&group->error, DBK_IN_DOUBT,
                 "whether it was recorded is not known now: %.400s", why->text);
    group->replayed = false;
}

void held_add(struct dbk_log *log, struct writer_group *first, uint64_t sequence,
              const struct dbk_error *why)
{
    struct held_batch *held = calloc(1, sizeof *held);
    int ms = log->options.held_ms > 0 ? log->options.held_ms : HELD_MS;

    assert(log->writing && first);
    if (!held) {
        for (struct writer_group *group = first; group; group = group->next)
            doubt(group, why);
        return;
    }
    *held = (struct held_batch){.first = sequence, .body = log->body, .why = *why};
    memset(&log->body, 0, sizeof log->body);
    pthread_mutex_lock(&log->mutex);
    for (struct writer_group *group = first; group; group = group->next) {
        group->was_held = true;
        group->held = held;
        group->held_until = dbk_deadline_in(ms);
        group->held_next = held->groups;
        held->groups = group;
        log->holding++;
    }
    held->next = log->held;
    log->held = held;
    pthread_mutex_unlock(&log->mutex);
}

static void destroy(struct held_batch *held)
{
    body_finish(&held->body);
    free(held);
}

/* With log->mutex held, and nobody settling. */
static void let_go(struct dbk_log *log, struct writer_group *group)
{
    struct held_batch *held = group->held, **at = &log->held;
    struct writer_group **link = &held->groups;

    while (*link != group)
        link = &(*link)->held_next;
    *link = group->held_next;
    group->held = NULL;
    doubt(group, &held->why);
    if (held->groups)
        return;
    while (*at != held)
        at = &(*at)->next;
    *at = held->next;
    destroy(held);
}

void held_wait(struct dbk_log *log, struct writer_group *group)
{
    dbk_deadline until;

    pthread_mutex_lock(&log->mutex);
    until = group->held_until;
    while (group->held) {
        bool woken =
            !log->closing &&
            dbk_cond_wait(&log->unheld, &log->mutex,
                          log->settling ? dbk_deadline_in(LOOK_AGAIN_MS) : until);

        if (group->held && !woken && !log->settling)
            let_go(log, group);
    }
    log->holding--;
    if (log->holding == 0)
        pthread_cond_broadcast(&log->unheld);
    pthread_mutex_unlock(&log->mutex);
}

void held_end(struct dbk_log *log)
{
    pthread_mutex_lock(&log->mutex);
    assert(log->closing);
    pthread_cond_broadcast(&log->unheld);
    while (log->holding > 0)
        pthread_cond_wait(&log->unheld, &log->mutex);
    pthread_mutex_unlock(&log->mutex);
}

static bool is_value(MDB_txn *txn, MDB_dbi dbi, MDB_val key, struct dbk_slice wanted,
                     int *rc)
{
    MDB_val value;

    *rc = mdb_get(txn, dbi, &key, &value);
    return *rc == 0 && value.mv_size == wanted.length &&
           !memcmp(value.mv_data, wanted.data, wanted.length);
}

/* A batch is in the stream as a whole or not; each record has its time and its id in it, so
 * others' are not taken for them. One of keys only is known by its first. *rc: an LMDB code
 * but MDB_NOTFOUND: it cannot be told. */
static bool is_there(MDB_txn *txn, const struct environment *environment,
                     struct held_batch *held, int *rc)
{
    struct body_walk walk = {held->body.records.bytes, held->body.records.used};
    struct dbk_slice value, key;
    uint64_t sequence = held->first;
    bool there = true;

    *rc = 0;
    for (uint32_t i = 0; there && i < held->body.count; i++, sequence++) {
        MDB_val at = {sizeof sequence, &sequence};

        there = body_next_record(&walk, &value) &&
                is_value(txn, environment->log, at, value, rc);
    }
    if (held->body.count == 0) {
        there = body_next_key(&walk, &key, &value) &&
                is_value(txn, environment->idempotency,
                         (MDB_val){key.length, (void *)(uintptr_t)key.data}, value, rc);
    }
    return there;
}

/* What became of it, in *code; DBK_IN_DOUBT: it cannot be read. */
static enum dbk_code find_out(struct dbk_log *log, struct held_batch *held)
{
    struct dbk_error err;
    MDB_txn *txn;
    bool there;
    int rc;

    if (log_begin_read(log, &txn, &err) != DBK_OK)
        return DBK_IN_DOUBT;
    there = is_there(txn, &log->environment, held, &rc);
    log_end_read(log, txn);
    if (there)
        return DBK_OK;
    return rc == 0 || rc == MDB_NOTFOUND ? DBK_NOT_LEADER : DBK_IN_DOUBT;
}

static void conclude(struct held_batch *held, enum dbk_code code)
{
    struct writer_group *group, *next;

    for (group = held->groups; group; group = next) {
        next = group->held_next; /* it may be gone behind this */
        if (code == DBK_NOT_LEADER) {
            group->code =
                dbk_fail(&group->error, code,
                         "another member of the cluster leads by now; nothing "
                         "of this was written");
            group->replayed = false;
        } else if (code != DBK_OK) {
            doubt(group, &held->why);
        }
        group->held = NULL;
    }
}

static struct held_batch *take_all(struct dbk_log *log)
{
    struct held_batch *all;

    pthread_mutex_lock(&log->mutex);
    all = log->held;
    log->held = NULL;
    log->settling = all != NULL;
    pthread_mutex_unlock(&log->mutex);
    return all;
}

void dbk_log_settle(struct dbk_log *log, bool known)
{
    struct held_batch *all, *held;

    /* Whoever has just lost what was shipped has it held by then. */
    if (turn_wait(log, NULL) == DBK_OK)
        turn_give_back(log);
    all = take_all(log);
    while ((held = all)) {
        enum dbk_code code = known ? find_out(log, held) : DBK_IN_DOUBT;

        all = held->next;
        pthread_mutex_lock(&log->mutex);
        conclude(held, code);
        log->settling = all != NULL;
        pthread_cond_broadcast(&log->unheld);
        pthread_mutex_unlock(&log->mutex);
        destroy(held);
    }
}
