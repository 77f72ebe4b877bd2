/* Copies of a sealed log, each with a ring of its own: all have the same keys, and each destroys
 * its own. */
#include "members.h"

#include "generate/random.h"
#include "scripted_commits.h"
#include "sealed_log.h"
#include "store/keys_share.h"

#include <sys/stat.h>

enum {
    NODES = 2,
    MANY = 4200, /* more than a ring has beyond those that must be ahead */
    HELD_MS = 50 /* a write that nobody settles */
};
#define THERE (DBK_KEYS_AHEAD + 4096)

struct cluster {
    struct stream stream;
    struct node nodes[NODES];
    struct dbk_uuid id;
    unsigned mails;
};

static void keys_file(const struct node *node, const char *name, char out[160])
{
    char dir[120];

    sealed_keys_dir(&node->s, dir);
    snprintf(out, 160, "%s/%s", dir, name);
}

/* Begun with the other's master key, and a parcel of the keys that it had then. */
static void begin(struct cluster *cluster, int i)
{
    struct node *node = &cluster->nodes[i], *first = &cluster->nodes[0];
    char dir[120], from[160], to[160], command[400], *bytes;
    struct dbk_error err;
    uint64_t shared;
    size_t length;

    strcpy(node->s.dir, "/tmp/daybook-store-XXXXXX");
    assert_non_null(mkdtemp(node->s.dir));
    sealed_keys_dir(&node->s, dir);
    if (node == first) {
        assert_int_equal(dbk_keys_make(dir, NULL, &err), DBK_OK);
    } else {
        keys_file(first, "master", from);
        keys_file(node, "master", to);
        assert_int_equal(mkdir(dir, 0700), 0);
        snprintf(command, sizeof command, "cp -p %s %s", from, to);
        assert_int_equal(system(command), 0);
        assert_int_equal(
            dbk_log_parcel(first->s.log, 1, THERE, &bytes, &length, &shared, &err),
            DBK_OK);
        assert_int_equal(shared, THERE);
        if (dbk_keys_make_of(dir, NULL, (struct dbk_slice){bytes, length}, &err) !=
            DBK_OK)
            fail_msg("%s", err.text);
        free(bytes);
    }
    sealed_open_keys(&node->s);
    node_open(node, &cluster->stream, &cluster->id, HELD_MS);
}

static int setup(void **state)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);

    stream_init(&cluster->stream);
    cluster->id = dbk_uuid_new();
    for (int i = 0; i < NODES; i++)
        begin(cluster, i);
    node_lead(&cluster->nodes[0]);
    *state = cluster;
    return 0;
}

static int teardown(void **state)
{
    struct cluster *cluster = *state;

    atomic_store(&commits, NULL);
    for (int i = 0; i < NODES; i++) {
        char command[200], dir[120];

        node_close(&cluster->nodes[i]);
        dbk_keys_close(cluster->nodes[i].s.keys);
        sealed_keys_dir(&cluster->nodes[i].s, dir);
        snprintf(command, sizeof command, "rm -r %s", dir);
        assert_int_equal(system(command), 0);
    }
    stream_finish(&cluster->stream);
    free(cluster);
    return 0;
}

static void node_reopen(struct node *node)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30, .held_ms = HELD_MS};

    dbk_log_close(node->s.log);
    dbk_keys_close(node->s.keys);
    sealed_open_keys(&node->s);
    options.keys = node->s.keys;
    if (dbk_log_open(node->s.dir, &options, &node->s.log, &node->s.err) != DBK_OK)
        fail_msg("%s", node->s.err.text);
}

/* In one submission. */
static enum dbk_code add_many(struct cluster *cluster, struct node *node, int count,
                              struct dbk_error *err)
{
    struct dbk_command **commands = calloc((size_t)count, sizeof *commands);
    enum dbk_code code;

    for (int i = 0; i < count; i++) {
        char email[32];
        struct dbk_record person;

        snprintf(email, sizeof email, "p%u@x.mock", cluster->mails++);
        person = draft_person(email);
        commands[i] = command_of(&person);
    }
    code = dbk_log_submit(node->s.log, commands, (size_t)count, NULL, NULL, err);
    for (int i = 0; i < count; i++)
        dbk_command_destroy(commands[i]);
    free(commands);
    return code;
}

static void add_all(struct cluster *cluster, struct node *node, int count)
{
    if (add_many(cluster, node, count, &node->s.err) != DBK_OK)
        fail_msg("%s", node->s.err.text);
}

static uint64_t ring_count(const struct node *node)
{
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_state(node->s.keys, &is, NULL), DBK_OK);
    return is.count;
}

