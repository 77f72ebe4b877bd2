/* What may not follow in the stream: passed over, or it halts. */
#include "node_reads.h"

static void another_opening_ends_who_leads(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    cluster_write(cluster, 3);
    send_raw(cluster, ghost_opening(leader));
    assert_int_not_equal(node_write(leader, &cluster->err), DBK_OK);
    await_known_leader(leader, "ghost");
    await_state(leader, DBK_REPLICA_FOLLOWS);
    assert_int_equal(node_write(leader, &cluster->err), DBK_NOT_LEADER);
    elect(&cluster->nodes[1]);
    cluster_write(cluster, 3);
    await_equal(cluster);
    assert_int_equal(node_head(leader), 6);
}

static bool has_read(void *context)
{
    const struct openings *openings = context;

    return look(openings->node).openings >= openings->count;
}

/* It reads its own opening and the one behind before it hears that its own arrived. */
static void two_that_open_at_once_are_no_loss(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *node = &cluster->nodes[1];
    struct message hand_over = {.type = MESSAGE_HAND_OVER,
                                .store_id = leader->store_id,
                                .reseed = -1,
                                .body = dbk_slice(node->name)};
    struct openings openings = {.node = node};

    cluster_write(cluster, 3);
    await_equal(cluster);
    for (int i = 0; i < 2; i++) /* it knows that it has all */
        assert_int_equal(dbk_replica_fresh(node->replica, WAIT_MS, &cluster->err),
                         DBK_OK);
    openings.count = look(node).openings + 2;
    hand_over.epoch = send_raw(cluster, ghost_opening(leader));
    for (int broker = 1; broker <= 3; broker++)
        rd_kafka_mock_broker_push_request_error_rtts(cluster->mock, broker, PRODUCE, 2,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR, 0,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR, 2000);
    send_raw(cluster, hand_over);
    if (!eventually(has_read, &openings))
        fail_msg("%s", node->lines);
    /* On a busy machine the answer may have come by now: then it leads, and is overtaken. */
    assert_true(look(node).state == DBK_REPLICA_OPENS ||
                look(node).state == DBK_REPLICA_LEADS);
    send_raw(cluster, ghost_opening(leader));
    await_state(node, DBK_REPLICA_FOLLOWS);
    elect(node);
    cluster_write(cluster, 3);
    await_equal(cluster);
}

static struct message batch_of(struct node *node, int64_t epoch)
{
    struct message message = {.type = MESSAGE_BATCH,
                              .epoch = epoch,
                              .store_id = node->store_id,
                              .first = node_head(node) + 1,
                              .count = 1,
                              .reseed = -1,
                              .body = {"\4\0\0\0oops", 8}};

    dbk_log_checksum(node->log, message.first - 1, &message.before, NULL);
    return message;
}

static void what_a_deposed_leader_sends_is_nowhere(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    for (int i = 0; i < 5; i++) {
        send_raw(cluster, batch_of(leader, look(leader).place.epoch - 1));
        write_ok(leader);
    }
    await_equal(cluster);
    assert_int_equal(node_head(leader), 5);
    assert_int_equal(look(&cluster->nodes[2]).voids, 5);
}

static void await_halted(struct cluster *cluster, const char *why)
{
    for (int i = 0; i < NODES; i++) {
        struct node *node = &cluster->nodes[i];

        await_state(node, DBK_REPLICA_HALTED);
        if (!strstr(look(node).why, why))
            fail_msg("%s", look(node).why);
        assert_int_not_equal(node_write(node, &cluster->err), DBK_OK);
        assert_int_equal(dbk_replica_fresh(node->replica, 5000, &cluster->err),
                         DBK_UNAVAILABLE);
        assert_non_null(strstr(cluster->err.text, "halted"));
    }
}

static void a_batch_of_an_opening_that_was_never_read_halts(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    cluster_write(cluster, 3);
    send_raw(cluster, batch_of(leader, look(leader).place.epoch + 1));
    await_halted(cluster, "which was never here");
    assert_int_equal(node_head(leader), 3);
}

/* The brokers lost an opening that was read here, and others wrote on from before it: what they
 * wrote looks as if a deposed leader had sent it. */
static void what_follows_another_history_is_not_passed_over(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    struct message other;

    cluster_write(cluster, 3);
    other = batch_of(leader, look(leader).place.epoch - 1);
    other.before ^= 1;
    send_raw(cluster, other);
    await_halted(cluster, "follows records that are not this log's");
    assert_int_equal(node_head(leader), 3);
}

static void another_of_the_same_name_is_another(void **state)
{
    struct cluster *cluster = *state;
    struct node *node = &cluster->nodes[1];
    struct message other;

    all_start_and_lead(cluster);
    other = ghost_opening(node);
    other.node = dbk_slice(node->name);
    send_raw(cluster, other);
    await_line(node, "http://ghost.test is also called");
    assert_string_equal(look(node).leader_url, "http://ghost.test");
}

/* Two logs were to begin the stream at once: the first is it. */
static void a_second_beginning_is_nothing(void **state)
{
    struct cluster *cluster = *state;
    const struct message second = {
        .type = MESSAGE_GENESIS, .epoch = -1, .store_id = dbk_uuid_new(), .reseed = -1};

    assert_int_equal(send_raw(cluster, second), 1);
    write_ok(all_start_and_lead(cluster));
    await_equal(cluster);
    assert_int_equal(node_head(&cluster->nodes[2]), 1);
    await_state(&cluster->nodes[2], DBK_REPLICA_FOLLOWS);
}

static void what_another_program_writes_halts(void **state)
{
    struct cluster *cluster = *state;
    struct message foreign;

    all_start_and_lead(cluster);
    foreign = tokens(&cluster->nodes[0], "");
    foreign.store_id = dbk_uuid_new();
    send_raw(cluster, foreign);
    await_halted(cluster, "the topic is another log's");
}

/* As while the machines are upgraded one after the other. */
static void what_a_newer_version_writes_halts(void **state)
{
    struct cluster *cluster = *state;
    struct message message;
    size_t length;
    char *bytes;

    all_start_and_lead(cluster);
    message = tokens(&cluster->nodes[0], "");
    assert_int_equal(message_encode(&message, &bytes, &length, &cluster->err), DBK_OK);
    bytes[4] = 3;
    send_bytes(cluster, bytes, length);
    free(bytes);
    await_halted(cluster, "bring Daybook up to date here");
}

static void records_that_are_damaged_on_the_way_halt(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);

    send_raw(cluster, batch_of(leader, look(leader).place.epoch));
    await_halted(cluster, "the message at offset");
    assert_int_equal(node_head(leader), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLUSTER_TEST(another_opening_ends_who_leads),
        CLUSTER_TEST(two_that_open_at_once_are_no_loss),
        CLUSTER_TEST(what_a_deposed_leader_sends_is_nowhere),
        CLUSTER_TEST(a_batch_of_an_opening_that_was_never_read_halts),
        CLUSTER_TEST(what_follows_another_history_is_not_passed_over),
        CLUSTER_TEST(another_of_the_same_name_is_another),
        CLUSTER_TEST(a_second_beginning_is_nothing),
        CLUSTER_TEST(what_another_program_writes_halts),
        CLUSTER_TEST(what_a_newer_version_writes_halts),
        CLUSTER_TEST(records_that_are_damaged_on_the_way_halt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
