/* Nodes of one sealed log, each with a ring of its own. */
#include "member.h"
#include "nodes.h"
#include "shortened.h"
#include "store/keys_share.h"
#include "store/scratch_log.h"

enum { MANY = 4200 }; /* persons: then the next who writes ships keys */
#define THERE (DBK_KEYS_AHEAD + 4096)

static uint64_t ring_count(const struct node *node)
{
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_state(node->keys, &is, NULL), DBK_OK);
    return is.count;
}

/* In one submission. */
static enum dbk_code submit_many(struct node *node)
{
    struct cluster *cluster = node->cluster;
    struct dbk_command *commands[MANY];
    enum dbk_code code;

    for (unsigned i = 0; i < MANY; i++) {
        char email[32];
        struct dbk_record person;

        snprintf(email, sizeof email, "p%u@x.mock", cluster->mails + i);
        person = draft_person(email);
        commands[i] = command_of(&person);
    }
    code = dbk_log_submit(node->log, commands, MANY, NULL, NULL, &cluster->err);
    for (int i = 0; i < MANY; i++)
        dbk_command_destroy(commands[i]);
    if (code == DBK_OK)
        cluster->mails += MANY;
    return code;
}

/* By this one: where it has lost its turn meanwhile, as on a busy machine, it gets it again. */
static void write_many(struct node *node)
{
    for (int tries = 0; tries < 10; tries++) {
        enum dbk_code code = submit_many(node);

        if (code == DBK_OK)
            return;
        if (code != DBK_NOT_LEADER)
            break;
        elect(node);
    }
    fail_msg("%s", node->cluster->err.text);
}

/* Whoever has the email can be found, and its text be read. */
static struct dbk_uuid assert_reads(struct node *node, const char *email)
{
    struct dbk_person_state person;
    struct dbk_uuid id;

    if (dbk_log_whose(node->log, DBK_IDENTITY_EMAIL, dbk_slice(email), &id,
                      &node->cluster->err) != DBK_OK ||
        dbk_log_person(node->log, &id, &person, &node->cluster->err) != DBK_OK)
        fail_msg("%s: %s", node->name, node->cluster->err.text);
    assert_string_equal(person.email, email);
    return id;
}

static void assert_same_keys(struct cluster *cluster)
{
    uint64_t count = ring_count(&cluster->nodes[0]);

    for (uint64_t at = 1; at <= count;
         at += at < count && at + 499 > count ? count - at : 499) {
        uint8_t keys[NODES][DBK_KEY_BYTES];

        for (int i = 0; i < NODES; i++) {
            assert_int_equal(ring_count(&cluster->nodes[i]), count);
            assert_int_equal(
                dbk_keys_get(cluster->nodes[i].keys, at, keys[i], &cluster->err),
                DBK_OK);
            assert_memory_equal(keys[0], keys[i], DBK_KEY_BYTES);
        }
    }
}

static void nodes_begin_with_the_master_key_alone(void **state)
{
    struct cluster *cluster = *state;

    all_start_and_lead(cluster);
    cluster_write(cluster, 5);
    await_equal(cluster);
    for (int i = 0; i < NODES; i++) {
        assert_true(dbk_log_is_sealed(cluster->nodes[i].log));
        assert_reads(&cluster->nodes[i], "p4@x.mock");
    }
    assert_same_keys(cluster);
}

static void another_master_key_is_refused(void **state)
{
    struct cluster *cluster = *state;
    struct node *node = &cluster->nodes[1];
    const struct dbk_keys_options options = {.master = node->master};
    char dir[80];

    ring_dir(node, dir);
    node_master(node, "", 'f');
    assert_int_equal(
        dbk_replica_ring(&node->options, 10000, dir, &options, &cluster->err),
        DBK_CONFLICT);
    assert_non_null(strstr(cluster->err.text, "another master key"));
    node_master(node, "", 'a');
    node_start(node);
}

/* As `daybook keys init` makes one there, by a master key of its own. */
static void a_ring_of_no_log_by_another_master_key_is_refused(void **state)
{
    struct cluster *cluster = *state;
    struct node *node = &cluster->nodes[1];
    const struct dbk_keys_options options = {.master = node->master};
    char command[160], dir[80];

    ring_dir(node, dir);
    node_master(node, "", 'f');
    assert_int_equal(dbk_keys_make(dir, &options, &cluster->err), DBK_OK);
    assert_int_equal(
        dbk_replica_ring(&node->options, 10000, dir, &options, &cluster->err),
        DBK_UNAVAILABLE);
    assert_non_null(strstr(cluster->err.text, "of no log yet"));
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    node_master(node, "", 'a');
    node_start(node);
}

static void a_log_that_is_not_sealed_does_not_join_one_that_is(void **state)
{
    struct cluster *cluster = *state;
    struct node *node = &cluster->nodes[1];
    struct dbk_replica_found found;
    struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                      .store_id = &found.store_id};

    assert_int_equal(dbk_replica_check(&node->options, 10000, &found, &cluster->err),
                     DBK_OK);
    assert_true(found.sealed);
    assert_int_equal(dbk_log_open(node->dir, &options, &node->log, &cluster->err),
                     DBK_OK);
    assert_int_equal(
        dbk_replica_start(node->log, &node->options, &node->replica, &cluster->err),
        DBK_CONFLICT);
    assert_non_null(strstr(cluster->err.text, "log is sealed, and this one is not"));
    node->replica = NULL;
}