static void assert_same_key(struct cluster *cluster, uint64_t number)
{
    uint8_t keys[NODES][DBK_KEY_BYTES];

    for (int i = 0; i < NODES; i++)
        assert_int_equal(dbk_keys_get(cluster->nodes[i].s.keys, number, keys[i], NULL),
                         DBK_OK);
    assert_memory_equal(keys[0], keys[1], DBK_KEY_BYTES);
}

/* Its text can be read. */
static void assert_reads(struct node *node, const struct dbk_uuid *person,
                         const char *email)
{
    struct dbk_person_state is;

    assert_int_equal(dbk_log_person(node->s.log, person, &is, &node->s.err), DBK_OK);
    assert_string_equal(is.email, email);
}

static void all_have_the_keys_of_what_one_seals(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];
    struct dbk_uuid kate = add_person(&a->s, "kate@x.mock"), erik;

    add_all(cluster, a, MANY);
    assert_int_equal(ring_count(a), THERE);
    erik = add_person(&a->s, "erik@x.mock"); /* and what it brings */
    assert_true(ring_count(a) > THERE);
    node_catch_up(b);
    assert_reads(b, &kate, "kate@x.mock");
    assert_reads(b, &erik, "erik@x.mock");
    assert_int_equal(ring_count(a), ring_count(b));
    assert_same_key(cluster, THERE);
    assert_same_key(cluster, THERE + 1);
    assert_same_key(cluster, ring_count(a));
}

static void who_leads_next_goes_on_with_the_same_numbers(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];
    struct dbk_uuid erik;

    add_all(cluster, a, MANY);
    node_lead(b);
    dbk_log_follow(a->s.log);
    erik = add_person(&b->s, "erik@x.mock");
    add_all(cluster, b, MANY);
    node_lead(a);
    dbk_log_follow(b->s.log);
    assert_reads(a, &erik, "erik@x.mock");
    add_person(&a->s, "kate@x.mock");
    node_catch_up(b);
    assert_int_equal(ring_count(a), ring_count(b));
    for (uint64_t at = 1; at <= ring_count(a); at += 997)
        assert_same_key(cluster, at);
}

/* Its keys are nobody's: the next leader's have their numbers. */
static void what_a_deposed_leader_made_is_void(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];

    add_all(cluster, a, MANY);
    node_lead(b);
    assert_int_equal(add_many(cluster, a, 1, &a->s.err), DBK_NOT_LEADER);
    assert_int_equal(ring_count(a), THERE);
    add_person(&b->s, "erik@x.mock");
    node_catch_up(a);
    assert_int_equal(a->voids, 1);
    assert_int_equal(ring_count(a), ring_count(b));
    assert_same_key(cluster, THERE + 1);
}

/* The leader dies between the stream and its own disk, and reads it again. */
static void keys_that_are_not_committed_come_again(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];

    add_all(cluster, a, MANY);
    atomic_store(&commits, "x");
    assert_int_equal(add_many(cluster, a, 1, &a->s.err), DBK_IN_DOUBT);
    atomic_store(&commits, NULL);
    node_reopen(a);
    assert_true(ring_count(a) > THERE); /* ahead of its log */
    node_lead(b);
    add_person(&b->s, "erik@x.mock");
    node_catch_up(a);
    assert_int_equal(ring_count(a), ring_count(b));
    assert_same_key(cluster, THERE + 1);
    assert_same_key(cluster, ring_count(b));
}

static void each_destroys_its_own(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];
    struct dbk_uuid kate = add_person(&a->s, "kate@x.mock");
    struct dbk_record gone = draft_of(DBK_PERSON_ERASED, &kate);
    uint8_t key[DBK_KEY_BYTES];

    node_catch_up(b);
    assert_reads(b, &kate, "kate@x.mock");
    assert_int_equal(submit(&a->s, &gone).code, DBK_OK);
    assert_int_equal(dbk_keys_get(a->s.keys, 1, key, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_keys_get(b->s.keys, 1, key, NULL), DBK_OK);
    node_catch_up(b);
    assert_int_equal(dbk_keys_get(b->s.keys, 1, key, NULL), DBK_NOT_FOUND);
    assert_reads(b, &kate, "");
}

/* A node that begins with a ring of today, and reads what happened before: the keys that are
 * gone are those of persons who are. */
static void a_ring_that_is_newer_than_the_log_serves(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];
    struct dbk_uuid kate = add_person(&a->s, "kate@x.mock"), erik;
    struct dbk_record gone = draft_of(DBK_PERSON_ERASED, &kate);
    char from[160], to[160], command[400];

    add_all(cluster, a, MANY);
    assert_int_equal(submit(&a->s, &gone).code, DBK_OK);
    erik = add_person(&a->s, "erik@x.mock");
    keys_file(a, "ring", from);
    keys_file(b, "ring", to);
    snprintf(command, sizeof command, "cp -p %s %s", from, to);
    assert_int_equal(system(command), 0);
    node_reopen(b);
    node_catch_up(b);
    assert_reads(b, &kate, "");
    assert_reads(b, &erik, "erik@x.mock");
    assert_int_equal(ring_count(a), ring_count(b));
}

