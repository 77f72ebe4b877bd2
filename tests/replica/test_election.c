#include "nodes.h"

/* These brokers wait three seconds for who joins a group, and let who waits longer than its
 * session go. */
enum { SESSION_MS = 4000 };

static int election_setup(void **state)
{
    struct cluster *cluster;
    int rc = cluster_setup(state);

    cluster = *state;
    cluster->elects = true;
    for (int i = 0; i < NODES; i++)
        cluster->nodes[i].options.session_ms = SESSION_MS;
    return rc;
}

static void one_is_elected_and_another_when_it_leaves(void **state)
{
    struct cluster *cluster = *state;
    struct node *first, *second;

    all_start(cluster);
    first = await_leader(cluster);
    cluster_write(cluster, 10);
    await_equal(cluster);
    node_stop(first);
    second = await_leader(cluster);
    assert_ptr_not_equal(first, second);
    cluster_write(cluster, 10);
    node_start(first);
    await_head(first, 20);
    cluster_write(cluster, 10);
    await_equal(cluster);
    assert_int_equal(node_head(first), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_is_elected_and_another_when_it_leaves,
                                        election_setup, cluster_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
