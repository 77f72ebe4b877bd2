#include "producer.h"

#include "conf.h"
#include "store/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLACK_MS = 2000, LOOK_MS = 20 };

struct producer {
    rd_kafka_t *handle;
    const char *topic;
    uintptr_t sent; /* counts what was sent: what comes of earlier ones nobody asks */
    bool known;
    struct delivery delivery;
};

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message,
                        void *opaque)
{
    struct producer *producer = opaque;

    (void)handle;
    if ((uintptr_t)message->_private != producer->sent)
        return;
    producer->known = true;
    /* One that brokers had already, and cannot tell where, is as good as in doubt. */
    producer->delivery = (struct delivery){
        .arrived = message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= 0,
        .refused = message->err > RD_KAFKA_RESP_ERR_NO_ERROR,
        .offset = message->offset};
    snprintf(producer->delivery.why, sizeof producer->delivery.why, "%s",
             rd_kafka_err2str(message->err));
}

enum dbk_code producer_create(const struct dbk_replica_options *options,
                              struct producer **out, struct dbk_error *err)
{
    struct producer *producer = calloc(1, sizeof *producer);
    rd_kafka_conf_t *conf;
    enum dbk_code code;

    if (!producer)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a producer");
    producer->topic = options->topic;
    code = conf_create(options, CONF_PRODUCER, &conf, err);
    if (code == DBK_OK) {
        rd_kafka_conf_set_opaque(conf, producer);
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        code = conf_handle(RD_KAFKA_PRODUCER, conf, &producer->handle, err);
    }
    if (code == DBK_OK)
        *out = producer;
    else
        free(producer);
    return code;
}

void producer_destroy(struct producer *producer)
{
    if (!producer)
        return;
    rd_kafka_purge(producer->handle,
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(producer->handle, 0);
    rd_kafka_destroy(producer->handle);
    free(producer);
}

enum dbk_code producer_send(struct producer *producer, const struct message *message,
                            struct dbk_error *err)
{
    rd_kafka_resp_err_t refused;
    enum dbk_code code;
    size_t length;
    char *bytes;

    code = message_encode(message, &bytes, &length, err);
    if (code != DBK_OK)
        return code;
    producer->known = false;
    producer->sent++;
    refused = rd_kafka_producev(
        producer->handle, RD_KAFKA_V_TOPIC(producer->topic), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_VALUE(bytes, length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE),
        RD_KAFKA_V_OPAQUE((void *)producer->sent), RD_KAFKA_V_END);
    if (refused == RD_KAFKA_RESP_ERR_NO_ERROR)
        return DBK_OK;
    free(bytes);
    return dbk_fail(err, DBK_UNAVAILABLE, "the brokers could not be written to: %s",
                    rd_kafka_err2str(refused));
}

bool producer_delivered(struct producer *producer, int wait_ms, struct delivery *out)
{
    if (!producer->known)
        rd_kafka_poll(producer->handle, wait_ms);
    if (producer->known)
        *out = producer->delivery;
    return producer->known;
}

enum dbk_code producer_send_wait(struct producer *producer,
                                 const struct message *message, const atomic_bool *stop,
                                 int64_t *offset, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(CONF_SEND_MS + SLACK_MS);
    struct delivery delivery;

    enum dbk_code code = producer_send(producer, message, err);

    if (code != DBK_OK)
        return code;
    while (!producer_delivered(producer, LOOK_MS, &delivery))
        if (dbk_deadline_left(deadline) == 0 || (stop && atomic_load(stop)))
            return dbk_fail(err, DBK_IN_DOUBT,
                            "the brokers have not said whether they have it");
    if (delivery.arrived) {
        *offset = delivery.offset;
        return DBK_OK;
    }
    /* Whether it was persisted librdkafka tells of its last try alone: of one that was refused,
     * though the one before was taken, and the answer lost with the broker. */
    return dbk_fail(err, DBK_IN_DOUBT, "the brokers did not take it: %s", delivery.why);
}
