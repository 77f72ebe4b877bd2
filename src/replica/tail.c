#include "tail.h"

#include "apply.h"
#include "between.h"
#include "leader.h"
#include "offset.h"
#include "rejoin.h"

#include <inttypes.h>

enum {
    FOLLOW_MS = 100, /* how long it waits for a message */
    LEAD_MS = 50,    /* and gathers them: they are its own */
    GATHER_MS = 10,  /* so does a busy follower, for so long in all, */
    BUSY_MS = 20,    /* ... one that took some no longer ago */
    STEP_MS = 2,     /* looking so often whether somebody waits for them */
    HURRY_MS = 2,
    FAILED_MS = 500,
    HALTED_MS = 100,
    LOOK_MS = 2000,
    ASK_MS = 1000,
    FAILURES_MAX = 5,
};

static void pause_ms(struct dbk_replica *replica, int ms)
{
    dbk_deadline until = dbk_deadline_in(ms);

    while (dbk_deadline_left(until) > 0 && !atomic_load(&replica->stopping))
        dbk_sleep_ms(20);
}

static void end_reading(struct dbk_replica *replica)
{
    rd_kafka_message_t *message;

    rd_kafka_consume_stop(replica->stream, 0);
    while ((message = rd_kafka_consume_queue(replica->queue, 0)))
        rd_kafka_message_destroy(message);
}

/* Read from where the log is. */
static void begin_reading(struct dbk_replica *replica)
{
    struct dbk_error err = {0};
    struct dbk_place place;

    end_reading(replica);
    if (dbk_log_place(replica->log, &place, &err) != DBK_OK) {
        if (err.code == DBK_NOT_FOUND)
            leader_halt(replica, &err);
        pause_ms(replica, FAILED_MS);
        return;
    }
    pthread_mutex_lock(&replica->mutex);
    replica->status.place = place;
    pthread_mutex_unlock(&replica->mutex);
    if (rd_kafka_consume_start_queue(replica->stream, 0, place.next, replica->queue) ==
        0)
        replica->reading = true;
    else
        pause_ms(replica, FAILED_MS);
}

static bool is_busy(const struct dbk_replica *replica)
{
    return replica->role.phase == ROLE_FOLLOWS &&
           dbk_deadline_left(replica->busy_until) > 0;
}

static bool is_waited_for(struct dbk_replica *replica)
{
    bool waited;

    pthread_mutex_lock(&replica->mutex);
    waited = replica->callers > 0;
    pthread_mutex_unlock(&replica->mutex);
    return waited;
}

/* A transaction costs the same, whatever is in it: a follower that has just made one takes
 * what comes in the next moment with what it has, unless a read waits for it. */
static size_t gather(struct dbk_replica *replica, rd_kafka_message_t **messages,
                     size_t count)
{
    dbk_deadline until = dbk_deadline_in(GATHER_MS);

    while (count < APPLY_MESSAGES && dbk_deadline_left(until) > 0 &&
           !is_waited_for(replica)) {
        ssize_t more = rd_kafka_consume_batch_queue(
            replica->queue, STEP_MS, messages + count, APPLY_MESSAGES - count);

        count += more > 0 ? (size_t)more : 0;
    }
    return count;
}

/* A follower takes what is there as soon as something is. */
static size_t receive(struct dbk_replica *replica, rd_kafka_message_t **messages)
{
    int wait_ms = leader_hurries(replica) ? HURRY_MS : FOLLOW_MS;
    ssize_t more;
    size_t count;

    if (replica->role.phase == ROLE_LEADS) {
        more = rd_kafka_consume_batch_queue(replica->queue, LEAD_MS, messages,
                                            APPLY_MESSAGES);
        return more > 0 ? (size_t)more : 0;
    }
    messages[0] = rd_kafka_consume_queue(replica->queue, wait_ms);
    if (!messages[0])
        return 0;
    more = rd_kafka_consume_batch_queue(replica->queue, 0, messages + 1,
                                        APPLY_MESSAGES - 1);
    count = 1 + (more > 0 ? (size_t)more : 0);
    return is_busy(replica) ? gather(replica, messages, count) : count;
}

