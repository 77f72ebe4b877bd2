#include "replica_private.h"

#include "election.h"
#include "join.h"
#include "store/thread.h"
#include "tail.h"
#include "tokens.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void replica_say(struct dbk_replica *replica, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    if (!replica->options.report)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    replica->options.report(replica->options.report_context, line);
}

void replica_trouble(struct dbk_replica *replica, const char *why)
{
    bool said;

    pthread_mutex_lock(&replica->mutex);
    said = (replica->trouble[0] != '\0') == (why != NULL);
    snprintf(replica->trouble, sizeof replica->trouble, "%s", why ? why : "");
    pthread_mutex_unlock(&replica->mutex);
    if (!said)
        replica_say(replica, why ? "cluster: %s" : "cluster: the brokers answer again",
                    why);
}

bool replica_halted(struct dbk_replica *replica)
{
    bool halted;

    pthread_mutex_lock(&replica->mutex);
    halted = replica->status.state == DBK_REPLICA_HALTED;
    pthread_mutex_unlock(&replica->mutex);
    return halted;
}

struct dbk_place replica_place(struct dbk_replica *replica)
{
    struct dbk_place place;

    pthread_mutex_lock(&replica->mutex);
    place = replica->status.place;
    pthread_mutex_unlock(&replica->mutex);
    return place;
}

struct message replica_message(const struct dbk_replica *replica,
                               enum message_type type)
{
    return (struct message){.type = type,
                            .epoch = -1,
                            .store_id = replica->store_id,
                            .reseed = -1,
                            .node = dbk_slice(replica->options.node),
                            .url = dbk_slice(replica->options.url)};
}

/* Whom the log followed when it was closed. */
static void recall_leader(struct dbk_replica *replica)
{
    struct dbk_replica_status *status = &replica->status;
    struct dbk_batch batch = {0};
    struct dbk_slice kept;
    const char *feed;

    if (dbk_log_kept(replica->log, "leader", &batch, &kept, NULL) == DBK_OK &&
        (feed = memchr(kept.data, '\n', kept.length))) {
        snprintf(status->leader, sizeof status->leader, "%.*s", (int)(feed - kept.data),
                 kept.data);
        snprintf(status->leader_url, sizeof status->leader_url, "%.*s",
                 (int)(kept.data + kept.length - feed - 1), feed + 1);
    }
    dbk_batch_finish(&batch);
}

static struct dbk_replica *create(struct dbk_log *log,
                                  const struct dbk_replica_options *options)
{
    struct dbk_replica *replica = calloc(1, sizeof *replica);

    if (!replica)
        return NULL;
    replica->log = log;
    replica->options = *options;
    replica->store_id = dbk_log_store_id(log);
    atomic_store(&replica->session_ms, conf_session_ms(options));
    replica->role.epoch = -1;
    replica->seen_opening = -1;
    replica->kept_next = -1;
    replica->status.end = -1;
    pthread_mutex_init(&replica->mutex, NULL);
    dbk_cond_init(&replica->changed);
    return replica;
}

