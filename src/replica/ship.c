#include "ship.h"

#include "between.h"
#include "end.h"

#include <inttypes.h>

enum { CONFIRM_MS = 3000 };

/* Whether it is in the stream is not known: until `next` was applied, where that is given. */
static void doubt(struct dbk_replica *replica, int64_t epoch, int64_t next)
{
    pthread_mutex_lock(&replica->mutex);
    replica->doubt = (struct doubt){.open = true, .epoch = epoch, .next = next};
    replica->lost = true;
    replica->reopen |= next < 0;
    pthread_mutex_unlock(&replica->mutex);
}

/* Its producer is not to be used again. */
static void reopen(struct dbk_replica *replica)
{
    pthread_mutex_lock(&replica->mutex);
    replica->reopen = true;
    pthread_mutex_unlock(&replica->mutex);
}

static void count(struct dbk_replica *replica, int64_t began_us)
{
    pthread_mutex_lock(&replica->mutex);
    replica->status.ships++;
    replica->status.ship_us += (uint64_t)(dbk_clock_us() - began_us);
    pthread_mutex_unlock(&replica->mutex);
}

static enum dbk_code send_batch(struct dbk_replica *replica,
                                const struct message *message, int64_t *offset,
                                struct dbk_error *err)
{
    enum dbk_code code = producer_send_wait(replica->role.producer, message,
                                            &replica->stopping, offset, err);

    if (code == DBK_IN_DOUBT)
        doubt(replica, message->epoch, -1);
    else if (code != DBK_OK)
        reopen(replica);
    return code;
}

/* It came elsewhere than to where it was due. */
static enum dbk_code misplaced(struct dbk_replica *replica, const struct dbk_place *at,
                               int64_t offset, struct dbk_error *err)
{
    if (offset < at->next) {
        /* It is there, among what this log will never read: it stays in doubt. */
        pthread_mutex_lock(&replica->mutex);
        replica->went_back = true;
        pthread_mutex_unlock(&replica->mutex);
        doubt(replica, at->epoch, -1);
    } else {
        /* Messages of who led before are in between, or another opening. The tail reads what
         * came of it. */
        doubt(replica, at->epoch, offset + 1);
    }
    return dbk_fail(err, DBK_IN_DOUBT,
                    "it came to offset %" PRId64 " of the stream, not to %" PRId64
                    ": what is before it is read first",
                    offset, at->next);
}

static enum dbk_code ship(void *context, const struct dbk_shipment *shipment,
                          const struct dbk_place *at, struct dbk_place *after,
                          struct dbk_error *err)
{
    struct dbk_replica *replica = context;
    struct message message = replica_message(replica, MESSAGE_BATCH);
    int64_t began_us = dbk_clock_us(), offset;

    message.epoch = at->epoch;
    message.first = shipment->first;
    message.count = shipment->count;
    message.before = shipment->before;
    message.reseed = at->reseed;
    message.url = (struct dbk_slice){NULL, 0};
    message.body = shipment->body;
    message.keys = shipment->keys;
    if (send_batch(replica, &message, &offset, err) != DBK_OK)
        return err->code;
    if (offset < at->next ||
        (offset > at->next &&
         !between_keep(replica, shipment->apply, at->next, offset)))
        return misplaced(replica, at, offset, err);
    *after = (struct dbk_place){offset + 1, at->epoch, at->reseed};
    atomic_store(&replica->shipped_next, after->next);
    count(replica, began_us);
    return DBK_OK;
}

/* Something is behind this place, up to the end: whether it has an opening. dbk-tail tells
 * what it has received, also while it waits for the turn. */
static enum dbk_code look_between(struct dbk_replica *replica, int64_t next,
                                  int64_t end, dbk_deadline deadline,
                                  struct dbk_error *err)
{
    bool seen, opened;

    pthread_mutex_lock(&replica->mutex);
    while (replica->seen_next < end && replica->seen_opening < next &&
           !atomic_load(&replica->stopping) &&
           dbk_cond_wait(&replica->changed, &replica->mutex, deadline))
        ;
    seen = replica->seen_next >= end;
    opened = replica->seen_opening >= next;
    pthread_mutex_unlock(&replica->mutex);
    if (opened)
        return dbk_fail(err, DBK_NOT_LEADER, "another node leads by now");
    if (seen)
        return DBK_OK;
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "the stream has messages that were not read yet; try again");
}

static enum dbk_code confirm(void *context, const struct dbk_place *at,
                             struct dbk_error *err)
{
    struct dbk_replica *replica = context;
    dbk_deadline deadline = dbk_deadline_in(CONFIRM_MS);
    int64_t end;

    if (end_ask(replica, CONFIRM_MS, &end, err) != DBK_OK)
        return err->code;
    if (end == at->next)
        return DBK_OK;
    if (end < at->next)
        return dbk_fail(
            err, DBK_UNAVAILABLE,
            "the brokers tell an end that is behind what they had; try again");
    return look_between(replica, at->next, end, deadline, err);
}

static void lost(void *context, const struct dbk_error *why)
{
    struct dbk_replica *replica = context;

    pthread_mutex_lock(&replica->mutex);
    replica->lost = true;
    if (!replica->doubt.open && why->code != DBK_NOT_LEADER)
        replica->doubt = (struct doubt){.open = true,
                                        .epoch = replica->status.place.epoch,
                                        .next = atomic_load(&replica->shipped_next)};
    pthread_mutex_unlock(&replica->mutex);
}

void ship_begin(struct dbk_replica *replica)
{
    const struct dbk_shipper shipper = {
        .context = replica, .ship = ship, .confirm = confirm, .lost = lost};

    dbk_log_lead(replica->log, &shipper);
}
