/* topic make BROKERS NAME PARTITIONS [REPLICAS] - makes a topic, on one broker or on more.
 * topic read BROKERS NAME - prints what is committed in it, partition after partition: a line
 *     PARTITION SEQUENCE KEY VALUE each.
 * topic abort BROKERS NAME - begins a transaction, sends a message to its first partition, and
 *     takes it back.
 */
#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 20000 };

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *brokers)
{
    static const char *const settings[][2] = {{"isolation.level", "read_committed"},
                                              {"enable.partition.eof", "true"},
                                              {"group.id", "topic"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *handle;
    char why[512];

    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    for (size_t i = 0; type == RD_KAFKA_CONSUMER && i < 3; i++)
        rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why);
    handle = rd_kafka_new(type, conf, why, sizeof why);
    if (!handle) {
        fprintf(stderr, "topic: %s\n", why);
        exit(1);
    }
    return handle;
}

static int make(const char *brokers, const char *name, int partitions, int replicas)
{
    rd_kafka_t *handle = open_client(RD_KAFKA_PRODUCER, brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_NewTopic_t *topic;
    rd_kafka_event_t *event;
    char why[512];
    int rc = 1;

    topic = rd_kafka_NewTopic_new(name, partitions, replicas, why, sizeof why);
    rd_kafka_CreateTopics(handle, &topic, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    if (event && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = 0;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return rc;
}

static void print_message(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *sequence = "";
    size_t length = 0;

    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_header_get_last(headers, "sequence", &sequence, &length);
    printf("%d %.*s %.*s %.*s\n", (int)message->partition, (int)length,
           (const char *)sequence, (int)message->key_len, (const char *)message->key,
           (int)message->len, (const char *)message->payload);
}

static int read_partition(rd_kafka_t *handle, const char *name, int32_t partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, name, partition)->offset = 0;
    rd_kafka_assign(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, TIMEOUT_MS);
        rd_kafka_resp_err_t error =
            message ? message->err : RD_KAFKA_RESP_ERR__TIMED_OUT;

        if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
            print_message(message);
        if (message)
            rd_kafka_message_destroy(message);
        if (error == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            return 0;
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            return 1;
    }
}

static int read_all(const char *brokers, const char *name)
{
    rd_kafka_t *handle = open_client(RD_KAFKA_CONSUMER, brokers);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    const struct rd_kafka_metadata *metadata;
    int count = 0, rc = 1;

    rd_kafka_poll_set_consumer(handle);
    if (rd_kafka_metadata(handle, 0, topic, &metadata, TIMEOUT_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
        rc = 0;
    }
    rd_kafka_topic_destroy(topic);
    for (int i = 0; i < count && rc == 0; i++)
        rc = read_partition(handle, name, i);
    rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
    return rc;
}

static bool done(rd_kafka_error_t *error)
{
    if (!error)
        return true;
    fprintf(stderr, "topic: %s\n", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

static int abort_one(const char *brokers, const char *name)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *handle;
    char why[512];
    bool aborted;

    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "transactional.id", name, why, sizeof why);
    handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!handle) {
        fprintf(stderr, "topic: %s\n", why);
        return 1;
    }
    aborted = done(rd_kafka_init_transactions(handle, TIMEOUT_MS)) &&
              done(rd_kafka_begin_transaction(handle)) &&
              rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(name), RD_KAFKA_V_PARTITION(0),
                                RD_KAFKA_V_VALUE("x", 1),
                                RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR &&
              rd_kafka_flush(handle, TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR &&
              done(rd_kafka_abort_transaction(handle, TIMEOUT_MS));
    rd_kafka_destroy(handle);
    return aborted ? 0 : 1;
}

int main(int argc, char **argv)
{
    if ((argc == 5 || argc == 6) && !strcmp(argv[1], "make"))
        return make(argv[2], argv[3], atoi(argv[4]), argc == 6 ? atoi(argv[5]) : 1);
    if (argc == 4 && !strcmp(argv[1], "read"))
        return read_all(argv[2], argv[3]);
    if (argc == 4 && !strcmp(argv[1], "abort"))
        return abort_one(argv[2], argv[3]);
    fputs("usage: topic make BROKERS NAME PARTITIONS [REPLICAS] | topic read|abort "
          "BROKERS NAME\n",
          stderr);
    return 2;
}
