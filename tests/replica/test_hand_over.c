#include "member.h"
#include "nodes.h"
#include "replica_private.h"
#include "stream.h"
#include "tokens.h"

enum { FIND_COORDINATOR = 10 }; /* Kafka's number of the request */

static bool is_told(void *context)
{
    struct node *node = context;
    struct dbk_replica_member member;
    struct dbk_error err = {0};
    enum dbk_code code = member_find(&node->options, node->name, 2000, &member, &err);

    if (code != DBK_OK && getenv("NODES_TELL"))
        fprintf(stderr, "%s\n", err.text);
    return code == DBK_OK && !strcmp(member.node, node->name) &&
           !strcmp(member.url, node->url);
}

static void a_leader_lets_another_lead(void **state)
{
    struct cluster *cluster = *state;
    struct node *first = all_start_and_lead(cluster), *second = &cluster->nodes[1];

    cluster_write(cluster, 5);
    assert_int_equal(dbk_replica_hand_over(second->replica, "db1", 1000, &cluster->err),
                     DBK_NOT_LEADER);
    assert_int_equal(
        dbk_replica_hand_over(first->replica, "db9", WAIT_MS, &cluster->err),
        DBK_NOT_FOUND);
    for (int i = 0; i < NODES; i++)
        assert_true(eventually(is_told, &cluster->nodes[i]));
    for (int i = 0; i < 2; i++) /* it knows that it has all */
        assert_int_equal(dbk_replica_fresh(second->replica, WAIT_MS, &cluster->err),
                         DBK_OK);
    if (dbk_replica_hand_over(first->replica, "db2", WAIT_MS, &cluster->err) != DBK_OK)
        fail_msg("%s\n%s%s", cluster->err.text, first->lines, second->lines);
    await_state(second, DBK_REPLICA_LEADS);
    assert_int_equal(node_write(first, &cluster->err), DBK_NOT_LEADER);
    cluster_write(cluster, 5);
    await_equal(cluster);
    assert_int_equal(node_head(first), 10);
}

/* How long the node stays out of the group that elects, in ms. */
static int kept_out(struct node *node)
{
    int left;

    pthread_mutex_lock(&node->replica->mutex);
    left = dbk_deadline_left(node->replica->barred_until);
    pthread_mutex_unlock(&node->replica->mutex);
    return left;
}

/* As where it asks for the end when others have gone on already. */
static void tell_of_more(struct node *node)
{
    pthread_mutex_lock(&node->replica->mutex);
    node->replica->status.end += 1000;
    pthread_mutex_unlock(&node->replica->mutex);
}

/* Else, when all come back to the group, it may elect another, which deposes the new leader. */
static void who_is_handed_the_lead_is_in_the_group_before_the_others(void **state)
{
    struct cluster *cluster = *state;
    struct node *nodes = cluster->nodes;

    all_start_and_lead(cluster);
    for (int i = 0; i < NODES; i++)
        assert_true(eventually(is_told, &nodes[i]));
    for (int to = 1; to < NODES; to++) {
        for (int i = 0; i < 2; i++) /* it knows that it has all */
            assert_int_equal(
                dbk_replica_fresh(nodes[to].replica, WAIT_MS, &cluster->err), DBK_OK);
        assert_true(to == 1 || kept_out(&nodes[to]) > 0);
        tell_of_more(&nodes[to - 1]);
        if (dbk_replica_hand_over(nodes[to - 1].replica, nodes[to].name, WAIT_MS,
                                  &cluster->err) != DBK_OK)
            fail_msg("%s\n%s%s", cluster->err.text, nodes[to - 1].lines,
                     nodes[to].lines);
        await_state(&nodes[to], DBK_REPLICA_LEADS);
        assert_int_equal(kept_out(&nodes[to]), 0);
        assert_true(kept_out(&nodes[to - 1]) > 0);
    }
}

static bool hands_over(void *context)
{
    struct node *node = context;
    bool said;

    pthread_mutex_lock(&node->mutex);
    said = strstr(node->lines, "hands over") != NULL;
    pthread_mutex_unlock(&node->mutex);
    return said;
}

static void *depose(void *context)
{
    struct node *node = context;

    if (eventually(hands_over, node))
        send_raw(node->cluster, ghost_opening(node));
    return NULL;
}

static void where_another_takes_over_that_is_told_at_once(void **state)
{
    struct cluster *cluster = *state;
    struct node *first = all_start_and_lead(cluster);
    pthread_t other;

    assert_true(eventually(is_told, &cluster->nodes[2]));
    node_stop(&cluster->nodes[2]);
    pthread_create(&other, NULL, depose, first);
    assert_int_equal(
        dbk_replica_hand_over(first->replica, "db3", 100 * WAIT_MS, &cluster->err),
        DBK_NOT_LEADER);
    pthread_join(other, NULL);
    assert_non_null(strstr(cluster->err.text, "\"ghost\" leads"));
}