static void halt_out_of_range(struct dbk_replica *replica, int64_t next, int64_t begin,
                              int64_t end)
{
    struct dbk_error err = {0};

    if (next < begin) {
        dbk_fail(&err, DBK_CONFLICT,
                 "this log is at offset %" PRId64
                 ", and the brokers keep what is from %" PRId64
                 " on: restore this node from a newer backup of another, with "
                 "--member",
                 next, begin);
    } else {
        rejoin_alarm(replica);
        dbk_fail(
            &err, DBK_CONFLICT,
            "this log is at offset %" PRId64 ", and the stream ends at %" PRId64
            ": the brokers have lost %" PRId64 " messages that were acknowledged, or "
            "the topic was made anew. Run `daybook cluster reseed` on the node with "
            "the highest head",
            next, end, next - end);
    }
    leader_halt(replica, &err);
}

/* The brokers do not have the offset: said twice, for their view may be late. */
static void out_of_range(struct dbk_replica *replica)
{
    int64_t begin = 0, end = 0, next = replica_place(replica).next;
    bool known;

    replica->reading = false;
    known = offset_ask(replica->consumer, replica->options.topic, 0,
                       RD_KAFKA_OFFSET_BEGINNING, ASK_MS, &begin) == 0 &&
            offset_ask(replica->consumer, replica->options.topic, 0,
                       RD_KAFKA_OFFSET_END, ASK_MS, &end) == 0;
    if (known && (next < begin || next > end) && ++replica->failures > 1)
        halt_out_of_range(replica, next, begin, end);
    else
        pause_ms(replica, FAILED_MS);
}

/* Take out what are no messages. Returns how many are left; *gone: the offset is not there. */
static size_t sift(struct dbk_replica *replica, rd_kafka_message_t **messages,
                   size_t count, bool *gone)
{
    size_t left = 0;

    *gone = false;
    for (size_t i = 0; i < count; i++) {
        rd_kafka_message_t *message = messages[i];

        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            messages[left++] = message;
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
            message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
            *gone = true;
        else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            replica_trouble(replica, rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
    return left;
}

static void failed(struct dbk_replica *replica, const struct dbk_error *err)
{
    bool first;

    replica->reading = false;
    if (err->code == DBK_CONFLICT || err->code == DBK_DAMAGED ||
        err->code == DBK_UNSUPPORTED ||
        (err->code == DBK_MOVED && ++replica->failures > FAILURES_MAX)) {
        leader_halt(replica, err);
        return;
    }
    if (err->code == DBK_MOVED)
        return; /* to be read again, from where the log is */
    pthread_mutex_lock(&replica->mutex);
    first = !replica->failing;
    replica->failing = true;
    pthread_mutex_unlock(&replica->mutex);
    if (first)
        replica_say(replica, "cluster: could not apply: %s; tries again", err->text);
    pause_ms(replica, FAILED_MS);
}

static void read_some(struct dbk_replica *replica, rd_kafka_message_t **messages)
{
    struct dbk_error err = {0};
    size_t count;
    bool gone;

    count = sift(replica, messages, receive(replica, messages), &gone);
    if (count > 0) {
        if (apply_messages(replica, messages, count, &err) == DBK_OK)
            replica->failures = 0;
        else
            failed(replica, &err);
        replica->busy_until = dbk_deadline_in(BUSY_MS);
        for (size_t i = 0; i < count; i++)
            rd_kafka_message_destroy(messages[i]);
    }
    if (gone && !replica_halted(replica))
        out_of_range(replica);
}

/* A halted one looks now and then whether the stream was put right. */
static void wait_halted(struct dbk_replica *replica)
{
    if (replica->reading)
        end_reading(replica);
    replica->reading = false;
    pause_ms(replica, HALTED_MS);
    if (dbk_deadline_left(replica->look_at) > 0)
        return;
    if (rejoin_try(replica))
        replica->failures = 0;
    replica->look_at = dbk_deadline_in(LOOK_MS);
}

void *tail_run(void *context)
{
    struct dbk_replica *replica = context;
    rd_kafka_message_t *messages[APPLY_MESSAGES];

    while (!atomic_load(&replica->stopping)) {
        rd_kafka_poll(replica->consumer, 0);
        if (replica_halted(replica)) {
            wait_halted(replica);
            continue;
        }
        if (!replica->reading)
            begin_reading(replica);
        if (replica->reading)
            read_some(replica, messages);
        if (!replica_halted(replica))
            leader_step(replica);
        between_tell(replica);
    }
    leader_end(replica);
    end_reading(replica);
    return NULL;
}