/* The same behind a rotation: what the stream has of keys opens by no master key any more. */
static void a_ring_from_behind_a_rotation_has_what_cannot_be_read(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];
    struct dbk_keys_rotation done;
    struct dbk_uuid erik;
    char command[400], from[160], to[160];

    add_all(cluster, a, MANY);
    erik = add_person(&a->s, "erik@x.mock");
    assert_true(ring_count(a) > THERE);
    assert_int_equal(dbk_keys_rotate(a->s.keys, &done, &a->s.err), DBK_OK);
    assert_int_equal(dbk_keys_rotate(b->s.keys, &done, &b->s.err), DBK_OK);
    assert_int_equal(node_follow(b, stream_end(b->stream), 3, &b->s.err),
                     DBK_UNAVAILABLE);
    for (int i = 0; i < 2; i++) {
        keys_file(a, i ? "master" : "ring", from);
        keys_file(b, i ? "master" : "ring", to);
        snprintf(command, sizeof command, "cp -p %s %s", from, to);
        assert_int_equal(system(command), 0);
    }
    node_reopen(b);
    node_catch_up(b);
    assert_reads(b, &erik, "erik@x.mock");
    assert_int_equal(ring_count(a), ring_count(b));
}

static void a_ring_that_is_older_is_refused(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0];
    struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    char ring[160];

    add_all(cluster, a, MANY);
    add_person(&a->s, "kate@x.mock");
    dbk_log_close(a->s.log);
    dbk_keys_close(a->s.keys);
    keys_file(a, "ring", ring);
    assert_int_equal(truncate(ring, 4096 + 64 * THERE), 0); /* as a copy of before */
    sealed_open_keys(&a->s);
    options.keys = a->s.keys;
    assert_int_equal(dbk_log_open(a->s.dir, &options, &a->s.log, &a->s.err),
                     DBK_CONFLICT);
    assert_non_null(strstr(a->s.err.text, "daybook keys backup"));
    a->s.log = NULL;
}

/* Whoever leads, whatever fails meanwhile. */
static void step(struct cluster *cluster, struct random *random)
{
    static const char *const scripts[] = {"", "", "", "L", "l", "U", "N"};
    struct node *leader = &cluster->nodes[random_below(random, NODES)];
    int count = random_below(random, 3) == 0 ? 2500 : 1 + (int)random_below(random, 9);
    enum dbk_code code;

    for (int i = 0; i < NODES; i++)
        dbk_log_follow(cluster->nodes[i].s.log);
    node_lead(leader);
    leader->script = scripts[random_below(random, sizeof scripts / sizeof *scripts)];
    if (random_below(random, 6) == 0)
        atomic_store(&commits, "x");
    code = add_many(cluster, leader, count, &leader->s.err);
    atomic_store(&commits, NULL);
    leader->script = NULL;
    if (code != DBK_OK && code != DBK_IN_DOUBT && code != DBK_UNAVAILABLE &&
        code != DBK_NOT_LEADER)
        fail_msg("%d: %s", code, leader->s.err.text);
    if (random_below(random, 4) == 0)
        node_reopen(&cluster->nodes[random_below(random, NODES)]);
}

static void whatever_fails_all_have_the_same_keys(void **state)
{
    struct cluster *cluster = *state;
    struct node *a = &cluster->nodes[0], *b = &cluster->nodes[1];
    struct random random = {16};
    struct dbk_uuid erik;

    for (int i = 0; i < 30; i++)
        step(cluster, &random);
    dbk_log_follow(b->s.log);
    node_lead(a);
    erik = add_person(&a->s, "erik@x.mock");
    node_catch_up(b);
    assert_reads(b, &erik, "erik@x.mock");
    assert_true(ring_count(a) > THERE);
    assert_int_equal(ring_count(a), ring_count(b));
    for (uint64_t at = 1; at <= ring_count(a); at += 61)
        assert_same_key(cluster, at);
    assert_same_key(cluster, ring_count(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(all_have_the_keys_of_what_one_seals),
        TEST(who_leads_next_goes_on_with_the_same_numbers),
        TEST(what_a_deposed_leader_made_is_void),
        TEST(keys_that_are_not_committed_come_again),
        TEST(each_destroys_its_own),
        TEST(a_ring_that_is_newer_than_the_log_serves),
        TEST(a_ring_from_behind_a_rotation_has_what_cannot_be_read),
        TEST(a_ring_that_is_older_is_refused),
        TEST(whatever_fails_all_have_the_same_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