static void where_nobody_takes_over_the_leader_leads_on(void **state)
{
    struct cluster *cluster = *state;
    struct node *first = all_start_and_lead(cluster);

    assert_true(eventually(is_told, &cluster->nodes[2]));
    node_stop(&cluster->nodes[2]);
    assert_int_equal(dbk_replica_hand_over(first->replica, "db3", 8000, &cluster->err),
                     DBK_TIMEOUT); /* longer than a busy machine takes to look for it */
    await_line(first, "nobody took over");
    cluster_write(cluster, 5);
    await_equal(cluster);
    assert_int_equal(node_head(first), 5);
    atomic_store(&first->replica->session_ms, 0);
    dbk_sleep_ms(3000); /* by then it is known that it tells nothing */
    assert_int_equal(
        dbk_replica_hand_over(first->replica, "db3", WAIT_MS, &cluster->err),
        DBK_NOT_FOUND);
}

/* Brokers that find a coordinator late: librdkafka's administrative calls ended the process
 * then. */
static void who_asks_of_others_outlives_late_answers(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    struct dbk_replica_members members;

    assert_true(eventually(is_told, &cluster->nodes[1]));
    for (int broker = 1; broker <= 3; broker++)
        rd_kafka_mock_broker_push_request_error_rtts(cluster->mock, broker,
                                                     FIND_COORDINATOR, 1,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR, 4000);
    assert_int_equal(dbk_replica_hand_over(leader->replica, "db2", 1000, &cluster->err),
                     DBK_UNAVAILABLE);
    if (dbk_replica_members(&leader->options, WAIT_MS, &members, &cluster->err) !=
        DBK_OK)
        fail_msg("%s", cluster->err.text);
    dbk_replica_members_finish(&members);
    dbk_sleep_ms(2000);
    cluster_write(cluster, 1);
    assert_int_equal(look(leader).state, DBK_REPLICA_LEADS);
}

static bool tells_that_it_leads(void *context)
{
    struct node *node = context;
    struct dbk_replica_members members;
    bool leads;

    if (dbk_replica_members(&node->options, WAIT_MS, &members, &node->cluster->err) !=
        DBK_OK)
        return false;
    leads = members.count == 1 && !strcmp(members.list[0].state, "leads");
    dbk_replica_members_finish(&members);
    return leads;
}

/* Who is killed tells nothing any more. */
static void what_a_dead_leader_told_last_is_not_believed(void **state)
{
    struct cluster *cluster = *state;
    struct node *first = all_start_and_lead(cluster);
    struct message opening = ghost_opening(first);
    struct dbk_replica_members members;

    assert_true(eventually(tells_that_it_leads, first));
    node_stop(first);
    send_raw(cluster, opening);
    if (dbk_replica_members(&first->options, WAIT_MS, &members, &cluster->err) !=
        DBK_OK)
        fail_msg("%s", cluster->err.text);
    assert_string_equal(members.leader, "ghost");
    assert_int_equal(members.count, 1);
    assert_string_equal(members.list[0].node, first->name);
    assert_string_equal(members.list[0].state, "deposed");
    dbk_replica_members_finish(&members);
}

/* Overtaken, a node lets whoever did that lead for two sessions. */
static void whom_the_group_elects_anew_opens_at_once(void **state)
{
    struct cluster *cluster = *state;
    struct node *node = &cluster->nodes[0];

    all_start_and_lead(cluster);
    send_raw(cluster, ghost_opening(node));
    await_state(node, DBK_REPLICA_FOLLOWS);
    pthread_mutex_lock(&node->replica->mutex);
    node->replica->assigned = true;
    node->replica->barred_until = 0;
    pthread_mutex_unlock(&node->replica->mutex);
    dbk_sleep_ms(500);
    assert_int_equal(look(node).state, DBK_REPLICA_FOLLOWS);
    pthread_mutex_lock(&node->replica->mutex);
    node->replica->elections++;
    pthread_mutex_unlock(&node->replica->mutex);
    await_state(node, DBK_REPLICA_LEADS);
}

