/* Waiting for the read tables to have a record, and the projector's gathering
 * before it posts. */
#include "projector_wait.h"
#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A batch of many costs less a record, so it gathers for so long, or until there is enough
 * at the rate at which they came the last time, unless a read waits. What follows on a read
 * that had to wait is posted at once, for then the next read is near. More than enough
 * would be hardly cheaper, and a read that comes then waits for all of them. */
enum { GATHER_MS = 50, ENOUGH_RECORDS = 512 };

/* Somebody holds it, which can only be the caller. */
static bool is_held(pthread_mutex_t *lock)
{
    return pthread_mutex_trylock(lock) == EBUSY;
}

/* Wake those who have what they wait for, or will not get it. Each has a condition of its
 * own, so a batch wakes nobody in vain. */
static void tell(struct dbk_projector *projector)
{
    const struct dbk_projector_status *status = &projector->status;

    assert(is_held(&projector->lock));
    atomic_store(&projector->quarantined_told, status->quarantined);
    atomic_store(&projector->readable, status->running ? status->projected + 1 : 0);
    for (struct projector_waiter *one = projector->waiters; one; one = one->next) {
        if (!status->running || one->sequence <= status->projected)
            pthread_cond_signal(&one->woken);
    }
}

void projector_publish(struct dbk_projector *projector)
{
    pthread_mutex_lock(&projector->lock);
    projector->status.projected = projector->poster.projected;
    projector->status.quarantined = projector->poster.quarantined;
    tell(projector);
    pthread_mutex_unlock(&projector->lock);
}

void projector_note_turn(struct dbk_projector *projector)
{
    int64_t now = dbk_clock_ms();
    uint64_t head;

    atomic_store(&projector->heard_at, now);
    if (projector->poster.projected < projector->mark)
        return;
    atomic_store(&projector->caught_up_at, projector->mark_at);
    if (dbk_log_head(projector->poster.log, &head, NULL) != DBK_OK)
        return;
    projector->mark = head;
    projector->mark_at = now;
    if (projector->poster.projected >= head)
        atomic_store(&projector->caught_up_at, now);
}

bool projector_stopping(struct dbk_projector *projector)
{
    bool stopping;

    pthread_mutex_lock(&projector->lock);
    stopping = projector->stopping;
    pthread_mutex_unlock(&projector->lock);
    return stopping;
}

void projector_breakable(struct dbk_projector *projector, const struct pg *pg)
{
    pthread_mutex_lock(&projector->lock);
    projector->breakable = pg;
    pthread_mutex_unlock(&projector->lock);
}

bool projector_pause(struct dbk_projector *projector, int ms)
{
    dbk_deadline until = dbk_deadline_in(ms);
    bool go_on;

    pthread_mutex_lock(&projector->lock);
    while (!projector->stopping &&
           dbk_cond_wait(&projector->changed, &projector->lock, until))
        ;
    go_on = !projector->stopping;
    pthread_mutex_unlock(&projector->lock);
    return go_on;
}

/* Whether they are the same but for numbers, such as a head that rises. */
static bool same_words(const char *a, const char *b)
{
    static const char digits[] = "0123456789";

    for (;; a++, b++) {
        a += strspn(a, digits);
        b += strspn(b, digits);
        if (*a != *b || *a == '\0')
            return *a == *b;
    }
}

static enum dbk_projector_refusal refusal_of(const struct dbk_projector *projector)
{
    if (projector->poster.other_history)
        return DBK_REFUSAL_HISTORY;
    if (projector->held)
        return DBK_REFUSAL_HELD;
    return projector->emptied || projector->loading ? DBK_REFUSAL_EMPTIED
                                                    : DBK_REFUSAL_NONE;
}

bool projector_put_off(const struct dbk_projector *projector, struct dbk_error *err)
{
    const struct dbk_projector_options *options = &projector->options;
    char why[sizeof projector->status.state];

    if (!options->hold || !options->hold(options->hold_context, why, sizeof why))
        return false;
    dbk_fail(err, DBK_UNAVAILABLE, "%s", why);
    return true;
}

void projector_set_running(struct dbk_projector *projector, const char *why)
{
    struct dbk_projector_status *status = &projector->status;
    bool news;

    pthread_mutex_lock(&projector->lock);
    news = !projector->stopping &&
           (status->running != !why || (why && !same_words(status->state, why)));
    status->running = !why;
    status->refusal = why ? refusal_of(projector) : DBK_REFUSAL_NONE;
    projector->tried = true;
    snprintf(status->state, sizeof status->state, "%s", why ? why : PROJECTOR_FOLLOWS);
    tell(projector);
    pthread_mutex_unlock(&projector->lock);
    if (!news)
        return;
    if (why && projector->emptied) /* it was told when they were opened */
        return;
    if (why)
        poster_say(&projector->poster, "projection stands still: %s", why);
    else
        poster_say(&projector->poster, "projection follows the log from sequence %llu",
                   (unsigned long long)projector->poster.projected);
}

