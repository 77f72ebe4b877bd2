#include "leader.h"

#include "ship.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AGAIN_MS = 500, HAND_OVER_MS = 5000 };

static void set_state(struct dbk_replica *replica, enum dbk_replica_state state)
{
    pthread_mutex_lock(&replica->mutex);
    if (replica->status.state != DBK_REPLICA_HALTED)
        replica->status.state = state;
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
}

static int sessions(struct dbk_replica *replica, int count)
{
    return atomic_load(&replica->session_ms) * count;
}

static bool leads(const struct role *role)
{
    return role->phase == ROLE_LEADS || role->phase == ROLE_WAITS ||
           role->phase == ROLE_HANDS;
}

/* Nothing is being shipped when it returns, and the place is known again. */
static void follow(struct dbk_replica *replica)
{
    struct dbk_place place;

    dbk_log_follow(replica->log);
    atomic_store(&replica->shipped_next, 0);
    if (dbk_log_place(replica->log, &place, NULL) != DBK_OK)
        return; /* the next message that is applied tells */
    pthread_mutex_lock(&replica->mutex);
    replica->status.place = place;
    pthread_mutex_unlock(&replica->mutex);
}

/* Give up what it has of leading; open again, if at all, not before wait_ms. */
static void let_go(struct dbk_replica *replica, bool insists, int wait_ms)
{
    struct role *role = &replica->role;

    if (leads(role))
        follow(replica);
    producer_destroy(role->producer);
    *role = (struct role){.phase = ROLE_FOLLOWS,
                          .epoch = -1,
                          .insists = insists,
                          .next_try = dbk_deadline_in(wait_ms)};
    pthread_mutex_lock(&replica->mutex);
    role->elections = replica->elections;
    pthread_mutex_unlock(&replica->mutex);
    set_state(replica, DBK_REPLICA_FOLLOWS);
}

static bool wants(struct dbk_replica *replica)
{
    const struct role *role = &replica->role;
    bool elected, anew;

    if (replica->options.follower)
        return false;
    pthread_mutex_lock(&replica->mutex);
    elected = replica->assigned && replica->caught_up && !replica->failing &&
              dbk_deadline_left(replica->barred_until) == 0;
    anew = replica->elections != role->elections;
    pthread_mutex_unlock(&replica->mutex);
    /* Overtaken, it waits: whoever did that may lead well, and the group not know yet. But
     * once it knows, and elects this one, that one is gone. */
    return role->insists ? dbk_deadline_left(role->next_try) == 0
                         : elected && (anew || dbk_deadline_left(role->next_try) == 0);
}

/* What this node has, for all to compare. */
static enum dbk_code opening(struct dbk_replica *replica, struct message *out,
                             struct dbk_error *err)
{
    *out = replica_message(replica, MESSAGE_OPENING);
    if (dbk_log_head(replica->log, &out->first, err) != DBK_OK)
        return err->code;
    if (out->first > 0 &&
        dbk_log_checksum(replica->log, out->first, &out->before, err) != DBK_OK)
        return err->code;
    out->reseed = replica_place(replica).reseed;
    return DBK_OK;
}

static void open_stream(struct dbk_replica *replica)
{
    struct role *role = &replica->role;
    struct dbk_error err = {0};
    struct message message;

    if (opening(replica, &message, &err) != DBK_OK ||
        producer_create(&replica->options, &role->producer, &err) != DBK_OK ||
        producer_send(role->producer, &message, &err) != DBK_OK) {
        replica_say(replica, "cluster: could not open: %s", err.text);
        let_go(replica, role->insists, AGAIN_MS);
        return;
    }
    role->phase = ROLE_SENDS;
    role->from = replica_place(replica).next;
    role->epoch = -1;
    set_state(replica, DBK_REPLICA_OPENS);
}

static void halt_gone_back(struct dbk_replica *replica, int64_t offset)
{
    struct dbk_error err;

    dbk_fail(&err, DBK_CONFLICT,
             "the brokers gave offset %" PRId64 " to what was sent, and %" PRId64
             " was here already: they have lost what was acknowledged. Run `daybook "
             "cluster reseed` on the node with the highest head",
             offset, replica_place(replica).next - 1);
    leader_halt(replica, &err);
}

