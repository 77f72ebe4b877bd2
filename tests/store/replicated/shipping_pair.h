/* shipping_pair.h - a leader and a follower whose commits and disk the test lets fail.
 * Link with --wrap=mdb_txn_commit and --wrap=statvfs. */
#ifndef SHIPPING_PAIR_H
#define SHIPPING_PAIR_H

#include "members.h"
#include "scripted_commits.h"

#include <errno.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <time.h>

enum { NODES = 2 };

struct cluster {
    struct stream stream;
    struct node nodes[NODES];
    struct dbk_uuid kate;
};

/* The disk is as good as full. */
static atomic_bool no_room;

int __real_statvfs(const char *path, struct statvfs *out);
int __wrap_statvfs(const char *path, struct statvfs *out);
int __wrap_statvfs(const char *path, struct statvfs *out)
{
    int rc = __real_statvfs(path, out);

    if (atomic_load(&no_room))
        out->f_bavail = 1000;
    return rc;
}

static inline int setup(void **state)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    struct dbk_uuid id = dbk_uuid_new();

    stream_init(&cluster->stream);
    for (int i = 0; i < NODES; i++)
        node_open(&cluster->nodes[i], &cluster->stream, &id, 60000);
    node_lead(&cluster->nodes[0]);
    cluster->kate = add_person(&cluster->nodes[0].s, "kate@x.mock");
    *state = cluster;
    return 0;
}

static inline int teardown(void **state)
{
    struct cluster *cluster = *state;

    atomic_store(&commits, NULL);
    for (int i = 0; i < NODES; i++)
        node_close(&cluster->nodes[i]);
    stream_finish(&cluster->stream);
    free(cluster);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static inline enum dbk_code try_event(struct node *node, const struct dbk_uuid *person,
                                      uint64_t *sequence, struct dbk_error *err)
{
    struct dbk_record event = draft_event(person);
    struct dbk_command *command = command_of(&event);
    enum dbk_code code = dbk_log_submit(node->s.log, &command, 1, NULL, NULL, err);

    *sequence = dbk_command_verdict(command)->sequence;
    dbk_command_destroy(command);
    return code;
}

/* In a thread of its own, for who may be held. */
struct attempt {
    pthread_t thread;
    struct node *node;
    struct dbk_uuid person;
    uint64_t sequence;
    enum dbk_code code;
    struct dbk_error err;
};

static inline void *attempt_run(void *context)
{
    struct attempt *attempt = context;

    attempt->code =
        try_event(attempt->node, &attempt->person, &attempt->sequence, &attempt->err);
    return NULL;
}

static inline void attempt_start(struct attempt *attempt, struct node *node,
                                 const struct dbk_uuid *person)
{
    *attempt = (struct attempt){.node = node, .person = *person};
    pthread_create(&attempt->thread, NULL, attempt_run, attempt);
}

static inline void wait_until_it_follows(struct node *node)
{
    const struct timespec moment = {.tv_nsec = 5000000};

    for (int i = 0; atomic_load(&node->lost) == 0 && i < 12000; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(dbk_log_role(node->s.log), DBK_LOG_FOLLOWS);
}

static inline void check_equal(struct cluster *cluster)
{
    struct dbk_batch a = {0}, b = {0};
    struct node *nodes = cluster->nodes;

    assert_int_equal(node_head(&nodes[0]), node_head(&nodes[1]));
    dbk_log_read(nodes[0].s.log, 0, 1000, SIZE_MAX, &a, NULL);
    dbk_log_read(nodes[1].s.log, 0, 1000, SIZE_MAX, &b, NULL);
    assert_int_equal(a.bytes_used, b.bytes_used);
    assert_memory_equal(a.bytes, b.bytes, a.bytes_used);
    dbk_batch_finish(&a);
    dbk_batch_finish(&b);
}

#endif
