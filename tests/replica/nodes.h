/* nodes.h - some nodes in one process, over librdkafka's own brokers. */
#ifndef NODES_H
#define NODES_H

#include "conf.h"
#include "message.h"
#include "producer.h"
#include "store/clock.h"

#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NODES 3
#define WAIT_MS 30000 /* for what must come */

struct node {
    struct cluster *cluster;
    char dir[64], name[8], url[32];
    struct dbk_log *log;
    struct dbk_keys *keys;       /* of a sealed cluster */
    char master[80];             /* its file, in such a one */
    bool by_month;               /* events it writes get a month's key, too */
    struct dbk_replica *replica; /* NULL: it is down */
    struct dbk_replica_options options;
    pthread_mutex_t mutex;
    char lines[4096];  /* what it reported */
    char tokens[4096]; /* as it was told last */
    struct dbk_uuid store_id;
};

struct cluster {
    rd_kafka_t *handle;
    rd_kafka_mock_cluster_t *mock;
    struct node nodes[NODES];
    struct dbk_error err;
    unsigned mails;
    bool sealed;
    bool
        elects; /* by the group of who may lead; else who leads is the test's choice alone */
};

/* Brokers, and the stream begun with node 0's log. */
int cluster_setup(void **state);
int cluster_setup_sealed(void **state);
int cluster_teardown(void **state);

/* Of a sealed one: where a node's ring lies; its master key's file, with this behind its name, is
 * of this digit alone ('a' at first). */
void ring_dir(const struct node *node, char out[80]);
void node_master(const struct node *node, const char *behind, char digit);

/* A node comes, with the log that it has, or the stream's; and goes. */
void node_start(struct node *node);
/* The same where no broker answers at the start. */
void node_start_unchecked(struct node *node);
void node_stop(struct node *node);
/* It gives the stream what that lacks, as dbk_replica_reseed says, and comes again. */
enum dbk_code node_reseed(struct node *node, uint64_t *sent);
void all_start(struct cluster *cluster);

/* Have a node lead, as a leader that hands over does. The group of these brokers elects nobody:
 * they wait longer for who joins it than the nodes' session is. */
void elect(struct node *node);
/* All come, and node 0 leads. */
struct node *all_start_and_lead(struct cluster *cluster);

/* Wait until it is so. */
void await_state(struct node *node, enum dbk_replica_state state);
struct node *await_leader(struct cluster *cluster);
void await_line(struct node *node, const char *part);
void await_known_leader(struct node *node, const char *name);
void await_head(struct node *node, uint64_t head);
void await_equal(struct cluster *cluster); /* of those that are up */
bool eventually(bool (*is)(void *context), void *context);

/* Write a person: the log's code; or until one takes it. */
enum dbk_code node_write(struct node *node, struct dbk_error *err);
void cluster_write(struct cluster *cluster, unsigned count);
uint64_t node_head(struct node *node);
struct dbk_replica_status look(struct node *node);

/* Send a message as somebody else; returns its offset. Or what may be none. An opening of one
 * whose log is this node's. */
int64_t send_raw(struct cluster *cluster, struct message message);
void send_bytes(struct cluster *cluster, const char *bytes, size_t length);
struct message ghost_opening(struct node *of);

#define CLUSTER_TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)

#endif
