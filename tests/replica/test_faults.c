/* What brokers refuse, lose or answer late. */
#include "node_reads.h"

static atomic_int failing_commits;

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    int left = atomic_load(&failing_commits);

    if (left > 0 && atomic_compare_exchange_strong(&failing_commits, &left, left - 1)) {
        mdb_txn_abort(txn);
        return ENOSPC;
    }
    return __real_mdb_txn_commit(txn);
}

static void what_brokers_refuse_for_a_moment_is_sent_again(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    for (int i = 0; i < 5; i++) {
        rd_kafka_mock_push_request_errors(
            cluster->mock, PRODUCE, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT);
        write_ok(leader);
    }
    await_equal(cluster);
    assert_int_equal(node_head(leader), 5);
}

static void brokers_that_go_and_come_lose_nothing(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    cluster_write(cluster, 5);
    rd_kafka_mock_broker_set_down(cluster->mock, -1);
    dbk_sleep_ms(500);
    rd_kafka_mock_broker_set_up(cluster->mock, -1);
    cluster_write(cluster, 5);
    await_equal(cluster);
    assert_int_equal(node_head(leader), 10);
}

/* The leader gets another offset than the one that was due. */
static void what_comes_between_is_read_first(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    for (int i = 0; i < 10; i++) {
        send_raw(cluster, tokens(leader, "{\"put\":\"kate read 2026 00\"}\n"));
        write_ok(leader);
    }
    await_equal(cluster);
    assert_int_equal(node_head(leader), 10);
    assert_int_equal(look(leader).state, DBK_REPLICA_LEADS);
    assert_int_equal(look(leader).place.epoch, look(&cluster->nodes[1]).place.epoch);
}

static void what_arrived_though_its_answer_did_not_is_there_once(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    write_ok(leader);
    /* These brokers take what is sent again for something new: it lies there twice. */
    for (int broker = 1; broker <= 3; broker++)
        rd_kafka_mock_broker_push_request_error_rtts(cluster->mock, broker, PRODUCE, 1,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR, 3500);
    write_ok(leader);
    write_ok(leader);
    await_equal(cluster);
    assert_int_equal(node_head(leader), 3);
}

static void *write_one(void *context)
{
    struct node *node = context;
    struct dbk_error err;

    return (void *)(uintptr_t)node_write(node, &err);
}

/* The first try is taken and not answered, all others are refused until the time is up:
 * whatever librdkafka makes of that. */
