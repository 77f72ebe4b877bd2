#include "topic.h"

#include "refusal.h"
#include "store/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPLICAS_MIN = 3,
    IN_SYNC_MIN = 2,
    /* librdkafka answers when a request's own time is up: who leaves before that leaks it. */
    SLACK_MS = 1000,
    LOOK_MS = 1000, /* how long brokers are waited for that let nobody in; ... */
    LOOKS = 3,      /* ... that often, for one may not know a new password yet */
};

static void fault(struct topic_faults *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fault(struct topic_faults *out, const char *format, ...)
{
    va_list arguments;
    int more;

    if (out->length > 0 && out->length + 2 < sizeof out->text)
        out->length += (size_t)snprintf(out->text + out->length,
                                        sizeof out->text - out->length, "; ");
    va_start(arguments, format);
    more = vsnprintf(out->text + out->length, sizeof out->text - out->length, format,
                     arguments);
    va_end(arguments);
    out->length += (size_t)more;
    if (out->length >= sizeof out->text)
        out->length = sizeof out->text - 1;
}

void topic_judge(const char *name, const char *value, struct topic_faults *out)
{
    if (!strcmp(name, "cleanup.policy") && strstr(value, "compact"))
        fault(out, "cleanup.policy is %s: it must be delete", value);
    if (!strcmp(name, "min.insync.replicas") && atoi(value) < IN_SYNC_MIN)
        fault(out, "min.insync.replicas is %s: it must be %d or more", value,
              IN_SYNC_MIN);
    if (!strcmp(name, "unclean.leader.election.enable") && strcmp(value, "false") != 0)
        fault(out, "unclean.leader.election.enable is %s: it must be false", value);
    if (!strcmp(name, "max.message.bytes") && atol(value) < MESSAGE_MAX)
        fault(out, "max.message.bytes is %s: it must be %d or more", value,
              MESSAGE_MAX);
}

static enum dbk_code unanswered(rd_kafka_event_t *event, struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNAVAILABLE, "the brokers do not answer: %s",
                    event ? rd_kafka_event_error_string(event) : "timed out");
}

static rd_kafka_NewTopic_t *new_topic(const char *name, unsigned replication,
                                      bool stream)
{
    char why[128];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, 1, (int)replication, why, sizeof why);

    if (!topic)
        return NULL;
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic, "unclean.leader.election.enable", "false");
    rd_kafka_NewTopic_set_config(topic, "min.insync.replicas",
                                 replication >= IN_SYNC_MIN ? "2" : "1");
    if (stream) {
        rd_kafka_NewTopic_set_config(topic, "retention.ms", "-1");
        rd_kafka_NewTopic_set_config(topic, "retention.bytes", "-1");
        rd_kafka_NewTopic_set_config(topic, "max.message.bytes", "16777216");
        /* Brokers refuse what a node whose clock is an hour ahead says that it is of. */
        rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "LogAppendTime");
    }
    return topic;
}

static enum dbk_code read_created(rd_kafka_event_t *event, struct dbk_error *err)
{
    const rd_kafka_topic_result_t **results;
    size_t count = 0;