static void what_a_node_tells_of_itself_is_read_back(void **state)
{
    const struct dbk_replica_member member = {.node = "db1",
                                              .url = "https://db1.example.org",
                                              .role = "member",
                                              .state = "leads",
                                              .version = "0.1.0",
                                              .head = 18446744073709551615U,
                                              .projected = 7,
                                              .retention_days = 400,
                                              .at = dbk_timestamp_now()};
    struct dbk_replica_member out;
    struct dbk_render json = {0};

    (void)state;
    member_write(&member, &json);
    assert_true(member_read((struct dbk_slice){json.text, json.length}, &out));
    assert_string_equal(out.node, member.node);
    assert_string_equal(out.url, member.url);
    assert_string_equal(out.role, member.role);
    assert_string_equal(out.state, member.state);
    assert_string_equal(out.version, member.version);
    assert_true(out.head == member.head && out.projected == 7 && out.at == member.at);
    assert_int_equal(out.retention_days, 400);
    for (size_t cut = 0; cut < json.length; cut++) {
        char *copy = malloc(cut + 1); /* of its size, for ASan */

        memcpy(copy, json.text, cut);
        member_read((struct dbk_slice){copy, cut}, &out);
        free(copy);
    }
    assert_false(member_read(dbk_slice("{\"node\":\"\"}"), &out));
    assert_int_equal(out.retention_days, -1);
    dbk_render_finish(&json);
}

static void tell(struct node *node, const char *changes)
{
    if (dbk_replica_send_tokens(node->replica, dbk_slice(changes),
                                &node->cluster->err) != DBK_OK)
        fail_msg("%s", node->cluster->err.text);
}

static bool has_tokens(void *context)
{
    struct node *node = context;
    bool has;

    pthread_mutex_lock(&node->mutex);
    has =
        !strcmp(node->tokens, "{\"put\":\"kate read 2\"}\n{\"put\":\"zoe admin 3\"}\n");
    pthread_mutex_unlock(&node->mutex);
    return has;
}

static void tokens_are_the_same_everywhere_and_after_a_start(void **state)
{
    struct cluster *cluster = *state;

    all_start_and_lead(cluster);
    tell(&cluster->nodes[1], "{\"put\":\"kate read 1\"}\n{\"put\":\"eve write 1\"}\n");
    tell(&cluster->nodes[2], "{\"put\":\"kate read 2\"}\n{\"put\":\"zoe admin 3\"}\n");
    cluster_write(cluster, 1);
    tell(&cluster->nodes[0], "{\"revoke\":\"eve\"}\n{\"revoke\":\"nobody\"}\n");
    for (int i = 0; i < NODES; i++)
        if (!eventually(has_tokens, &cluster->nodes[i]))
            fail_msg("%s", cluster->nodes[i].tokens);
    node_stop(&cluster->nodes[2]);
    cluster->nodes[2].tokens[0] = '\0';
    node_start(&cluster->nodes[2]);
    assert_true(eventually(has_tokens, &cluster->nodes[2]));
}

static void a_table_of_tokens_is_bounded(void **state)
{
    struct dbk_render many = {0}, table = {0};
    size_t lines = 0;
    char line[64];

    (void)state;
    for (int i = 0; i < TOKENS_MAX + 10; i++) {
        snprintf(line, sizeof line, "{\"put\":\"t%d read\"}\n", i);
        dbk_render_text(&many, line);
    }
    dbk_render_text(&many, "no such line\n{\"put\":\"\"}\n");
    tokens_change((struct dbk_slice){NULL, 0},
                  (struct dbk_slice){many.text, many.length}, &table);
    for (size_t i = 0; i < table.length; i++)
        lines += table.text[i] == '\n';
    assert_int_equal(lines, TOKENS_MAX);
    dbk_render_finish(&many);
    dbk_render_finish(&table);
}

static void of_a_message_of_tokens_so_many_lines_are_read(void **state)
{
    struct dbk_render many = {0}, table = {0};

    (void)state;
    for (int i = 0; i < 1000000; i++)
        dbk_render_text(&many, "{\"put\":\"a\"}\n");
    tokens_change((struct dbk_slice){NULL, 0},
                  (struct dbk_slice){many.text, many.length}, &table);
    assert_int_equal(table.length, strlen("{\"put\":\"a\"}\n"));
    dbk_render_finish(&many);
    dbk_render_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_node_tells_of_itself_is_read_back),
        cmocka_unit_test(a_table_of_tokens_is_bounded),
        cmocka_unit_test(of_a_message_of_tokens_so_many_lines_are_read),
        CLUSTER_TEST(a_leader_lets_another_lead),
        CLUSTER_TEST(who_is_handed_the_lead_is_in_the_group_before_the_others),
        CLUSTER_TEST(where_another_takes_over_that_is_told_at_once),
        CLUSTER_TEST(where_nobody_takes_over_the_leader_leads_on),
        CLUSTER_TEST(what_a_dead_leader_told_last_is_not_believed),
        CLUSTER_TEST(who_asks_of_others_outlives_late_answers),
        CLUSTER_TEST(whom_the_group_elects_anew_opens_at_once),
        CLUSTER_TEST(tokens_are_the_same_everywhere_and_after_a_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
