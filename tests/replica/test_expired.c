/* Events that are forgotten by age, where each node has a ring of its own: who leads says so, and
 * each destroys the month's key, whenever it comes to that. */
#include "forgotten.h"
#include "shortened.h"

#include <errno.h>
#include <lmdb.h>

dbk_timestamp __wrap_dbk_timestamp_now(void);
dbk_timestamp __wrap_dbk_timestamp_now(void)
{
    return atomic_load(&now);
}

/* The next commit is refused, of whoever is about to write. */
static atomic_bool commit_fails;
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (!atomic_exchange(&commit_fails, false))
        return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOSPC;
}

/* The ring whose disk refuses that a key is destroyed. */
static struct dbk_keys *_Atomic refusing;
enum dbk_code __real_dbk_keys_erase(struct dbk_keys *keys, const uint64_t *numbers,
                                    size_t count, uint64_t through,
                                    struct dbk_error *err);
enum dbk_code __wrap_dbk_keys_erase(struct dbk_keys *keys, const uint64_t *numbers,
                                    size_t count, uint64_t through,
                                    struct dbk_error *err);
enum dbk_code __wrap_dbk_keys_erase(struct dbk_keys *keys, const uint64_t *numbers,
                                    size_t count, uint64_t through,
                                    struct dbk_error *err)
{
    if (keys == atomic_load(&refusing))
        return dbk_fail(err, DBK_IO, "the disk of the ring does not answer");
    return __real_dbk_keys_erase(keys, numbers, count, through, err);
}

static int setup(void **state)
{
    struct cluster *cluster;

    atomic_store(&now, at("2026-01-10T12:00:00"));
    atomic_store(&commit_fails, false);
    atomic_store(&refusing, NULL);
    if (cluster_setup_sealed(state) != 0)
        return -1;
    cluster = *state;
    for (int i = 0; i < NODES; i++)
        cluster->nodes[i].by_month = true;
    return 0;
}

static void assert_all_forgot(struct cluster *cluster, struct told told,
                              uint64_t record)
{
    for (int i = 0; i < NODES; i++)
        await_forgotten(&cluster->nodes[i], record, told.old);
    await_equal(cluster);
    for (int i = 0; i < NODES; i++)
        assert_readable(&cluster->nodes[i], told.young);
    write_event(cluster, &told.kate); /* and it goes on */
    await_equal(cluster);
}

static void each_destroys_the_months_key_when_it_comes_to_it(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *away = &cluster->nodes[2];
    struct told told = tell(cluster);
    uint64_t record;

    await_equal(cluster);
    node_stop(away);
    assert_readable(&cluster->nodes[1], told.old);
    record = expire_january(leader);
    assert_forgotten(leader, told.old); /* before it was answered */
    await_forgotten(&cluster->nodes[1], record, told.old);
    node_start(away);
    assert_all_forgot(cluster, told, record);
}

/* It is given the keys as they were at the beginning, and all the messages since. */
static void a_new_node_forgets_as_it_reads_the_stream(void **state)
{
    struct cluster *cluster = *state;
    struct told told;
    uint64_t record;

    node_start(&cluster->nodes[0]);
    node_start(&cluster->nodes[1]);
    elect(&cluster->nodes[0]);
    told = tell(cluster);
    record = expire_january(&cluster->nodes[0]);
    node_start(&cluster->nodes[2]);
    assert_all_forgot(cluster, told, record);
}

/* A file, or a folder with all that is in it. */
static void copy(const char *from, const char *to)
{
    char command[300];

    snprintf(command, sizeof command, "cp -aT %s %s", from, to);
    assert_int_equal(system(command), 0);
}

/* A node's log and ring, as they are, beside them; and back again. */
static void keep(struct node *node)
{
    char keys[80], kept[100];

    node_stop(node);
    ring_dir(node, keys);
    snprintf(kept, sizeof kept, "%s.before", keys);
    copy(keys, kept);
    snprintf(kept, sizeof kept, "%s.before", node->dir);
    copy(node->dir, kept);
    node_start(node);
}

static void put_back(struct node *node, bool ring, bool log)
{
    char keys[80], kept[100];

    node_stop(node);
    ring_dir(node, keys);
    snprintf(kept, sizeof kept, "%s.before", keys);
    if (ring)
        copy(kept, keys);
    snprintf(kept, sizeof kept, "%s.before", node->dir);
    if (log)
        copy(kept, node->dir);
    node_start(node);
}

static void forget_kept(struct node *node)
{
    char keys[80], command[300];

    ring_dir(node, keys);
    snprintf(command, sizeof command, "rm -r %s.before %s.before", keys, node->dir);
    assert_int_equal(system(command), 0);
}

static void what_is_put_back_brings_no_month_back(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *node = &cluster->nodes[2];
    struct told told = tell(cluster);
    uint64_t record;

    await_equal(cluster);
    keep(node);
    await_equal(cluster);
    assert_readable(node, told.old);
    record = expire_january(leader);
    await_forgotten(node, record, told.old);
    put_back(node, true, false); /* an older ring */
    assert_forgotten(node, told.old);
    put_back(node, false, true); /* an older log, and the ring of now */
    await_forgotten(node, record, told.old);
    put_back(node, true, true); /* both */
    assert_all_forgot(cluster, told, record);
    forget_kept(node);
}