void projector_note_posting(struct dbk_projector *projector)
{
    const struct poster *poster = &projector->poster;
    char why[sizeof projector->status.state];
    uint64_t head = 0;

    projector->emptied = poster->projected < poster->were_at &&
                         dbk_log_head(poster->log, &head, NULL) == DBK_OK &&
                         poster->projected < head;
    if (!projector->emptied) {
        projector_set_running(projector, NULL);
        return;
    }
    snprintf(
        why, sizeof why,
        "a new version has emptied the read tables, and they are posted again from "
        "the log: they are at record %llu of %llu",
        (unsigned long long)poster->projected,
        (unsigned long long)(poster->were_at < head ? poster->were_at : head));
    projector_set_running(projector, why);
}

static void link_waiter(struct dbk_projector *projector,
                        struct projector_waiter *waiter)
{
    assert(is_held(&projector->lock));
    waiter->next = projector->waiters;
    waiter->link = &projector->waiters;
    if (waiter->next)
        waiter->next->link = &waiter->next;
    projector->waiters = waiter;
}

static void unlink_waiter(struct projector_waiter *waiter)
{
    assert(*waiter->link == waiter); /* whoever stands before it has kept its link */
    *waiter->link = waiter->next;
    if (waiter->next)
        waiter->next->link = waiter->link;
}

/* With the lock held. Before the first connection is made or has failed, it is too early
 * to say that PostgreSQL is away. */
static bool may_come(const struct dbk_projector *projector, uint64_t sequence)
{
    return !projector->tried ||
           (projector->status.running && projector->status.projected < sequence);
}

/* With the lock held. */
static void wait_linked(struct dbk_projector *projector, uint64_t sequence,
                        int timeout_ms)
{
    struct projector_waiter waiter = {.sequence = sequence};
    dbk_deadline until = dbk_deadline_in(timeout_ms);

    dbk_cond_init(&waiter.woken);
    link_waiter(projector, &waiter);
    projector->waited_for = true;
    if (projector->gathering)
        pthread_cond_broadcast(&projector->changed);
    while (may_come(projector, sequence) &&
           dbk_cond_wait(&waiter.woken, &projector->lock, until))
        ;
    unlink_waiter(&waiter);
    pthread_cond_destroy(&waiter.woken);
}

enum dbk_code dbk_projector_wait(struct dbk_projector *projector, uint64_t sequence,
                                 int timeout_ms, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (sequence < atomic_load(&projector->readable))
        return DBK_OK;
    pthread_mutex_lock(&projector->lock);
    if (timeout_ms > 0 && may_come(projector, sequence))
        wait_linked(projector, sequence, timeout_ms);
    if (!projector->status.running)
        code = dbk_fail(err, DBK_UNAVAILABLE, "%s", projector->status.state);
    else if (projector->status.projected < sequence)
        code =
            dbk_fail(err, DBK_TIMEOUT, "the read tables are at sequence %llu, not %llu",
                     (unsigned long long)projector->status.projected,
                     (unsigned long long)sequence);
    pthread_mutex_unlock(&projector->lock);
    return code;
}

static int64_t since(_Atomic int64_t *at)
{
    int64_t now = dbk_clock_ms(), then = atomic_load(at);

    return now > then ? now - then : 0;
}

void dbk_projector_status(struct dbk_projector *projector,
                          struct dbk_projector_status *out)
{
    uint64_t readable = atomic_load(&projector->readable);

    if (readable > 0) {
        out->projected = readable - 1;
        out->running = true;
        out->refusal = DBK_REFUSAL_NONE;
        strcpy(out->state, PROJECTOR_FOLLOWS);
        out->quarantined = atomic_load(&projector->quarantined_told);
    } else {
        pthread_mutex_lock(&projector->lock);
        *out = projector->status;
        pthread_mutex_unlock(&projector->lock);
    }
    out->behind_ms = since(&projector->caught_up_at);
    out->silent_ms = since(&projector->heard_at);
}

bool dbk_projector_any_aside(struct dbk_projector *projector)
{
    return atomic_load(&projector->poster.aside.count) > 0;
}

uint64_t dbk_projector_healed(struct dbk_projector *projector)
{
    return atomic_load(&projector->poster.aside.healed);
}

uint64_t dbk_projector_rearranged(struct dbk_projector *projector)
{
    return 1 + atomic_load(&projector->poster.rearranged) +
           atomic_load(&projector->poster.aside.healed);
}

uint64_t dbk_projector_renewals(const struct dbk_projector *projector)
{
    return atomic_load(&projector->renewals);
}

