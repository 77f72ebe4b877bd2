#include "refusal.h"

#include <stdio.h>
#include <string.h>

/* Of RFC 5802: it sends its own nonce twice, and brokers since Kafka 4.0 compare. */
static bool has_wrong_scram(const char *reason)
{
    return strstr(reason, "SCRAM") && rd_kafka_version() < 0x020601ff;
}

static void on_error(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
    struct refusal *refusal = opaque;
    const char *after = strstr(reason, " (after "); /* so long, and in which state */
    int length = (int)(after ? (size_t)(after - reason) : strlen(reason));
    const char *what = "";

    (void)handle;
    if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION)
        what = "they do not take the user or the password in CLUSTER_KAFKA: ";
    else if (error == RD_KAFKA_RESP_ERR__SSL)
        what = "TLS fails, set it right in CLUSTER_KAFKA: ";
    else if (error != RD_KAFKA_RESP_ERR__TRANSPORT || refusal->certain)
        return;
    refusal->certain = *what != '\0';
    if (has_wrong_scram(reason))
        snprintf(
            refusal->text, sizeof refusal->text,
            "they do not take the user or the password in CLUSTER_KAFKA. By SCRAM "
            "Kafka 4 takes none from librdkafka %s: set sasl.mechanisms=PLAIN over "
            "TLS, or install librdkafka 2.6.1 or later",
            rd_kafka_version_str());
    else
        snprintf(refusal->text, sizeof refusal->text, "%s%.*s", what, length, reason);
}

void refusal_keep(rd_kafka_conf_t *conf, struct refusal *refusal)
{
    rd_kafka_conf_set_opaque(conf, refusal);
    rd_kafka_conf_set_error_cb(conf, on_error);
}

/* What waits for the thread that polls. */
static const struct refusal *look(rd_kafka_t *handle)
{
    rd_kafka_message_t *message;

    if (rd_kafka_type(handle) == RD_KAFKA_PRODUCER)
        rd_kafka_poll(handle, 0);
    else
        while ((message = rd_kafka_consumer_poll(handle, 0)))
            rd_kafka_message_destroy(message);
    return rd_kafka_opaque(handle);
}

const char *refusal_why(rd_kafka_t *handle, rd_kafka_resp_err_t rc)
{
    const struct refusal *refusal = look(handle);

    return refusal->text[0] != '\0' && (rc == RD_KAFKA_RESP_ERR__TRANSPORT ||
                                        rc == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                                        rc == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
               ? refusal->text
               : rd_kafka_err2str(rc);
}

bool refusal_is_certain(rd_kafka_t *handle)
{
    return look(handle)->certain;
}

void refusal_clear(struct refusal *refusal)
{
    *refusal = (struct refusal){.certain = false};
}
