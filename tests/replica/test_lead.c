#include "nodes.h"

static void one_leads_and_all_have_what_it_appends(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader;

    leader = all_start_and_lead(cluster);
    for (int i = 0; i < 50; i++)
        if (node_write(leader, &cluster->err) != DBK_OK)
            fail_msg("%s", cluster->err.text);
    await_equal(cluster);
    assert_int_equal(node_head(leader), 50);
    for (int i = 0; i < NODES; i++) {
        struct node *node = &cluster->nodes[i];
        struct dbk_replica_status status = look(node);

        assert_string_equal(status.leader, leader->name);
        assert_string_equal(status.leader_url, leader->url);
        if (node != leader)
            assert_int_equal(node_write(node, &cluster->err), DBK_NOT_LEADER);
    }
    assert_int_equal(look(leader).ships, 50);
}

static void another_goes_on_where_the_one_before_ended(void **state)
{
    struct cluster *cluster = *state;
    struct node *first = all_start_and_lead(cluster), *second = &cluster->nodes[1];

    cluster_write(cluster, 10);
    node_stop(first);
    elect(second);
    cluster_write(cluster, 10);
    node_start(first);
    await_state(first, DBK_REPLICA_FOLLOWS);
    await_known_leader(first, "db2");
    await_head(first, 20);
    cluster_write(cluster, 10);
    await_equal(cluster);
    assert_int_equal(look(second).state, DBK_REPLICA_LEADS);
    assert_int_equal(node_head(first), 30);
}

static void a_follower_is_fresh_when_it_says_so(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader;

    leader = all_start_and_lead(cluster);
    for (int i = 0; i < 10; i++) {
        cluster_write(cluster, 1);
        for (int j = 0; j < NODES; j++) {
            struct node *node = &cluster->nodes[j];

            if (dbk_replica_fresh(node->replica, WAIT_MS, &cluster->err) != DBK_OK)
                fail_msg("%s", cluster->err.text);
            assert_int_equal(node_head(node), node_head(leader));
        }
    }
}

static void a_refusal_is_given_by_who_leads_now(void **state)
{
    struct cluster *cluster = *state;
    struct dbk_uuid nobody = dbk_uuid_new();
    struct dbk_record gone = {
        .type = DBK_PERSON_DELETED, .subject = nobody, .source = dbk_slice("test")};
    struct dbk_command *command = dbk_command_create();
    struct node *leader;

    leader = all_start_and_lead(cluster);
    assert_int_equal(dbk_command_add(command, &gone, NULL), DBK_OK);
    if (dbk_log_submit(leader->log, &command, 1, NULL, NULL, &cluster->err) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_NOT_FOUND);
    dbk_command_destroy(command);
    assert_int_equal(look(leader).ships, 0);
}

static void one_that_only_follows_never_leads(void **state)
{
    struct cluster *cluster = *state;
    struct message hand_over = {.type = MESSAGE_HAND_OVER, .reseed = -1};
    struct node *node = &cluster->nodes[1];

    node->options.follower = true;
    all_start_and_lead(cluster);
    cluster_write(cluster, 5);
    hand_over.epoch = look(node).place.epoch;
    hand_over.store_id = node->store_id;
    hand_over.body = dbk_slice(node->name);
    send_raw(cluster, hand_over);
    cluster_write(cluster, 5);
    await_equal(cluster);
    assert_int_equal(look(node).state, DBK_REPLICA_FOLLOWS);
    assert_int_equal(node_write(node, &cluster->err), DBK_NOT_LEADER);
}

static void a_stop_is_quick_and_leaves_nothing(void **state)
{
    struct cluster *cluster = *state;
    int64_t began_ms;

    all_start_and_lead(cluster);
    rd_kafka_mock_broker_set_down(cluster->mock, -1);
    dbk_sleep_ms(200);
    began_ms = dbk_clock_ms();
    for (int i = 0; i < NODES; i++)
        node_stop(&cluster->nodes[i]);
    assert_in_range(dbk_clock_ms() - began_ms, 0, WAIT_MS);
}

static void *write_one(void *context)
{
    struct node *node = context;
    struct dbk_error err;

    return (void *)(uintptr_t)node_write(node, &err);
}

/* Brokers that hang keep nobody who appends once the node leaves. */
static void who_leaves_lets_nobody_wait(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    int64_t began_ms;
    pthread_t writer;
    void *code;

    cluster_write(cluster, 1);
    for (int broker = 1; broker <= 3; broker++)
        rd_kafka_mock_broker_set_rtt(cluster->mock, broker, 60000);
    assert_int_equal(pthread_create(&writer, NULL, write_one, leader), 0);
    dbk_sleep_ms(300);
    began_ms = dbk_clock_ms();
    dbk_replica_leave(leader->replica);
    pthread_join(writer, &code);
    assert_int_equal((uintptr_t)code, DBK_IN_DOUBT);
    assert_in_range(dbk_clock_ms() - began_ms, 0, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLUSTER_TEST(one_leads_and_all_have_what_it_appends),
        CLUSTER_TEST(another_goes_on_where_the_one_before_ended),
        CLUSTER_TEST(a_follower_is_fresh_when_it_says_so),
        CLUSTER_TEST(a_refusal_is_given_by_who_leads_now),
        CLUSTER_TEST(one_that_only_follows_never_leads),
        CLUSTER_TEST(a_stop_is_quick_and_leaves_nothing),
        CLUSTER_TEST(who_leaves_lets_nobody_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