bool dbk_projector_set_aside(struct dbk_projector *projector,
                             const struct dbk_uuid *person, struct dbk_set_aside *out)
{
    struct post_aside *aside = &projector->poster.aside;
    struct dbk_uuid owner;

    if (!dbk_projector_any_aside(projector))
        return false;
    if (post_aside_person(aside, person, out))
        return true;
    for (size_t i = 0; post_aside_anonymous(aside, &i, out);) {
        if (dbk_log_whose(projector->poster.log, DBK_IDENTITY_ANONYMOUS_ID,
                          dbk_slice(out->anonymous_id), &owner, NULL) == DBK_OK &&
            dbk_uuid_equal(&owner, person))
            return true;
    }
    return false;
}

bool dbk_projector_aside_between(struct dbk_projector *projector,
                                 enum dbk_set_aside_of of, uint64_t after, uint64_t to,
                                 struct dbk_set_aside *out)
{
    return post_aside_between(&projector->poster.aside, of, after, to, out);
}

/* With the lock held. Those who have what they waited for may not have left yet. */
static bool is_waited_for(const struct dbk_projector *projector)
{
    for (const struct projector_waiter *one = projector->waiters; one;
         one = one->next) {
        if (one->sequence > projector->status.projected)
            return true;
    }
    return false;
}

/* With the lock held, which it gives up meanwhile. False: it was not to the end. */
static bool sleep_gathering(struct dbk_projector *projector, dbk_deadline until)
{
    bool to_the_end = false;

    assert(is_held(&projector->lock));
    projector->gathering = true;
    while (!to_the_end && !projector->stopping && !projector->waited_for &&
           !is_waited_for(projector))
        to_the_end = !dbk_cond_wait(&projector->changed, &projector->lock, until);
    projector->gathering = projector->waited_for = false;
    return to_the_end;
}

static int gather_max(const struct dbk_projector *projector)
{
    return projector->options.gather_ms > 0 ? projector->options.gather_ms : GATHER_MS;
}

/* In which time there would be enough, at the rate of those that came in this time. */
static void adapt(struct dbk_projector *projector, uint64_t came, int ms)
{
    int max = gather_max(projector);
    uint64_t next = came > 0 ? (uint64_t)ms * ENOUGH_RECORDS / came : (uint64_t)max;

    projector->gather_ms = next < 1 ? 1 : next < (uint64_t)max ? (int)next : max;
}

bool projector_gather(struct dbk_projector *projector, uint64_t head)
{
    int ms = projector->gather_ms > 0 ? projector->gather_ms : gather_max(projector);
    bool to_the_end;
    uint64_t now;

    assert(head > projector->poster.projected);
    if (head - projector->poster.projected >= ENOUGH_RECORDS)
        return false;
    pthread_mutex_lock(&projector->lock);
    to_the_end = sleep_gathering(projector, dbk_deadline_in(ms));
    pthread_mutex_unlock(&projector->lock);
    if (to_the_end && dbk_log_head(projector->poster.log, &now, NULL) == DBK_OK)
        adapt(projector, now > head ? now - head : 0, ms);
    return to_the_end;
}

static void on_moved(void *context)
{
    projector_publish(context);
}

static void on_report(void *context, const char *line)
{
    const struct dbk_projector *projector = context;

    if (projector->options.report)
        projector->options.report(projector->options.report_context, line);
}

static bool on_stopping(void *context)
{
    return projector_stopping(context);
}

void projector_init(struct dbk_projector *projector, struct dbk_log *log,
                    const struct dbk_database *database,
                    const struct dbk_projector_options *options)
{
    const struct poster_calls calls = {on_report, on_moved, on_stopping, projector};

    memset(projector, 0, sizeof *projector);
    if (options)
        projector->options = *options;
    if (database) /* a test of the waiting alone has none */
        projector->database = *database;
    projector->database.stop = on_stopping;
    projector->database.stop_context = projector;
    projector->mark_at = dbk_clock_ms();
    atomic_init(&projector->caught_up_at, projector->mark_at);
    atomic_init(&projector->heard_at, projector->mark_at);
    snprintf(projector->status.state, sizeof projector->status.state,
             "connecting to PostgreSQL");
    pthread_mutex_init(&projector->lock, NULL);
    dbk_cond_init(&projector->changed);
    poster_init(&projector->poster, log, &projector->database, &calls);
    post_retry_init(&projector->retry, &projector->poster);
}

void projector_finish(struct dbk_projector *projector)
{
    assert(!projector->waiters); /* each would wake in memory that is gone */
    post_retry_finish(&projector->retry);
    poster_finish(&projector->poster);
    pthread_mutex_destroy(&projector->lock);
    pthread_cond_destroy(&projector->changed);
}
