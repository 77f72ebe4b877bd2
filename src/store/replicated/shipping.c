#include "shipping.h"

#include "apply_private.h"
#include "fault_watch.h"
#include "place.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* What a commit may take of the disk besides the bytes themselves: a page each for the indexes
 * of a record, and as much again for values that get pages of their own. */
#define PAGES_OF_RECORD ((uint64_t)2 * 4096)

enum dbk_code shipping_refuse(struct dbk_error *err)
{
    return dbk_fail(
        err, DBK_NOT_LEADER,
        "this log is a member of a cluster, which only its leader writes to: "
        "write through that; nothing was written here");
}

int shipping_begin(struct shipping *shipping, struct dbk_log *log, MDB_txn *txn,
                   struct dbk_error *refused)
{
    int role = atomic_load(&log->role);
    uint64_t head;
    int rc = place_get(txn, &log->environment, &shipping->at);

    assert(log->writing);
    if (rc == MDB_NOTFOUND && role == DBK_LOG_ALONE)
        return 0;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    if (rc == MDB_NOTFOUND || role != DBK_LOG_LEADS) {
        if (role == DBK_LOG_ALONE)
            atomic_store(&log->role, DBK_LOG_FOLLOWS);
        shipping_refuse(refused);
        return 0;
    }
    shipping->leads = true;
    shipping->body = &log->body;
    body_clear(shipping->body);
    return apply_find_end(txn, &log->environment, &head, &shipping->before);
}

void shipping_lose(struct dbk_log *log, const struct dbk_error *why)
{
    assert(log->writing);
    atomic_store(&log->role, DBK_LOG_FOLLOWS);
    if (log->shipper.lost)
        log->shipper.lost(log->shipper.context, why);
}

/* Whatever else a shipper may say is a doubt. */
static void note_refusal(struct dbk_log *log, enum dbk_code code,
                         struct dbk_error *refused)
{
    switch (code) {
    case DBK_OK:
    case DBK_UNAVAILABLE:
    case DBK_TOO_LARGE:
    case DBK_IN_DOUBT:
        refused->code = code;
        return;
    case DBK_NOT_LEADER:
        refused->code = code;
        atomic_store(&log->role, DBK_LOG_FOLLOWS);
        return;
    default:
        refused->code = DBK_IN_DOUBT;
    }
}

/* No longer in the log, nor at its disk. */
static void step_out(struct dbk_log *log)
{
    fault_leave();
    log_health_end(log);
}

static void step_in(struct dbk_log *log)
{
    log_health_begin(log);
    fault_enter(log->environment.env);
}

static int confirm(struct shipping *shipping, struct dbk_log *log,
                   struct dbk_error *refused)
{
    enum dbk_code code;

    step_out(log);
    code = log->shipper.confirm(log->shipper.context, &shipping->at, refused);
    step_in(log);
    note_refusal(log, code, refused);
    if (refused->code == DBK_IN_DOUBT) /* of nothing there is no doubt */
        refused->code = DBK_UNAVAILABLE;
    return 0;
}

static bool fits(const struct shipping *shipping, struct dbk_log *log,
                 struct dbk_error *refused)
{
    size_t length = body_length(shipping->body);

    if (length > DBK_SHIPMENT_MAX) {
        dbk_fail(
            refused, DBK_TOO_LARGE,
            "in one piece this is %zu bytes, and a cluster takes at most %zu: send it "
            "in smaller pieces; nothing was written",
            length, DBK_SHIPMENT_MAX);
        return false;
    }
    if (log_room_is_for(&log->room, log->dir,
                        2 * length + shipping->body->count * PAGES_OF_RECORD))
        return true;
    dbk_fail(refused, DBK_NO_ROOM, "append to the log: the disk is full");
    return false;
}

static enum dbk_code ship(const struct shipping *shipping, struct dbk_log *log,
                          const struct dbk_shipment *shipment, struct dbk_place *after,
                          struct dbk_error *refused)
{
    enum dbk_code code;

    step_out(log);
    code = log->shipper.ship(log->shipper.context, shipment, &shipping->at, after,
                             refused);
    step_in(log);
    if (code == DBK_OK && !(place_is_right(after) && after->next > shipping->at.next))
        code = dbk_fail(refused, DBK_IN_DOUBT,
                        "shipped to %" PRId64 ", which is not behind %" PRId64,
                        after->next, shipping->at.next);
    return code;
}

void shipping_finish(struct shipping *shipping)
{
    free(shipping->keys.bytes);
    shipping->keys = (struct shared_keys){NULL, 0};
}

int shipping_send(struct shipping *shipping, struct dbk_log *log, MDB_txn *txn,
                  uint64_t first, struct dbk_error *refused)
{
    struct dbk_apply apply = {.log = log, .txn = txn};
    struct dbk_shipment shipment = {
        .first = first, .before = shipping->before, .apply = &apply};
    struct dbk_place after = {.next = -1};

    if (!shipping->leads)
        return 0;
    if (body_length(shipping->body) == 0)
        return confirm(shipping, log, refused);
    if (!fits(shipping, log, refused))
        return 0;
    shipment.count = shipping->body->count;
    if (!body_join(shipping->body, &shipment.body))
        return ENOMEM;
    shipment.keys = (struct dbk_slice){shipping->keys.bytes, shipping->keys.length};
    note_refusal(log, ship(shipping, log, &shipment, &after, refused), refused);
    if (refused->code != DBK_OK)
        return 0;
    shipping->shipped = true;
    if (shipment.keys.length > 0 &&
        shared_keys_take(log, txn, shipment.keys, refused) != DBK_OK)
        return 0;
    return apply.rc == 0 ? place_put(txn, &log->environment, &after) : apply.rc;
}
