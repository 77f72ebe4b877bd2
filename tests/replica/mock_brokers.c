/* mock_brokers N [TOPIC...] - librdkafka's own brokers, made of nothing, for the tests.
 *
 * Makes N brokers on loopback and the topics, each with one partition (none named: "daybook"
 * and "daybook.leader"), prints the list to connect to, and ends when stdin does. Each line of
 * stdin is a command, answered by "ok", or by what is wrong with it:
 *
 *   down ID            a broker (all: -1) hangs up and takes no connection
 *   up ID
 *   rtt ID MS          it answers so late
 *   lead TOPIC ID      another broker leads the topic; -1: none
 *   coordinate GROUP ID
 *   error TOPIC CODE   what they tell of a topic: 3, that there is none; 0: as it is
 *   fail KEY CODE...   the next requests of an API key (0 produce, 1 fetch, 2 list offsets,
 *                      ...) are refused with these codes of Kafka's (-195: hung up)
 *   late ID KEY MS...  the next answers of a broker to requests of the key come so late
 */
#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS_MAX = 64 };

/* The numbers that are left in strtok's line. */
static size_t numbers(long out[NUMBERS_MAX])
{
    size_t count = 0;

    for (char *word; count < NUMBERS_MAX && (word = strtok(NULL, " \n"));)
        out[count++] = strtol(word, NULL, 10);
    return count;
}

static int fail(rd_kafka_mock_cluster_t *mock)
{
    rd_kafka_resp_err_t errors[NUMBERS_MAX];
    long n[NUMBERS_MAX];
    size_t count = numbers(n);

    if (count < 2)
        return -1;
    for (size_t i = 1; i < count; i++)
        errors[i - 1] = (rd_kafka_resp_err_t)n[i];
    rd_kafka_mock_push_request_errors_array(mock, (int16_t)n[0], count - 1, errors);
    return 0;
}

static int late(rd_kafka_mock_cluster_t *mock)
{
    long n[NUMBERS_MAX];
    size_t count = numbers(n);
    int rc = count < 3;

    for (size_t i = 2; i < count && rc == 0; i++)
        rc = rd_kafka_mock_broker_push_request_error_rtts(
            mock, (int32_t)n[0], (int16_t)n[1], 1, RD_KAFKA_RESP_ERR_NO_ERROR,
            (int)n[i]);
    return rc;
}

static int named(rd_kafka_mock_cluster_t *mock, char what)
{
    const char *name = strtok(NULL, " \n"), *id = strtok(NULL, " \n");

    if (!name || !id)
        return -1;
    if (what == 'l')
        return rd_kafka_mock_partition_set_leader(mock, name, 0, atoi(id));
    if (what == 'c')
        return rd_kafka_mock_coordinator_set(mock, "group", name, atoi(id));
    rd_kafka_mock_topic_set_error(mock, name, (rd_kafka_resp_err_t)atoi(id));
    return 0;
}

static int of_broker(rd_kafka_mock_cluster_t *mock, const char *what)
{
    long n[NUMBERS_MAX] = {0};
    size_t count = numbers(n);

    if (count == 1 && !strcmp(what, "down"))
        return rd_kafka_mock_broker_set_down(mock, (int32_t)n[0]);
    if (count == 1 && !strcmp(what, "up"))
        return rd_kafka_mock_broker_set_up(mock, (int32_t)n[0]);
    if (count == 2 && !strcmp(what, "rtt"))
        return rd_kafka_mock_broker_set_rtt(mock, (int32_t)n[0], (int)n[1]);
    return -1;
}

static int command(rd_kafka_mock_cluster_t *mock, char *line)
{
    const char *what = strtok(line, " \n");

    if (!what)
        return -1;
    if (!strcmp(what, "fail"))
        return fail(mock);
    if (!strcmp(what, "late"))
        return late(mock);
    if (!strcmp(what, "lead") || !strcmp(what, "coordinate") || !strcmp(what, "error"))
        return named(mock, what[0]);
    return of_broker(mock, what);
}

int main(int argc, char **argv)
{
    static char stream[] = "daybook", election[] = "daybook.leader";
    static char *both[] = {stream, election};
    int brokers = argc > 1 ? atoi(argv[1]) : 0;
    char **topics = argc > 2 ? argv + 2 : both, line[4096], why[512];
    int count = argc > 2 ? argc - 2 : 2;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_mock_cluster_t *mock;
    rd_kafka_t *rk;

    if (brokers < 1) {
        fprintf(stderr, "usage: mock_brokers N [TOPIC...]\n");
        rd_kafka_conf_destroy(conf);
        return 2;
    }
    rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    mock = rk ? rd_kafka_mock_cluster_new(rk, brokers) : NULL;
    if (!mock) {
        fprintf(stderr, "mock_brokers: no brokers: %s\n", rk ? "" : why);
        return 1;
    }
    for (int i = 0; i < count; i++)
        rd_kafka_mock_topic_create(mock, topics[i], 1, brokers);
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(mock));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        int rc = command(mock, line);

        printf("%s\n", rc == 0 ? "ok" : rc > 0 ? "refused" : "no such command");
        fflush(stdout);
    }
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(rk);
    return 0;
}