static bool has_no_key(void *context)
{
    uint8_t key[DBK_KEY_BYTES];

    return dbk_keys_get(((struct node *)context)->keys, 1, key, NULL) == DBK_NOT_FOUND;
}

static void each_destroys_its_own_key_when_it_comes_to_it(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *down = &cluster->nodes[2];
    struct dbk_record gone;
    struct dbk_command *command;
    struct dbk_uuid id;

    cluster_write(cluster, 2);
    await_equal(cluster);
    id = assert_reads(down, "p0@x.mock");
    node_stop(down);
    gone = draft_of(DBK_PERSON_ERASED, &id);
    command = command_of(&gone);
    assert_int_equal(
        dbk_log_submit(leader->log, &command, 1, NULL, NULL, &cluster->err), DBK_OK);
    dbk_command_destroy(command);
    assert_true(has_no_key(leader));
    assert_true(eventually(has_no_key, &cluster->nodes[1]));
    node_start(down);
    assert_true(eventually(has_no_key, down));
    await_equal(cluster);
    assert_reads(down, "p1@x.mock");
}

static void who_leads_next_goes_on_with_the_same_keys(void **state)
{
    struct cluster *cluster = *state;
    struct node *first = all_start_and_lead(cluster), *second = &cluster->nodes[1];

    write_many(first);
    await_equal(cluster);
    elect(second);
    cluster_write(cluster, 1); /* with keys */
    node_stop(first);
    write_many(second);
    node_start(first);
    cluster_write(cluster, 1); /* with keys */
    await_equal(cluster);
    assert_true(ring_count(first) > THERE + MANY);
    assert_reads(first, "p8000@x.mock");
    assert_same_keys(cluster);
}

/* Of a node, as it tells of itself. */
static const char *told_master(struct cluster *cluster, int i)
{
    static struct dbk_replica_member told[NODES];

    if (member_find(&cluster->nodes[i].options, cluster->nodes[i].name, WAIT_MS,
                    &told[i], &cluster->err) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    assert_int_equal(strlen(told[i].master_key), DBK_KEYS_MASTER_TEXT);
    return told[i].master_key;
}

struct rotated {
    struct cluster *cluster;
    char before[DBK_KEYS_MASTER_TEXT + 1];
};

static bool all_tell_of_another(void *context)
{
    struct rotated *rotated = context;

    for (int i = 0; i < NODES; i++)
        if (!strcmp(told_master(rotated->cluster, i), rotated->before))
            return false;
    return true;
}

/* One after the other rotates, while there are writes: the next master key is at all first, and
 * where it is not yet, its node waits for it. */
static void nodes_rotate_one_after_the_other(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = all_start_and_lead(cluster), *late = &cluster->nodes[2];
    struct rotated rotated = {.cluster = cluster};

    for (int i = 0; i < 2; i++)
        node_master(&cluster->nodes[i], ".new", 'b');
    write_many(leader);
    cluster_write(cluster, 1); /* with keys */
    await_head(&cluster->nodes[1], MANY + 1);
    await_line(late, ".master.new");
    assert_int_equal(node_head(late), MANY);
    node_master(late, ".new", 'b');
    await_head(late, MANY + 1);
    strcpy(rotated.before, told_master(cluster, 0));
    assert_string_equal(rotated.before, told_master(cluster, 2));
    for (int i = 0; i < NODES; i++) {
        struct dbk_keys_rotation done;

        if (dbk_keys_rotate(cluster->nodes[i].keys, &done, &cluster->err) != DBK_OK)
            fail_msg("%s", cluster->err.text);
        assert_true(done.done);
        if (i == 0) /* between: by the one that has rotated, to those that have not */
            write_many(leader);
        cluster_write(cluster, 1);
    }
    await_equal(cluster);
    assert_true(eventually(all_tell_of_another, &rotated));
    assert_same_keys(cluster);
}

/* The messages that brokers lost had keys, and a copy that lacks them needs them for the records
 * that come again. */
static void a_reseed_brings_the_keys_too(void **state)
{
    struct cluster *cluster = *state;
    struct node *most = all_start_and_lead(cluster), *least = &cluster->nodes[2];
    uint64_t sent = 0;

    write_many(most);
    await_equal(cluster);
    node_stop(least);
    cluster_write(cluster, 2); /* with keys */
    await_equal(cluster);
    lose(cluster, 2);
    node_start(least);
    if (node_reseed(most, &sent) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    assert_int_equal(sent, 2);
    node_start(&cluster->nodes[1]);
    await_head(least, MANY + 2);
    elect(least);
    cluster_write(cluster, 2);
    await_equal(cluster);
    assert_same_keys(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, cluster_setup_sealed, cluster_teardown)
        TEST(nodes_begin_with_the_master_key_alone),
        TEST(another_master_key_is_refused),
        TEST(a_ring_of_no_log_by_another_master_key_is_refused),
        TEST(a_log_that_is_not_sealed_does_not_join_one_that_is),
        TEST(each_destroys_its_own_key_when_it_comes_to_it),
        TEST(who_leads_next_goes_on_with_the_same_keys),
        TEST(nodes_rotate_one_after_the_other),
        TEST(a_reseed_brings_the_keys_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
