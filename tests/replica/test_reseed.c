#include "nodes.h"
#include "shortened.h"

static void what_brokers_lost_comes_from_the_one_that_has_the_most(void **state)
{
    struct cluster *cluster = *state;
    struct node *most = all_start_and_lead(cluster), *least = &cluster->nodes[2];
    uint64_t sent = 0;

    cluster_write(cluster, 5);
    await_equal(cluster);
    node_stop(least); /* it has only what is not lost */
    cluster_write(cluster, 10);
    await_equal(cluster);
    lose(cluster, 7);
    node_start(&cluster->nodes[1]);
    await_line(&cluster->nodes[1], "the brokers have lost");
    assert_int_equal(dbk_replica_fresh(cluster->nodes[1].replica, 1000, &cluster->err),
                     DBK_UNAVAILABLE); /* others may have written there since */
    node_start(
        least); /* told by the one that was ahead: it does not go on without that */
    await_state(least, DBK_REPLICA_HALTED);
    assert_non_null(strstr(look(least).why, "daybook cluster reseed"));
    assert_int_equal(node_head(least), 8);
    if (node_reseed(most, &sent) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    assert_int_equal(sent, 7);
    for (int i = 0; i < NODES; i++) {
        await_state(&cluster->nodes[i], DBK_REPLICA_FOLLOWS);
        await_head(&cluster->nodes[i], 15);
    }
    elect(&cluster->nodes[1]);
    cluster_write(cluster, 5);
    await_equal(cluster);
    assert_int_equal(node_head(least), 20);
}

static void nothing_is_sent_where_nothing_is_lost_or_others_have_more(void **state)
{
    struct cluster *cluster = *state;
    uint64_t sent = 0;

    all_start_and_lead(cluster);
    cluster_write(cluster, 5);
    await_equal(cluster);
    node_stop(&cluster->nodes[2]);
    cluster_write(cluster, 5);
    await_equal(cluster);
    assert_int_equal(node_reseed(&cluster->nodes[1], &sent), DBK_MOVED);
    assert_int_equal(node_reseed(&cluster->nodes[2], &sent), DBK_CONFLICT);
    /* By the stream, or by what another node has told of itself by then. */
    assert_true(strstr(cluster->err.text, "not the one that has the most") ||
                strstr(cluster->err.text, "reseed there"));
    await_head(&cluster->nodes[2], 10);
    assert_int_equal(sent, 0);
}

static void another_logs_stream_is_not_written_into(void **state)
{
    struct cluster *cluster = *state;
    struct node *node = all_start_and_lead(cluster);
    const struct message genesis = {
        .type = MESSAGE_GENESIS, .epoch = -1, .store_id = dbk_uuid_new(), .reseed = -1};
    struct stream *stream;
    int64_t begin, end;

    cluster_write(cluster, 3);
    node_stop(node);
    rd_kafka_mock_topic_create(cluster->mock, "other", 1, 3);
    rd_kafka_mock_topic_create(cluster->mock, "other.leader", 1, 3);
    node->options.topic = "other";
    send_raw(cluster, genesis); /* as node 0 sends */
    node_start_unchecked(node);
    await_state(node, DBK_REPLICA_HALTED);
    assert_int_equal(stream_open(&node->options, &stream, &cluster->err), DBK_OK);
    assert_int_equal(stream_bounds(stream, WAIT_MS, &begin, &end, &cluster->err),
                     DBK_OK);
    stream_close(stream);
    assert_int_equal(end, 1);
}

struct read_to {
    struct node *node;
    int64_t offset;
};

static bool has_read(void *context)
{
    const struct read_to *to = context;

    return look(to->node).place.next > to->offset;
}

/* No node is behind: what brokers drop before it is read halts it. */
static void start_retention(struct cluster *cluster)
{
    struct message tokens = {.type = MESSAGE_TOKENS,
                             .epoch = -1,
                             .store_id = cluster->nodes[0].store_id,
                             .reseed = -1};
    static char lines[1 << 20]; /* none of which puts or revokes anything */

    memset(lines, '\n', sizeof lines);
    tokens.body = (struct dbk_slice){lines, sizeof lines};
    for (int i = 0; i < 6; i++) { /* these brokers keep 5 MB */
        struct read_to to = {.offset = send_raw(cluster, tokens)};

        for (int n = 0; n < NODES; n++) {
            to.node = &cluster->nodes[n];
            if (!eventually(has_read, &to))
                fail_msg("%s", to.node->lines);
        }
    }
}

static void check(struct node *node, struct dbk_replica_found *found)
{
    if (dbk_replica_check(&node->options, WAIT_MS, found, &node->cluster->err) !=
        DBK_OK)
        fail_msg("%s", node->cluster->err.text);
}

/* Tokens tell of no records: where a log may go on from is found behind them. */
static void what_brokers_keep_may_begin_with_tokens(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *other = &cluster->nodes[1];
    struct dbk_replica_found found;
    uint64_t sent = 0;

    cluster_write(cluster, 3);
    start_retention(cluster);
    check(leader, &found);
    assert_true(found.gone);
    assert_int_equal(node_reseed(leader, &sent), DBK_NOT_FOUND);
    elect(other);
    cluster_write(cluster, 2);
    await_equal(cluster);
    check(leader, &found);
    assert_false(found.gone);
    assert_int_equal(found.from, 3);
    if (node_reseed(leader, &sent) != DBK_MOVED)
        fail_msg("%s", cluster->err.text);
    assert_int_equal(sent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLUSTER_TEST(what_brokers_lost_comes_from_the_one_that_has_the_most),
        CLUSTER_TEST(nothing_is_sent_where_nothing_is_lost_or_others_have_more),
        CLUSTER_TEST(another_logs_stream_is_not_written_into),
        CLUSTER_TEST(what_brokers_keep_may_begin_with_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
