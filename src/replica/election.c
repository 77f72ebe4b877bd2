#include "election.h"

#include "end.h"
#include "member.h"

enum {
    POLL_MS = 100,
    TELL_MS = 1000,
    LEAVE_MS = 800, /* beside a look at the end: a stop takes less than 2 s */
    BROKERS_SESSION_MS = 6000, /* the least that brokers take, unless they are told */
};

struct election {
    struct dbk_replica *replica;
    rd_kafka_t *handle; /* NULL: it never leads */
    bool joined, again;
    bool asked;               /* to join, ever */
    rd_kafka_resp_err_t said; /* what was wrong last */
    dbk_deadline tell_at;
    enum dbk_replica_state told;
};

static void set_assigned(struct dbk_replica *replica, bool assigned)
{
    pthread_mutex_lock(&replica->mutex);
    replica->elections += assigned && !replica->assigned;
    replica->assigned = assigned;
    pthread_mutex_unlock(&replica->mutex);
}

/* By whoever polls the handle: dbk-election. */
static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t what,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct dbk_replica *replica = opaque;
    rd_kafka_error_t *error;

    replica->answered = true;
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        error = rd_kafka_incremental_assign(handle, partitions);
        if (partitions->cnt > 0)
            set_assigned(replica, true);
    } else {
        if (partitions->cnt > 0)
            set_assigned(replica, false);
        error = rd_kafka_incremental_unassign(handle, partitions);
    }
    if (error)
        rd_kafka_error_destroy(error);
}

static rd_kafka_t *make_handle(struct dbk_replica *replica)
{
    struct dbk_replica_options options = replica->options;
    struct dbk_error err = {0};
    rd_kafka_t *handle = NULL;
    rd_kafka_conf_t *conf;

    if (options.follower)
        return NULL;
    options.session_ms = atomic_load(&replica->session_ms);
    if (conf_create(&options, CONF_ELECTION, &conf, &err) == DBK_OK) {
        rd_kafka_conf_set_opaque(conf, replica);
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
        conf_handle(RD_KAFKA_CONSUMER, conf, &handle, &err);
    }
    if (handle)
        rd_kafka_poll_set_consumer(handle);
    else
        replica_say(replica, "cluster: this node never leads: %s", err.text);
    return handle;
}

/* Who is behind, or halted, or shall not now, stays out: nobody would lead meanwhile. */
static bool may_lead(struct dbk_replica *replica)
{
    bool may;

    pthread_mutex_lock(&replica->mutex);
    may = replica->caught_up && !replica->failing &&
          replica->status.state != DBK_REPLICA_HALTED &&
          dbk_deadline_left(replica->barred_until) == 0;
    pthread_mutex_unlock(&replica->mutex);
    return may;
}

static void join(struct election *election)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    char topic[CONF_NAME_MAX];

    conf_election_name(&election->replica->options, topic);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    election->asked = true;
    election->joined =
        rd_kafka_subscribe(election->handle, topics) == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(topics);
}

static void leave(struct election *election)
{
    rd_kafka_unsubscribe(election->handle);
    election->joined = false;
    set_assigned(election->replica, false);
}

/* Leave the group, so that another is elected at once; not longer than LEAVE_MS. librdkafka up
 * to 2.0 at least aborts where a handle is destroyed that has joined a group, and was not told
 * yet what it is assigned (rd_kafka_sticky_assignor_state_destroy): such a one is closed and
 * left to the end of the process. */
static void close_handle(rd_kafka_t *handle, bool destroy)
{
    dbk_deadline deadline = dbk_deadline_in(destroy ? LEAVE_MS : LEAVE_MS / 5);
    rd_kafka_queue_t *queue;
    rd_kafka_error_t *error;

    if (!handle)
        return;
    queue = rd_kafka_queue_new(handle);
    error = rd_kafka_consumer_close_queue(handle, queue);
    if (error)
        rd_kafka_error_destroy(error);
    while (!rd_kafka_consumer_closed(handle) && dbk_deadline_left(deadline) > 0)
        rd_kafka_queue_poll_callback(queue, POLL_MS / 5);
    rd_kafka_queue_destroy(queue);
    if (destroy)
        rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

/* Nobody writes to the topic of the election: a message says what is wrong. */
static void heed(struct election *election, const rd_kafka_message_t *message)
{
    struct dbk_replica *replica = election->replica;
    int session_ms = atomic_load(&replica->session_ms);

    if (message->err == election->said || message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    election->said = message->err;
    if (message->err != RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT ||
        session_ms >= BROKERS_SESSION_MS) {
        replica_say(replica, "cluster: election: %s", rd_kafka_message_errstr(message));
        return;
    }
    replica_say(
        replica,
        "cluster: the brokers take no session of %d ms: it is %d ms until their "
        "group.min.session.timeout.ms is less",
        session_ms, BROKERS_SESSION_MS);
    atomic_store(&replica->session_ms, BROKERS_SESSION_MS);
    election->again = true;
}

static void begin_again(struct election *election)
{
    close_handle(election->handle, true); /* it was refused, so it has not joined */
    set_assigned(election->replica, false);
    election->handle = make_handle(election->replica);
    election->joined = election->again = false;
}

static void stand(struct election *election)
{
    bool may = may_lead(election->replica);
    rd_kafka_message_t *message;

    if (may && !election->joined)
        join(election);
    else if (!may && election->joined)
        leave(election);
    message = rd_kafka_consumer_poll(election->handle, POLL_MS);
    if (message) {
        heed(election, message);
        rd_kafka_message_destroy(message);
    }
    if (election->again)
        begin_again(election);
}

/* What a handle complains of that nobody reads from would pile up; whoever asks is told. */
static void drain(rd_kafka_t *handle)
{
    rd_kafka_message_t *message;

    while ((message = rd_kafka_consumer_poll(handle, 0)))
        rd_kafka_message_destroy(message);
}

/* Once a second; and at once that it leads, or does so no longer: who handed over looks. Not
 * that it stops: what it did is told as its last word. */
static void tell(struct election *election, enum dbk_replica_state state)
{
    if ((dbk_deadline_left(election->tell_at) > 0 && state == election->told) ||
        atomic_load(&election->replica->stopping))
        return;
    member_tell(election->replica);
    election->told = state;
    election->tell_at = dbk_deadline_in(TELL_MS);
}

void *election_run(void *context)
{
    struct election election = {.replica = context};
    struct dbk_replica *replica = context;

    election.handle = make_handle(replica);
    while (!atomic_load(&replica->stopping)) {
        enum dbk_replica_state state;
        bool caught_up;

        if (election.handle)
            stand(&election);
        else
            dbk_sleep_ms(POLL_MS);
        pthread_mutex_lock(&replica->mutex);
        caught_up = replica->caught_up;
        state = replica->status.state;
        pthread_mutex_unlock(&replica->mutex);
        if (caught_up && state == election.told &&
            dbk_deadline_left(election.tell_at) > 0)
            continue;
        drain(replica->asker);
        end_look(replica);
        tell(&election, state);
    }
    close_handle(election.handle, !election.asked || replica->answered);
    return NULL;
}
