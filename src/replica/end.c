#include "end.h"

#include "offset.h"
#include "refusal.h"

#include <inttypes.h>

/* Nobody waits for the brokers longer than this at once: a stop is quick. */
enum { ASK_MS = 1000, LOOK_AGAIN_MS = 2 };

static rd_kafka_resp_err_t ask(struct dbk_replica *replica, int timeout_ms,
                               int64_t *end)
{
    return offset_ask(replica->asker, replica->options.topic, 0, RD_KAFKA_OFFSET_END,
                      timeout_ms < ASK_MS ? timeout_ms : ASK_MS, end);
}

static enum dbk_code untold(const char *why, struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "the brokers do not tell where the stream ends: %s", why);
}

enum dbk_code end_ask(struct dbk_replica *replica, int timeout_ms, int64_t *end,
                      struct dbk_error *err)
{
    rd_kafka_resp_err_t rc = ask(replica, timeout_ms, end);

    return rc == RD_KAFKA_RESP_ERR_NO_ERROR ? DBK_OK
                                            : untold(rd_kafka_err2str(rc), err);
}

/* Where the log was before the end is asked for: the stream cannot end before that. */
static int64_t least_end(struct dbk_replica *replica)
{
    return replica->status.place.next;
}

/* With the mutex held. DBK_UNAVAILABLE: it is an end that cannot be. The tail finds out whether
 * the brokers have lost something; and a stream that is shorter is not caught up with. */
static enum dbk_code note(struct dbk_replica *replica, int64_t end, int64_t least,
                          struct dbk_error *err)
{
    struct dbk_replica_status *status = &replica->status;

    status->end = end;
    replica->end_at_ms = dbk_clock_ms();
    if (status->state == DBK_REPLICA_STARTING)
        status->state = DBK_REPLICA_FOLLOWS;
    if (end < least)
        return dbk_fail(err, DBK_UNAVAILABLE,
                        "the brokers tell that the stream ends at offset %" PRId64
                        ", and this log is at %" PRId64,
                        end, least);
    replica->caught_up |= status->place.next >= end;
    return DBK_OK;
}

void end_look(struct dbk_replica *replica)
{
    enum dbk_code code = DBK_OK;
    rd_kafka_resp_err_t rc;
    struct dbk_error err;
    int64_t end, least;

    pthread_mutex_lock(&replica->mutex);
    least = least_end(replica);
    pthread_mutex_unlock(&replica->mutex);
    rc = ask(replica, ASK_MS, &end);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = untold(refusal_why(replica->asker, rc), &err);
    } else {
        refusal_clear(&replica->refusal);
        pthread_mutex_lock(&replica->mutex);
        code = note(replica, end, least, &err);
        pthread_mutex_unlock(&replica->mutex);
    }
    replica_trouble(replica, code == DBK_OK ? NULL : err.text);
}

/* With the mutex held, which is let go meanwhile: ask for all who wait. */
static void ask_for_all(struct dbk_replica *replica)
{
    int64_t end = -1, least = least_end(replica);
    struct dbk_error err = {0};

    replica->asking = true;
    pthread_mutex_unlock(&replica->mutex);
    end_ask(replica, ASK_MS, &end, &err);
    pthread_mutex_lock(&replica->mutex);
    replica->asking = false;
    replica->asks++;
    replica->asked_end = end;
    replica->asked_err = err;
    if (replica->asked_err.code == DBK_OK)
        note(replica, end, least, &replica->asked_err);
    pthread_cond_broadcast(&replica->changed);
}

/* With the mutex held: an end that was asked for since this call began. An answer on its way
 * may be older: the one after it will do. */
static enum dbk_code gathered_end(struct dbk_replica *replica, dbk_deadline deadline,
                                  int64_t *end, struct dbk_error *err)
{
    const unsigned mine = replica->asks + (replica->asking ? 2 : 1);

    while ((int)(replica->asks - mine) < 0) {
        if (atomic_load(&replica->stopping))
            return dbk_fail(err, DBK_UNAVAILABLE, "the node is stopping");
        if (!replica->asking)
            ask_for_all(replica);
        else if (!dbk_cond_wait(&replica->changed, &replica->mutex, deadline))
            return dbk_fail(err, DBK_TIMEOUT,
                            "the brokers have not told yet where the stream ends");
    }
    if (replica->asked_err.code != DBK_OK)
        return dbk_fail(err, replica->asked_err.code, "%s", replica->asked_err.text);
    *end = replica->asked_end;
    return DBK_OK;
}

/* What a leader commits itself is not told of: it is in the file. */
static bool has(struct dbk_replica *replica, int64_t end)
{
    struct dbk_place place;

    if (replica->status.place.next >= end)
        return true;
    if (replica->status.state != DBK_REPLICA_LEADS)
        return false;
    pthread_mutex_unlock(&replica->mutex);
    if (dbk_log_place(replica->log, &place, NULL) != DBK_OK)
        place.next = -1;
    pthread_mutex_lock(&replica->mutex);
    return place.next >= end;
}

static enum dbk_code await(struct dbk_replica *replica, int64_t end,
                           dbk_deadline deadline, struct dbk_error *err)
{
    for (;;) {
        bool leads = replica->status.state == DBK_REPLICA_LEADS;
        dbk_deadline until = leads ? dbk_deadline_in(LOOK_AGAIN_MS) : deadline;

        /* Also where it is past that end: it may have what the others lost, and not what they
         * wrote since. */
        if (replica->status.state == DBK_REPLICA_HALTED)
            return dbk_fail(err, DBK_UNAVAILABLE, "this node is halted: %s",
                            replica->status.why);
        if (has(replica, end))
            return DBK_OK;
        if (atomic_load(&replica->stopping))
            return dbk_fail(err, DBK_UNAVAILABLE, "the node is stopping");
        if (dbk_deadline_left(deadline) == 0)
            return dbk_fail(err, DBK_TIMEOUT,
                            "this node has not read yet what others had appended");
        dbk_cond_wait(&replica->changed, &replica->mutex,
                      until < deadline ? until : deadline);
    }
}

enum dbk_code dbk_replica_fresh(struct dbk_replica *replica, int timeout_ms,
                                struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    enum dbk_code code;
    int64_t end;

    pthread_mutex_lock(&replica->mutex);
    replica->callers++;
    code = gathered_end(replica, deadline, &end, err);
    if (code == DBK_OK)
        code = await(replica, end, deadline, err);
    replica->callers--;
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
    return code;
}