    if (!event || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unanswered(event, err);
    results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t rc = rd_kafka_topic_result_error(results[i]);
        const char *why = rd_kafka_topic_result_error_string(results[i]);

        if (rc != RD_KAFKA_RESP_ERR_NO_ERROR &&
            rc != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return dbk_fail(err, DBK_UNSUPPORTED,
                            "the brokers do not make the topic %s: %s",
                            rd_kafka_topic_result_name(results[i]),
                            why ? why : rd_kafka_err2str(rc));
    }
    return DBK_OK;
}

enum dbk_code topic_create(rd_kafka_t *handle,
                           const struct dbk_replica_options *options,
                           unsigned replication, int timeout_ms, struct dbk_error *err)
{
    rd_kafka_AdminOptions_t *bounds;
    rd_kafka_NewTopic_t *topics[2];
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event;
    char election[CONF_NAME_MAX], why[128];
    enum dbk_code code;

    conf_election_name(options, election);
    topics[0] = new_topic(options->topic, replication, true);
    topics[1] = new_topic(election, replication, false);
    if (!topics[0] || !topics[1]) {
        if (topics[0])
            rd_kafka_NewTopic_destroy(topics[0]);
        return dbk_fail(err, DBK_INVALID, "%s with %u replicas can be no topic",
                        options->topic, replication);
    }
    bounds = conf_within(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    rd_kafka_AdminOptions_set_operation_timeout(bounds, timeout_ms, why, sizeof why);
    queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, topics, 2, bounds, queue);
    event = rd_kafka_queue_poll(queue, timeout_ms + SLACK_MS);
    code = read_created(event, err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(bounds);
    rd_kafka_NewTopic_destroy_array(topics, 2);
    return code;
}

static enum dbk_code read_settings(rd_kafka_event_t *event, struct topic_faults *faults,
                                   struct dbk_error *err)
{
    const rd_kafka_ConfigResource_t **resources;
    const rd_kafka_ConfigEntry_t **entries;
    size_t count = 0;

    if (!event || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unanswered(event, err);
    resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    if (count == 1 && rd_kafka_ConfigResource_error(resources[0]) ==
                          RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        /* This broker may not have heard of it yet. */
        return dbk_fail(err, DBK_NOT_FOUND,
                        "the brokers tell no settings of the topic");
    if (count != 1 || rd_kafka_ConfigResource_error(resources[0]) != 0)
        return dbk_fail(err, DBK_UNAVAILABLE,
                        "the brokers do not tell the topic's settings: %s",
                        count == 1 ? rd_kafka_ConfigResource_error_string(resources[0])
                                   : "no answer");
    entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);

        topic_judge(rd_kafka_ConfigEntry_name(entries[i]), value ? value : "", faults);
    }
    return DBK_OK;
}

static enum dbk_code judge_settings(rd_kafka_t *handle, const char *name,
                                    dbk_deadline deadline, struct topic_faults *faults,
                                    struct dbk_error *err)
{
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_AdminOptions_t *bounds = conf_within(
        handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, dbk_deadline_left(deadline) + 1);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_event_t *event;
    enum dbk_code code;

    rd_kafka_DescribeConfigs(handle, &resource, 1, bounds, queue);
    event = rd_kafka_queue_poll(queue, dbk_deadline_left(deadline) + SLACK_MS);
    code = read_settings(event, faults, err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(bounds);
    rd_kafka_ConfigResource_destroy(resource);
    return code;
}

/* Who is not let in need not wait. */
static rd_kafka_resp_err_t ask_shape(rd_kafka_t *handle, rd_kafka_topic_t *topic,
                                     dbk_deadline deadline,
                                     const struct rd_kafka_metadata **out)
{
    rd_kafka_resp_err_t rc;
    int left, refused = 0;

    do {
        left = dbk_deadline_left(deadline) + 1;
        rc = rd_kafka_metadata(handle, 0, topic, out, left < LOOK_MS ? left : LOOK_MS);
    } while (
        (rc == RD_KAFKA_RESP_ERR__TRANSPORT || rc == RD_KAFKA_RESP_ERR__TIMED_OUT) &&
        dbk_deadline_left(deadline) > 0 &&
        (!refusal_is_certain(handle) || ++refused < LOOKS));
    return rc;
}

/* One topic's partitions and replicas. */
static enum dbk_code judge_shape(rd_kafka_t *handle, const char *name, bool stream,
                                 dbk_deadline deadline, struct topic_faults *faults,
                                 struct dbk_error *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    const struct rd_kafka_metadata_topic *found;
    rd_kafka_resp_err_t rc = ask_shape(handle, topic, deadline, &metadata);
    enum dbk_code code = DBK_OK;

    rd_kafka_topic_destroy(topic);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return dbk_fail(err, DBK_UNAVAILABLE, "the brokers do not answer: %s",
                        refusal_why(handle, rc));
    found = metadata->topic_cnt == 1 ? &metadata->topics[0] : NULL;
    if (!found || found->err != RD_KAFKA_RESP_ERR_NO_ERROR || found->partition_cnt == 0)
        code = dbk_fail(err, DBK_NOT_FOUND,
                        "the brokers have no topic %s: `daybook cluster init` makes it",
                        name);
    else if (found->partition_cnt != 1)
        fault(faults, "%s has %d partitions: it must have 1", name,
              found->partition_cnt);
    else if (stream && found->partitions[0].replica_cnt < REPLICAS_MIN)
        fault(faults, "%s is on %d brokers: it must be on %d or more", name,
              found->partitions[0].replica_cnt, REPLICAS_MIN);
    rd_kafka_metadata_destroy(metadata);
    return code;
}

enum dbk_code topic_check(rd_kafka_t *handle, const struct dbk_replica_options *options,
                          int timeout_ms, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    struct topic_faults faults = {.length = 0};
    char election[CONF_NAME_MAX];
    enum dbk_code code;

    conf_election_name(options, election);
    code = judge_shape(handle, options->topic, true, deadline, &faults, err);
    if (code == DBK_OK)
        code = judge_shape(handle, election, false, deadline, &faults, err);
    if (code != DBK_OK || options->unsafe)
        return code;
    code = judge_settings(handle, options->topic, deadline, &faults, err);
    if (code == DBK_OK && faults.length > 0)
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "the topic %s may lose what was acknowledged: %s. Set it right, or "
            "CLUSTER_UNSAFE=true for a trial",
            options->topic, faults.text);
    return code;
}