/* Brokers answer, and take nothing from this node: they may from another. */
static void stand_back(struct dbk_replica *replica)
{
    pthread_mutex_lock(&replica->mutex);
    replica->barred_until = dbk_deadline_in(sessions(replica, 3));
    pthread_mutex_unlock(&replica->mutex);
}

static void await_delivery(struct dbk_replica *replica)
{
    struct role *role = &replica->role;
    struct delivery delivery;

    if (!producer_delivered(role->producer, 0, &delivery))
        return;
    if (!delivery.arrived) {
        replica_trouble(replica, delivery.why);
        if (delivery.refused)
            stand_back(replica);
        let_go(replica, role->insists && !delivery.refused, AGAIN_MS);
    } else if (delivery.offset < role->from) {
        halt_gone_back(replica, delivery.offset);
    } else {
        role->epoch = delivery.offset;
        role->phase = ROLE_OPENED;
    }
}

static void lead(struct dbk_replica *replica)
{
    struct dbk_place place = replica_place(replica);
    uint64_t head = 0;

    pthread_mutex_lock(&replica->mutex);
    replica->lost = replica->reopen = replica->went_back = false;
    replica->hand_to[0] = '\0';
    pthread_mutex_unlock(&replica->mutex);
    atomic_store(&replica->shipped_next, place.next);
    replica->role.phase = ROLE_LEADS;
    replica->role.insists = false;
    ship_begin(replica);
    set_state(replica, DBK_REPLICA_LEADS);
    dbk_log_head(replica->log, &head, NULL);
    replica_say(replica, "cluster: leads from offset %" PRId64 ", record %" PRIu64,
                place.epoch, head);
}

static void await_opening(struct dbk_replica *replica)
{
    struct dbk_place place = replica_place(replica);

    if (place.next <= replica->role.epoch)
        return;
    if (place.epoch == replica->role.epoch)
        lead(replica);
    else
        let_go(replica, false, sessions(replica, 2)); /* another opened behind it */
}

/* What was in doubt is settled: its own opening is still the latest, or not. Not the other way
 * round: what is shipped, and in doubt again, is not to be settled with what was before. */
static void await_settled(struct dbk_replica *replica)
{
    bool open;

    pthread_mutex_lock(&replica->mutex);
    open = replica->doubt.open || replica->failing ||
           replica->seen_opening >= replica->status.place.next;
    pthread_mutex_unlock(&replica->mutex);
    if (open)
        return;
    if (replica_place(replica).epoch == replica->role.epoch)
        lead(replica);
    else
        let_go(replica, false, sessions(replica, 2));
}

static void hand_over(struct dbk_replica *replica, const char *node)
{
    struct message message = replica_message(replica, MESSAGE_HAND_OVER);
    struct role *role = &replica->role;
    struct dbk_error err = {0};
    int64_t offset;

    follow(replica); /* all that it shipped is in the stream */
    role->phase = ROLE_HANDS;
    role->until = dbk_deadline_in(HAND_OVER_MS);
    set_state(replica, DBK_REPLICA_FOLLOWS);
    message.epoch = role->epoch;
    message.body = dbk_slice(node);
    replica_say(replica, "cluster: hands over to %s", node);
    if (producer_send_wait(role->producer, &message, &replica->stopping, &offset,
                           &err) != DBK_OK) {
        replica_say(replica, "cluster: could not hand over: %s", err.text);
        let_go(replica, true, 0);
    }
}

static void look_after(struct dbk_replica *replica)
{
    bool lost, reopen, went_back;
    char node[DBK_REPLICA_NAME_MAX + 1];

    pthread_mutex_lock(&replica->mutex);
    lost = replica->lost;
    reopen = replica->reopen;
    went_back = replica->went_back;
    snprintf(node, sizeof node, "%s", replica->hand_to);
    replica->hand_to[0] = '\0';
    pthread_mutex_unlock(&replica->mutex);
    if (went_back) {
        halt_gone_back(replica, replica_place(replica).next - 1);
    } else if (reopen) {
        let_go(replica, true, 0);
    } else if (lost) {
        follow(replica);
        replica->reading = false; /* what it skipped as its own is to be applied */
        replica->role.phase = ROLE_WAITS;
        set_state(replica, DBK_REPLICA_OPENS);
    } else if (node[0] != '\0') {
        hand_over(replica, node);
    }
}