static void destroy(struct dbk_replica *replica)
{
    if (replica->queue)
        rd_kafka_queue_destroy(replica->queue);
    if (replica->stream)
        rd_kafka_topic_destroy(replica->stream);
    if (replica->asker)
        rd_kafka_destroy_flags(replica->asker, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (replica->consumer)
        rd_kafka_destroy_flags(replica->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    pthread_cond_destroy(&replica->changed);
    pthread_mutex_destroy(&replica->mutex);
    free(replica);
}

static enum dbk_code connect_brokers(struct dbk_replica *replica, struct dbk_error *err)
{
    rd_kafka_conf_t *conf;

    if (conf_create(&replica->options, CONF_TAIL, &conf, err) != DBK_OK ||
        conf_handle(RD_KAFKA_CONSUMER, conf, &replica->consumer, err) != DBK_OK ||
        conf_create(&replica->options, CONF_LOOK, &conf, err) != DBK_OK)
        return err->code;
    refusal_keep(conf, &replica->refusal);
    if (conf_handle(RD_KAFKA_CONSUMER, conf, &replica->asker, err) != DBK_OK)
        return err->code;
    rd_kafka_poll_set_consumer(replica->asker);
    replica->stream =
        rd_kafka_topic_new(replica->consumer, replica->options.topic, NULL);
    replica->queue = rd_kafka_queue_new(replica->consumer);
    if (!replica->stream || !replica->queue)
        return dbk_fail(err, DBK_INVALID, "librdkafka refuses the topic %s",
                        replica->options.topic);
    return DBK_OK;
}

void dbk_replica_leave(struct dbk_replica *replica)
{
    if (!replica)
        return;
    atomic_store(&replica->stopping, true);
    pthread_mutex_lock(&replica->mutex);
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
}

static void end_threads(struct dbk_replica *replica)
{
    dbk_replica_leave(replica);
    if (replica->tails)
        pthread_join(replica->tail, NULL);
    if (replica->elects)
        pthread_join(replica->elector, NULL);
    pthread_mutex_lock(&replica->mutex);
    while (replica->callers > 0)
        pthread_cond_wait(&replica->changed, &replica->mutex);
    pthread_mutex_unlock(&replica->mutex);
}

static enum dbk_code start_threads(struct dbk_replica *replica, struct dbk_error *err)
{
    replica->tails =
        dbk_thread_start(&replica->tail, "dbk-tail", tail_run, replica, err) == DBK_OK;
    if (!replica->tails)
        return err->code;
    replica->elects = dbk_thread_start(&replica->elector, "dbk-election", election_run,
                                       replica, err) == DBK_OK;
    return replica->elects ? DBK_OK : err->code;
}

enum dbk_code dbk_replica_start(struct dbk_log *log,
                                const struct dbk_replica_options *options,
                                struct dbk_replica **out, struct dbk_error *err)
{
    struct dbk_replica *replica = create(log, options);
    struct dbk_error why = {0};
    enum dbk_code code;

    if (!replica)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a replica");
    code = join_stream(log, options, &replica->status.place, &why);
    if (code == DBK_OK)
        code = connect_brokers(replica, &why);
    if (code == DBK_OK) {
        recall_leader(replica);
        tokens_tell(replica);
        code = start_threads(replica, &why);
    }
    if (code == DBK_OK) {
        *out = replica;
        return DBK_OK;
    }
    end_threads(replica);
    destroy(replica);
    return dbk_fail(err, code, "%s", why.text);
}

void dbk_replica_stop(struct dbk_replica *replica)
{
    if (!replica)
        return;
    end_threads(replica);
    destroy(replica);
}

void dbk_replica_look(struct dbk_replica *replica, struct dbk_replica_status *out)
{
    struct dbk_place place;
    bool leads;

    pthread_mutex_lock(&replica->mutex);
    *out = replica->status;
    out->end_age_ms = replica->end_at_ms ? dbk_clock_ms() - replica->end_at_ms : 0;
    if (out->state != DBK_REPLICA_HALTED)
        snprintf(out->why, sizeof out->why, "%s", replica->trouble);
    pthread_mutex_unlock(&replica->mutex);
    leads = out->state == DBK_REPLICA_LEADS;
    if (leads && dbk_log_place(replica->log, &place, NULL) == DBK_OK)
        out->place = place; /* what it commits itself nobody tells */
    /* One that led, and does not now, is no one to go to. */
    if (!leads && !strcmp(out->leader, replica->options.node) &&
        !strcmp(out->leader_url, replica->options.url))
        out->leader[0] = out->leader_url[0] = '\0';
}

const char *replica_state_name(enum dbk_replica_state state)
{
    switch (state) {
    case DBK_REPLICA_STARTING:
        return "starting";
    case DBK_REPLICA_FOLLOWS:
        return "follows";
    case DBK_REPLICA_OPENS:
        return "opens";
    case DBK_REPLICA_LEADS:
        return "leads";
    case DBK_REPLICA_HALTED:
        return "halted";
    }
    return "";
}
