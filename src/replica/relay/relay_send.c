#include "relay_send.h"

#include "conf.h"
#include "refusal.h"
#include "relay_end.h"
#include "store/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { COMMIT_MS = 30000, ROOM_MS = 30000, POLL_MS = 100, LOOK_MS = 3000 };

struct relay_sender {
    const char *topic;
    rd_kafka_t *handle;
    struct refusal refusal;
};

/* Besides those of every producer. Readers find a key's partition as Java's clients do. */
static const struct {
    const char *name, *value;
} settings[] = {
    {"linger.ms", "5"},
    {"message.timeout.ms", "30000"},
    {"transaction.timeout.ms", "60000"},
    {"queue.buffering.max.messages", "200000"},
    {"compression.codec", "lz4"},
    {"partitioner", "murmur2_random"},
};

/* Fenced: whoever tried again would fence the other in turn. */
static enum dbk_code tell(const struct relay_sender *sender, rd_kafka_resp_err_t rc,
                          const char *doing, const char *why, struct dbk_error *err)
{
    char fatal[256];

    if (rc == RD_KAFKA_RESP_ERR__FATAL)
        rc = rd_kafka_fatal_error(sender->handle, fatal, sizeof fatal);
    if (rc == RD_KAFKA_RESP_ERR__FENCED || rc == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
        rc == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
        return dbk_fail(err, DBK_CONFLICT,
                        "another relay of this name has begun, and goes on in its "
                        "place; or this one stood still for a minute. Two at once need "
                        "a --name each, and a --topic each");
    return dbk_fail(err, DBK_UNAVAILABLE, "%s: %s", doing, why);
}

static enum dbk_code failed(const struct relay_sender *sender, rd_kafka_error_t *error,
                            const char *doing, struct dbk_error *err)
{
    enum dbk_code code = tell(sender, rd_kafka_error_code(error), doing,
                              rd_kafka_error_string(error), err);

    rd_kafka_error_destroy(error);
    return code;
}

/* A refusal is asked about here alone: who was let in may have met one since, of a broker that
 * was begun anew, and goes on by the others. */
static enum dbk_code not_begun(const struct relay_sender *sender,
                               rd_kafka_error_t *error, struct dbk_error *err)
{
    static const char doing[] = "the brokers begin no transactions";

    if (!refusal_is_certain(sender->handle))
        return failed(sender, error, doing, err);
    rd_kafka_error_destroy(error);
    return dbk_fail(err, DBK_UNSUPPORTED, "%s: %s", doing, sender->refusal.text);
}

static enum dbk_code configure(const struct dbk_relay_options *options,
                               rd_kafka_conf_t **conf, struct dbk_error *err)
{
    const struct dbk_replica_options producer = {.brokers = options->brokers,
                                                 .topic = options->topic,
                                                 .properties = options->properties};
    char why[256];

    if (conf_create(&producer, CONF_PRODUCER, conf, err) != DBK_OK)
        return err->code;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        rd_kafka_conf_set(*conf, settings[i].name, settings[i].value, why, sizeof why);
    rd_kafka_conf_set(*conf, "transactional.id", options->name, why, sizeof why);
    return DBK_OK;
}

/* Who is not let in need not wait. */
static rd_kafka_error_t *init(struct relay_sender *sender, int timeout_ms)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    rd_kafka_error_t *error;

    for (;;) {
        error = rd_kafka_init_transactions(sender->handle, LOOK_MS);
        if (!error || !rd_kafka_error_is_retriable(error) ||
            dbk_deadline_left(deadline) == 0 || refusal_is_certain(sender->handle))
            return error;
        rd_kafka_error_destroy(error);
    }
}

enum dbk_code relay_sender_open(const struct dbk_relay_options *options, int timeout_ms,
                                struct relay_sender **out, struct dbk_error *err)
{
    struct relay_sender *sender = calloc(1, sizeof *sender);
    rd_kafka_error_t *error;
    rd_kafka_conf_t *conf;

    *out = NULL;
    if (!sender)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a sender");
    sender->topic = options->topic;
    if (configure(options, &conf, err) == DBK_OK) {
        refusal_keep(conf, &sender->refusal);
        conf_handle(RD_KAFKA_PRODUCER, conf, &sender->handle, err);
    }
    if (!sender->handle) {
        free(sender);
        return err->code;
    }
    error = init(sender, timeout_ms);
    if (error) {
        not_begun(sender, error, err);
        relay_sender_close(sender);
        return err->code;
    }
    *out = sender;
    return DBK_OK;
}

/* What is queued belongs to a transaction that will not be. */
void relay_sender_close(struct relay_sender *sender)
{
    if (!sender)
        return;
    rd_kafka_purge(sender->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(sender->handle, 0);
    rd_kafka_destroy(sender->handle);
    free(sender);
}

enum dbk_code relay_sender_begin(struct relay_sender *sender, struct dbk_error *err)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(sender->handle);

    return error ? failed(sender, error, "begin a transaction", err) : DBK_OK;
}

static rd_kafka_resp_err_t produce(struct relay_sender *sender,
                                   const struct dbk_record *record, const char *log,
                                   struct dbk_slice key, const char *text,
                                   size_t length)
{
    char sequence[24];
    const char *type = dbk_type_name(record->type);

    snprintf(sequence, sizeof sequence, "%" PRIu64, record->sequence);
    return rd_kafka_producev(sender->handle, RD_KAFKA_V_TOPIC(sender->topic),
                             RD_KAFKA_V_KEY(key.data, key.length),
                             RD_KAFKA_V_VALUE((char *)text, length),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_HEADER(RELAY_SEQUENCE, sequence, -1),
                             RD_KAFKA_V_HEADER(RELAY_TYPE, type, -1),
                             RD_KAFKA_V_HEADER(RELAY_LOG, log, -1), RD_KAFKA_V_END);
}

/* Where librdkafka has no room it is waited for: what is under way makes some. */
enum dbk_code relay_sender_add(struct relay_sender *sender,
                               const struct dbk_record *record, const char *log,
                               struct dbk_slice key, const char *text, size_t length,
                               struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(ROOM_MS);
    rd_kafka_resp_err_t rc;
    char doing[64];

    while ((rc = produce(sender, record, log, key, text, length)) ==
               RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           dbk_deadline_left(deadline) > 0)
        rd_kafka_poll(sender->handle, POLL_MS);
    rd_kafka_poll(sender->handle, 0);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        return DBK_OK;
    snprintf(doing, sizeof doing, "send record %" PRIu64, record->sequence);
    return tell(sender, rc, doing, rd_kafka_err2str(rc), err);
}

enum dbk_code relay_sender_commit(struct relay_sender *sender, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(COMMIT_MS);
    rd_kafka_error_t *error;

    for (;;) {
        error = rd_kafka_commit_transaction(sender->handle,
                                            dbk_deadline_left(deadline) + 1);
        if (!error)
            return DBK_OK;
        if (!rd_kafka_error_is_retriable(error) || dbk_deadline_left(deadline) == 0)
            return failed(sender, error, "commit a transaction", err);
        rd_kafka_error_destroy(error);
    }
}