static void what_was_taken_and_then_refused_is_not_taken_for_lost(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    pthread_t writer;
    void *code;

    write_ok(leader);
    for (int broker = 1; broker <= 3; broker++)
        rd_kafka_mock_broker_push_request_error_rtts(cluster->mock, broker, PRODUCE, 1,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR, 3500);
    assert_int_equal(pthread_create(&writer, NULL, write_one, leader), 0);
    dbk_sleep_ms(2500);
    for (int i = 0; i < 500; i++)
        rd_kafka_mock_push_request_errors(cluster->mock, PRODUCE, 1,
                                          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    dbk_sleep_ms(9000);
    rd_kafka_mock_clear_request_errors(cluster->mock, PRODUCE);
    pthread_join(writer, &code);
    assert_int_equal((uintptr_t)code, DBK_OK);
    cluster_write(cluster, 1);
    await_equal(cluster);
    assert_int_equal(node_head(leader), 3);
}

/* It is in the stream by then: whoever asked is told so once the disk takes it. */
static void what_the_disk_refuses_after_it_was_shipped_is_not_lost(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    write_ok(leader);
    for (int failures = 1; failures <= 3; failures++) {
        atomic_store(&failing_commits, failures);
        while (node_write(leader, &cluster->err) != DBK_OK)
            assert_int_not_equal(cluster->err.code, DBK_IN_DOUBT); /* it was refused */
    }
    assert_int_equal(atomic_load(&failing_commits), 0);
    cluster_write(cluster, 1);
    await_equal(cluster);
    assert_int_equal(node_head(leader), 5);
}

/* Such as by cluster status, while the broker that leads the partition is dead. */
static void the_bounds_are_waited_for_no_longer_than_was_said(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    struct stream *stream;
    int64_t begin, end;

    assert_int_equal(stream_open(&leader->options, &stream, &cluster->err), DBK_OK);
    rd_kafka_mock_partition_set_leader(cluster->mock, leader->options.topic, 0, 2);
    rd_kafka_mock_broker_set_down(cluster->mock, 2);
    assert_int_equal(stream_bounds(stream, 500, &begin, &end, &cluster->err),
                     DBK_UNAVAILABLE);
    rd_kafka_mock_broker_set_up(cluster->mock, 2);
    assert_int_equal(stream_bounds(stream, WAIT_MS, &begin, &end, &cluster->err),
                     DBK_OK);
    assert_int_equal(begin, 0);
    assert_true(end > 0);
    stream_close(stream);
}

static void lead_partition(struct node *node, int32_t broker)
{
    rd_kafka_mock_partition_set_leader(node->cluster->mock, node->options.topic, 0,
                                       broker);
}

static bool is_fresh(void *context)
{
    struct node *node = context;

    return dbk_replica_fresh(node->replica, 2000, &node->cluster->err) == DBK_OK;
}

/* A handle that only asks is told by nobody that another broker leads. */
static void the_end_is_asked_of_whoever_leads_the_partition_now(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    struct stream *stream;
    int64_t begin, end;

    cluster_write(cluster, 1);
    assert_int_equal(stream_open(&leader->options, &stream, &cluster->err), DBK_OK);
    for (int32_t broker = 1; broker <= 3; broker++) {
        lead_partition(leader, broker);
        if (stream_bounds(stream, WAIT_MS, &begin, &end, &cluster->err) != DBK_OK)
            fail_msg("%s", cluster->err.text);
        for (int i = 0; i < NODES; i++)
            if (!eventually(is_fresh, &cluster->nodes[i]))
                fail_msg("%s", cluster->err.text);
    }
    stream_close(stream);
    /* Or the one before hangs. */
    rd_kafka_mock_broker_set_rtt(cluster->mock, 3, 60000);
    lead_partition(leader, 1);
    if (!eventually(is_fresh, leader))
        fail_msg("%s", cluster->err.text);
}

static void know_no_topic(struct cluster *cluster, rd_kafka_resp_err_t rc)
{
    rd_kafka_mock_topic_set_error(cluster->mock, "daybook", rc);
}

/* As those that have just started say for a while. */
static void brokers_that_know_no_topic_are_waited_for(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *late = &cluster->nodes[2];

    cluster_write(cluster, 1);
    node_stop(late);
    know_no_topic(cluster, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    node_start_unchecked(late);
    dbk_sleep_ms(1500);
    know_no_topic(cluster, RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < NODES; i++)
        if (!eventually(is_fresh, &cluster->nodes[i]))
            fail_msg("%s", cluster->err.text);
    cluster_write(cluster, 1);
    await_equal(cluster);
    assert_int_equal(node_head(leader), 2);
}

static void *write_on(void *context)
{
    struct node *node = context;
    struct dbk_error err = {0};
    uintptr_t written = 0;

    for (int i = 0; i < 40 && err.code == DBK_OK; i++) {
        struct dbk_record person;
        struct dbk_command *command;
        char email[64];

        snprintf(email, sizeof email, "%p.%d@x.mock", (void *)&err, i);
        person = draft_person(email);
        command = command_of(&person);
        if (dbk_log_submit(node->log, &command, 1, NULL, NULL, &err) == DBK_OK)
            written++;
        else
            fprintf(stderr, "%s\n", err.text);
        dbk_command_destroy(command);
    }
    return (void *)written;
}

static bool knows_kate(void *context)
{
    struct node *node = context;
    bool knows;

    pthread_mutex_lock(&node->mutex);
    knows = strstr(node->tokens, "kate read 7") != NULL;
    pthread_mutex_unlock(&node->mutex);
    return knows;
}

/* Tokens come between what is shipped and the place: they are taken along. */
static void tokens_refuse_nobody_who_writes(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    uint64_t head = node_head(leader), openings = look(leader).openings;
    pthread_t writers[4];
    void *written;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_on, leader), 0);
    for (int i = 0; i < 8; i++) {
        char changes[64];

        snprintf(changes, sizeof changes, "{\"put\":\"kate read %d\"}\n", i);
        send_raw(cluster, tokens(leader, changes));
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(writers[i], &written);
        assert_int_equal((uintptr_t)written, 40);
    }
    assert_int_equal(node_head(leader), head + 160);
    for (int i = 0; i < NODES; i++)
        if (!eventually(knows_kate, &cluster->nodes[i]))
            fail_msg("%s: %s", cluster->nodes[i].name, cluster->nodes[i].tokens);
    await_equal(cluster);
    assert_int_equal(look(leader).openings, openings);
    assert_int_equal(look(leader).state, DBK_REPLICA_LEADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLUSTER_TEST(what_brokers_refuse_for_a_moment_is_sent_again),
        CLUSTER_TEST(brokers_that_go_and_come_lose_nothing),
        CLUSTER_TEST(what_comes_between_is_read_first),
        CLUSTER_TEST(what_arrived_though_its_answer_did_not_is_there_once),
        CLUSTER_TEST(what_was_taken_and_then_refused_is_not_taken_for_lost),
        CLUSTER_TEST(what_the_disk_refuses_after_it_was_shipped_is_not_lost),
        CLUSTER_TEST(the_bounds_are_waited_for_no_longer_than_was_said),
        CLUSTER_TEST(the_end_is_asked_of_whoever_leads_the_partition_now),
        CLUSTER_TEST(brokers_that_know_no_topic_are_waited_for),
        CLUSTER_TEST(tokens_refuse_nobody_who_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