void leader_step(struct dbk_replica *replica)
{
    leader_settle(replica);
    switch (replica->role.phase) {
    case ROLE_FOLLOWS:
        if (wants(replica))
            open_stream(replica);
        break;
    case ROLE_SENDS:
        await_delivery(replica);
        break;
    case ROLE_OPENED:
        await_opening(replica);
        break;
    case ROLE_LEADS:
        look_after(replica);
        break;
    case ROLE_WAITS:
        await_settled(replica);
        break;
    case ROLE_HANDS:
        if (dbk_deadline_left(replica->role.until) == 0) {
            replica_say(replica, "cluster: nobody took over; opens again");
            let_go(replica, true, 0);
        }
        break;
    }
}

bool leader_hurries(const struct dbk_replica *replica)
{
    return replica->role.phase != ROLE_FOLLOWS && replica->role.phase != ROLE_LEADS;
}

void leader_deposed(struct dbk_replica *replica)
{
    if (leads(&replica->role))
        let_go(replica, false, sessions(replica, 2));
}

void leader_opened(struct dbk_replica *replica, int64_t offset)
{
    struct dbk_replica_status *status = &replica->status;
    struct role *role = &replica->role;
    char leader[sizeof status->leader], url[sizeof status->leader_url];

    pthread_mutex_lock(&replica->mutex);
    if (offset == role->epoch) /* the others stay out until the group has this one */
        replica->barred_until = 0;
    else if (dbk_deadline_left(replica->barred_until) > 0)
        replica->barred_until = dbk_deadline_in(sessions(replica, 1) / 2);
    snprintf(leader, sizeof leader, "%s", status->leader);
    snprintf(url, sizeof url, "%s", status->leader_url);
    pthread_mutex_unlock(&replica->mutex);
    if (role->phase != ROLE_FOLLOWS)
        return; /* it may be its own */
    role->insists = false;
    replica_say(replica, "cluster: follows %s (%s) from offset %" PRId64, leader, url,
                offset);
    if (!strcmp(leader, replica->options.node) &&
        strcmp(url, replica->options.url) != 0)
        replica_say(replica,
                    "cluster: %s is also called %s: give each node a CLUSTER_NODE of "
                    "its own",
                    url, leader);
}

void leader_handed(struct dbk_replica *replica, struct dbk_slice node)
{
    bool mine = dbk_slice_equal(node, dbk_slice(replica->options.node));
    bool now;

    pthread_mutex_lock(&replica->mutex);
    now = replica->caught_up && replica->status.place.next >= replica->status.end;
    if (mine && now) /* an earlier one may have kept it out */
        replica->barred_until = 0;
    else if (!mine && replica->caught_up) /* the end may have its opening already */
        replica->barred_until = dbk_deadline_in(HAND_OVER_MS + sessions(replica, 1));
    pthread_mutex_unlock(&replica->mutex);
    if (!now || !mine || replica->options.follower ||
        replica->role.phase != ROLE_FOLLOWS)
        return; /* of long ago, or another's */
    replica->role.insists = true;
    replica->role.next_try = 0;
}

void leader_settle(struct dbk_replica *replica)
{
    struct doubt *doubt = &replica->doubt;
    const struct dbk_place *place = &replica->status.place;
    bool known;

    pthread_mutex_lock(&replica->mutex);
    known = doubt->open && (place->epoch > doubt->epoch ||
                            (doubt->next >= 0 && place->next >= doubt->next));
    if (known)
        doubt->open = false;
    pthread_mutex_unlock(&replica->mutex);
    if (known)
        dbk_log_settle(replica->log, true);
}

static void give_up_doubt(struct dbk_replica *replica)
{
    bool open;

    pthread_mutex_lock(&replica->mutex);
    open = replica->doubt.open;
    replica->doubt.open = false;
    pthread_mutex_unlock(&replica->mutex);
    if (open)
        dbk_log_settle(replica->log, false);
}

void leader_halt(struct dbk_replica *replica, const struct dbk_error *err)
{
    let_go(replica, false, 0);
    give_up_doubt(replica);
    pthread_mutex_lock(&replica->mutex);
    replica->status.state = DBK_REPLICA_HALTED;
    snprintf(replica->status.why, sizeof replica->status.why, "%s", err->text);
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
    replica_say(replica, "cluster: halted: %s", err->text);
}

void leader_end(struct dbk_replica *replica)
{
    let_go(replica, false, 0);
    give_up_doubt(replica);
}