/* The record is with all, and the leader is gone before its own key is. */
static void a_leader_that_ends_before_the_key_goes_does_it_later(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    struct told told = tell(cluster);
    struct dbk_log_expiry done;
    uint64_t record;

    await_equal(cluster);
    atomic_store(&refusing, leader->keys);
    assert_int_equal(expire(leader, "2026-02-01T00:00:00", &done), DBK_IO);
    record = node_head(leader);
    for (int i = 1; i < NODES; i++)
        await_forgotten(&cluster->nodes[i], record, told.old);
    node_stop(leader);
    atomic_store(&refusing, NULL);
    elect(&cluster->nodes[1]);
    assert_int_equal(expire(&cluster->nodes[1], "2026-02-01T00:00:00", &done), DBK_OK);
    assert_int_equal(done.sequence, 0); /* it is done once */
    node_start(leader);
    assert_forgotten(leader, told.old); /* before anything else */
    assert_all_forgot(cluster, told, record);
}

/* A disk that does not answer for a while, of one that goes on. */
static void a_follower_whose_ring_fails_does_it_with_the_next_record(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *node = &cluster->nodes[1];
    struct told told = tell(cluster);
    uint64_t record;

    await_equal(cluster);
    atomic_store(&refusing, node->keys);
    record = expire_january(leader);
    await_line(node, "the disk of the ring does not answer");
    assert_false(has_no_key(node, told.old));
    atomic_store(&refusing, NULL);
    write_event(cluster, &told.kate);
    assert_all_forgot(cluster, told, record);
}

static enum dbk_code expire_without_commit(struct node *node,
                                           struct dbk_log_expiry *done)
{
    enum dbk_code code = DBK_NOT_LEADER;

    for (int tries = 0; code == DBK_NOT_LEADER && tries < 10; tries++) {
        elect(node);
        atomic_store(&commit_fails, true);
        code = dbk_log_expire(node->log, at("2026-02-01T00:00:00"), "retention", done,
                              &node->cluster->err);
    }
    return code;
}

/* It has led no more since, and reads from the stream what it said. */
static void a_leader_whose_commit_fails_forgets_as_the_others_do(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster);
    struct told told = tell(cluster);
    struct dbk_log_expiry done;

    await_equal(cluster);
    for (int i = 1; i < NODES; i++) /* so that no other's commit is the next */
        node_stop(&cluster->nodes[i]);
    assert_int_equal(expire_without_commit(leader, &done), DBK_OK);
    assert_int_equal(done.through, told.old);
    assert_forgotten(leader, told.old);
    for (int i = 1; i < NODES; i++)
        node_start(&cluster->nodes[i]);
    elect(&cluster->nodes[2]);
    assert_all_forgot(cluster, told, done.sequence);
}

static uint64_t write_bare(struct node *node, const struct dbk_uuid *person)
{
    uint64_t sequence;

    for (int tries = 0; tries < 10; tries++) {
        elect(node);
        if (write_event_at(node, person, &sequence) == DBK_OK) {
            assert_int_equal(shown(node, sequence).month, 0);
            return sequence;
        }
    }
    fail_msg("%s: %s", node->name, node->cluster->err.text);
    return 0;
}

/* Whoever leads writes as its own RETENTION says, and all do as the records say. */
static void a_node_without_retention_destroys_the_key_too(void **state)
{
    struct cluster *cluster = *state;
    struct node *other = &cluster->nodes[1], *third = &cluster->nodes[2];
    struct dbk_log_expiry done;
    struct told told;
    uint64_t bare, record;

    all_start_and_lead(cluster);
    told = tell(cluster);
    await_equal(cluster);
    node_stop(other);
    other->by_month = false;
    node_start(other);
    bare = write_bare(other, &told.kate);
    record = expire_january(other);
    node_stop(other); /* none leads by itself that would write what follows bare, too */
    await_forgotten(third, record, told.old);
    elect(third);
    atomic_store(&now, at("2026-04-01T00:00:00"));
    write_event(cluster, &told.kate);
    assert_int_equal(expire(third, "2026-03-01T00:00:00", &done), DBK_OK);
    node_start(other);
    for (int i = 0; i < NODES; i++) {
        struct dbk_record shut;

        await_forgotten(&cluster->nodes[i], done.sequence, told.young);
        shut = shown(&cluster->nodes[i], bare);
        assert_true(shut.expired && shut.erased && !shut.opened && shut.month == 0);
    }
    await_equal(cluster);
}

/* Brokers lost the record: it comes again, with the keys that are left. */
static void a_reseed_brings_it_again(void **state)
{
    struct cluster *cluster = *state;
    struct node *most = all_start_and_lead(cluster), *least = &cluster->nodes[2];
    struct told told = tell(cluster);
    uint64_t sent = 0, record;

    await_equal(cluster);
    node_stop(least);
    record = expire_january(most);
    await_equal(cluster);
    lose(cluster, 1);
    node_start(least);
    assert_readable(least, told.old);
    if (node_reseed(most, &sent) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    assert_int_equal(sent, 1);
    node_start(&cluster->nodes[1]);
    await_forgotten(least, record, told.old);
    elect(least);
    assert_all_forgot(cluster, told, record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, cluster_teardown)
        TEST(each_destroys_the_months_key_when_it_comes_to_it),
        TEST(a_new_node_forgets_as_it_reads_the_stream),
        TEST(what_is_put_back_brings_no_month_back),
        TEST(a_leader_that_ends_before_the_key_goes_does_it_later),
        TEST(a_follower_whose_ring_fails_does_it_with_the_next_record),
        TEST(a_leader_whose_commit_fails_forgets_as_the_others_do),
        TEST(a_node_without_retention_destroys_the_key_too),
        TEST(a_reseed_brings_it_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
