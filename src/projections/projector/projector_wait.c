/* Waiting for the read tables to have a record, and the projector's waiting for more to
 * come before it posts. */
#include "projector_private.h"
#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* A batch of many costs less a record, so from one to the next it gathers for so long,
 * unless there is enough, or a read waits. The first after a calm is posted at once; so is
 * what follows on a read that had to wait, for then the next read is near. */
enum { LINGER_MS = 3, ENOUGH_RECORDS = 256 };

/* Somebody holds it, which can only be the caller. */
static bool is_held(pthread_mutex_t *lock)
{
    return pthread_mutex_trylock(lock) == EBUSY;
}

/* Wake those who have what they wait for, or will not get it. Each has a condition of its
 * own, so a batch wakes nobody in vain. */
void projector_tell(struct dbk_projector *self)
{
    const struct dbk_projector_status *status = &self->status;

    assert(is_held(&self->lock));
    atomic_store(&self->quarantined_told, status->quarantined);
    atomic_store(&self->readable, status->running ? status->projected + 1 : 0);
    for (struct projector_waiter *one = self->waiters; one; one = one->next)
        if (!status->running || one->sequence <= status->projected)
            pthread_cond_signal(&one->woken);
}

void projector_publish(struct dbk_projector *self)
{
    pthread_mutex_lock(&self->lock);
    self->status.projected = self->poster.projected;
    self->status.quarantined = self->poster.quarantined;
    projector_tell(self);
    pthread_mutex_unlock(&self->lock);
}

static void link_waiter(struct dbk_projector *self, struct projector_waiter *waiter)
{
    assert(is_held(&self->lock));
    waiter->next = self->waiters;
    waiter->link = &self->waiters;
    if (waiter->next)
        waiter->next->link = &waiter->next;
    self->waiters = waiter;
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
static bool may_come(const struct dbk_projector *self, uint64_t sequence)
{
    return !self->tried || (self->status.running && self->status.projected < sequence);
}

/* With the lock held. */
static void wait_linked(struct dbk_projector *self, uint64_t sequence, int timeout_ms)
{
    struct projector_waiter waiter = {.sequence = sequence};
    dbk_deadline until = dbk_deadline_in(timeout_ms);

    dbk_cond_init(&waiter.woken);
    link_waiter(self, &waiter);
    self->waited_for = true;
    if (self->lingering)
        pthread_cond_broadcast(&self->changed);
    while (may_come(self, sequence) && dbk_cond_wait(&waiter.woken, &self->lock, until))
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

void dbk_projector_status(struct dbk_projector *projector,
                          struct dbk_projector_status *out)
{
    uint64_t readable = atomic_load(&projector->readable);

    if (readable > 0) {
        out->projected = readable - 1;
        out->running = true;
        strcpy(out->state, PROJECTOR_FOLLOWS);
        out->quarantined = atomic_load(&projector->quarantined_told);
        return;
    }
    pthread_mutex_lock(&projector->lock);
    *out = projector->status;
    pthread_mutex_unlock(&projector->lock);
}

/* With the lock held. Those who have what they waited for may not have left yet. */
static bool is_waited_for(const struct dbk_projector *self)
{
    for (const struct projector_waiter *one = self->waiters; one; one = one->next)
        if (one->sequence > self->status.projected)
            return true;
    return false;
}

bool projector_linger(struct dbk_projector *self, uint64_t head)
{
    bool to_the_end = false;

    assert(head > self->poster.projected);
    if (head - self->poster.projected >= ENOUGH_RECORDS ||
        dbk_deadline_left(self->linger_until) == 0)
        return false;
    pthread_mutex_lock(&self->lock);
    self->lingering = true;
    while (!to_the_end && !self->stopping && !self->waited_for && !is_waited_for(self))
        to_the_end = !dbk_cond_wait(&self->changed, &self->lock, self->linger_until);
    self->lingering = self->waited_for = false;
    pthread_mutex_unlock(&self->lock);
    return to_the_end;
}

void projector_linger_from_now(struct dbk_projector *self)
{
    self->linger_until = dbk_deadline_in(LINGER_MS);
}
