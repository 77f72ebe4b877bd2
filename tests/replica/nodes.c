#include "nodes.h"

#include "replica_private.h"
#include "store/scratch_log.h"

#include <sys/stat.h>
#include <unistd.h>

rd_kafka_resp_err_t
__real_rd_kafka_subscribe(rd_kafka_t *handle,
                          const rd_kafka_topic_partition_list_t *topics);
rd_kafka_resp_err_t
__wrap_rd_kafka_subscribe(rd_kafka_t *handle,
                          const rd_kafka_topic_partition_list_t *topics);

/* Who stands for election. The group's verdict comes when these brokers' timers say so: where
 * the machine is busy, amid what a test does with a leader of its own choice. */
rd_kafka_resp_err_t
__wrap_rd_kafka_subscribe(rd_kafka_t *handle,
                          const rd_kafka_topic_partition_list_t *topics)
{
    struct dbk_replica *replica = rd_kafka_opaque(handle);
    const struct node *node = replica->options.report_context;

    if (node->cluster->elects)
        return __real_rd_kafka_subscribe(handle, topics);
    replica->answered = true; /* no answer is due: the handle may be destroyed */
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void ring_dir(const struct node *node, char out[80])
{
    snprintf(out, 80, "%s.keys", node->dir);
}

void node_master(const struct node *node, const char *behind, char digit)
{
    char path[100], text[66];
    FILE *file;

    snprintf(path, sizeof path, "%s%s", node->master, behind);
    memset(text, digit, 64);
    strcpy(text + 64, "\n");
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void on_report(void *context, const char *line)
{
    struct node *node = context;
    size_t used;

    if (getenv("NODES_TELL"))
        fprintf(stderr, "%lld %s %s\n", (long long)dbk_clock_ms(), node->name, line);
    pthread_mutex_lock(&node->mutex);
    used = strlen(node->lines);
    if (used + strlen(line) + 2 < sizeof node->lines)
        snprintf(node->lines + used, sizeof node->lines - used, "%s\n", line);
    pthread_mutex_unlock(&node->mutex);
}

static void on_tokens(void *context, struct dbk_slice table)
{
    struct node *node = context;

    pthread_mutex_lock(&node->mutex);
    snprintf(node->tokens, sizeof node->tokens, "%.*s", (int)table.length, table.data);
    pthread_mutex_unlock(&node->mutex);
}

/* NULL: the cluster is not sealed. */
static struct dbk_keys *open_ring(struct node *node)
{
    const struct dbk_keys_options options = {.master = node->master};
    char dir[80];

    if (!node->cluster->sealed)
        return NULL;
    ring_dir(node, dir);
    if (dbk_keys_open(dir, &options, &node->keys, &node->cluster->err) != DBK_OK)
        fail_msg("%s", node->cluster->err.text);
    return node->keys;
}

static void node_open(struct node *node, const struct dbk_uuid *store_id)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                      .store_id = store_id,
                                      .by_month = node->by_month,
                                      .report = on_report,
                                      .report_context = node,
                                      .held_ms = 10000};

    options.keys = open_ring(node);
    if (dbk_log_open(node->dir, &options, &node->log, &node->cluster->err) != DBK_OK)
        fail_msg("%s", node->cluster->err.text);
}

static void make_ring(struct node *node)
{
    const struct dbk_keys_options options = {.master = node->master};
    char dir[80];

    ring_dir(node, dir);
    if (dbk_keys_make(dir, &options, &node->cluster->err) != DBK_OK)
        fail_msg("%s", node->cluster->err.text);
}

static void take_ring(struct node *node)
{
    const struct dbk_keys_options options = {.master = node->master};
    char dir[80];

    ring_dir(node, dir);
    if (dbk_replica_ring(&node->options, 10000, dir, &options, &node->cluster->err) !=
        DBK_OK)
        fail_msg("%s", node->cluster->err.text);
}

static void remove_ring(const struct node *node)
{
    char command[400], dir[80];

    if (!node->cluster->sealed)
        return;
    ring_dir(node, dir);
    snprintf(command, sizeof command, "rm -rf %s %s %s.new", dir, node->master,
             node->master);
    assert_int_equal(system(command), 0);
}

static void node_init(struct cluster *cluster, int i)
{
    struct node *node = &cluster->nodes[i];

    node->cluster = cluster;
    snprintf(node->dir, sizeof node->dir, "/tmp/daybook-replica-XXXXXX");
    assert_non_null(mkdtemp(node->dir));
    snprintf(node->name, sizeof node->name, "db%c", '1' + i);
    snprintf(node->url, sizeof node->url, "http://db%c.test", '1' + i);
    stpcpy(stpcpy(node->master, node->dir), ".master");
    if (cluster->sealed)
        node_master(node, "", 'a');
    pthread_mutex_init(&node->mutex, NULL);
    node->options = (struct dbk_replica_options){
        .brokers = rd_kafka_mock_cluster_bootstraps(cluster->mock),
        .topic = "daybook",
        .node = node->name,
        .url = node->url,
        .unsafe = true,
        .session_ms = 2 * WAIT_MS, /* so long is believed what it told last */
        .tokens = on_tokens,
        .tokens_context = node,
        .report = on_report,
        .report_context = node};
}

static int begin(void **state, bool sealed)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why);
    cluster->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    cluster->mock = rd_kafka_mock_cluster_new(cluster->handle, 3);
    rd_kafka_mock_topic_create(cluster->mock, "daybook", 1, 3);
    rd_kafka_mock_topic_create(cluster->mock, "daybook.leader", 1, 3);
    cluster->sealed = sealed;
    for (int i = 0; i < NODES; i++)
        node_init(cluster, i);
    if (sealed)
        make_ring(&cluster->nodes[0]);
    node_open(&cluster->nodes[0], NULL);
    if (dbk_replica_init(cluster->nodes[0].log, &cluster->nodes[0].options, 3,
                         &cluster->err) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    node_stop(&cluster->nodes[0]);
    *state = cluster;
    return 0;
}

int cluster_setup(void **state)
{
    return begin(state, false);
}

int cluster_setup_sealed(void **state)
{
    return begin(state, true);
}

int cluster_teardown(void **state)
{
    struct cluster *cluster = *state;

    for (int i = 0; i < NODES; i++) {
        node_stop(&cluster->nodes[i]);
        scratch_remove(cluster->nodes[i].dir);
        remove_ring(&cluster->nodes[i]);
        pthread_mutex_destroy(&cluster->nodes[i].mutex);
    }
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->handle);
    free(cluster);
    return 0;
}

void node_start(struct node *node)
{
    struct dbk_error *err = &node->cluster->err;
    struct dbk_replica_found found;

    if (dbk_replica_check(&node->options, 10000, &found, err) != DBK_OK)
        fail_msg("%s", err->text);
    if (!found.gone)
        node->store_id = found.store_id;
    if (found.sealed)
        take_ring(node);
    node_open(node, &node->store_id);
    if (dbk_replica_start(node->log, &node->options, &node->replica, err) != DBK_OK)
        fail_msg("%s", err->text);
}

void node_start_unchecked(struct node *node)
{
    struct dbk_error *err = &node->cluster->err;

    node_open(node, NULL);
    if (dbk_replica_start(node->log, &node->options, &node->replica, err) != DBK_OK)
        fail_msg("%s", err->text);
}

void node_stop(struct node *node)
{
    dbk_replica_stop(node->replica);
    dbk_log_close(node->log);
    dbk_keys_close(node->keys);
    node->replica = NULL;
    node->log = NULL;
    node->keys = NULL;
}

enum dbk_code node_reseed(struct node *node, uint64_t *sent)
{
    enum dbk_code code;

    node_stop(node);
    node_open(node, NULL);
    code = dbk_replica_reseed(node->log, &node->options, sent, &node->cluster->err);
    node_stop(node);
    node_start(node);
    return code;
}

void all_start(struct cluster *cluster)
{
    for (int i = 0; i < NODES; i++)
        node_start(&cluster->nodes[i]);
}

bool eventually(bool (*is)(void *context), void *context)
{
    dbk_deadline deadline = dbk_deadline_in(WAIT_MS);

    while (!is(context)) {
        if (dbk_deadline_left(deadline) == 0)
            return false;
        dbk_sleep_ms(5);
    }
    return true;
}

struct dbk_replica_status look(struct node *node)
{
    struct dbk_replica_status status;

    dbk_replica_look(node->replica, &status);
    return status;
}

struct wanted {
    struct node *node;
    enum dbk_replica_state state;
    const char *part;
    uint64_t head;
    enum dbk_code code;
};

static bool is_in_state(void *context)
{
    struct wanted *wanted = context;

    return look(wanted->node).state == wanted->state;
}

void await_state(struct node *node, enum dbk_replica_state state)
{
    struct wanted wanted = {.node = node, .state = state};

    if (!eventually(is_in_state, &wanted))
        fail_msg("%s is in state %d: %s\n%s", node->name, look(node).state,
                 look(node).why, node->lines);
}

static bool knows_leader(void *context)
{
    struct wanted *wanted = context;

    return !strcmp(look(wanted->node).leader, wanted->part);
}

void await_known_leader(struct node *node, const char *name)
{
    struct wanted wanted = {.node = node, .part = name};

    if (!eventually(knows_leader, &wanted))
        fail_msg("%s does not know that %s leads:\n%s", node->name, name, node->lines);
}

static struct node *leader_of(struct cluster *cluster)
{
    for (int i = 0; i < NODES; i++)
        if (cluster->nodes[i].replica &&
            look(&cluster->nodes[i]).state == DBK_REPLICA_LEADS)
            return &cluster->nodes[i];
    return NULL;
}

struct led {
    struct cluster *cluster;
    struct node *leader;
};

static bool has_leader(void *context)
{
    struct led *led = context;

    led->leader = leader_of(led->cluster); /* by the next look it may lead no more */
    return led->leader != NULL;
}

struct node *await_leader(struct cluster *cluster)
{
    struct led led = {.cluster = cluster};

    if (!eventually(has_leader, &led))
        fail_msg("nobody leads:\n%s%s%s", cluster->nodes[0].lines,
                 cluster->nodes[1].lines, cluster->nodes[2].lines);
    return led.leader;
}

static bool has_said(void *context)
{
    struct wanted *wanted = context;
    bool said;

    pthread_mutex_lock(&wanted->node->mutex);
    said = strstr(wanted->node->lines, wanted->part) != NULL;
    pthread_mutex_unlock(&wanted->node->mutex);
    return said;
}

void await_line(struct node *node, const char *part)
{
    struct wanted wanted = {.node = node, .part = part};

    if (!eventually(has_said, &wanted))
        fail_msg("%s did not say \"%s\":\n%s", node->name, part, node->lines);
}

static bool has_answered(void *context)
{
    struct wanted *wanted = context;

    wanted->code = dbk_log_head(wanted->node->log, &wanted->head, NULL);
    return wanted->code != DBK_UNAVAILABLE; /* it is being opened again */
}

uint64_t node_head(struct node *node)
{
    struct wanted wanted = {.node = node};

    eventually(has_answered, &wanted);
    assert_int_equal(wanted.code, DBK_OK);
    return wanted.head;
}

static bool has_head(void *context)
{
    struct wanted *wanted = context;

    return node_head(wanted->node) >= wanted->head;
}

void await_head(struct node *node, uint64_t head)
{
    struct wanted wanted = {.node = node, .head = head};

    if (!eventually(has_head, &wanted))
        fail_msg("%s is at %llu:\n%s", node->name, (unsigned long long)node_head(node),
                 node->lines);
}

static void assert_same_records(struct node *a, struct node *b)
{
    struct dbk_batch of_a = {0}, of_b = {0};
    uint64_t head = node_head(a);

    for (uint64_t after = 0; after < head; after += of_a.count) {
        assert_int_equal(dbk_log_read(a->log, after, 1000, 1 << 20, &of_a, NULL),
                         DBK_OK);
        assert_int_equal(dbk_log_read(b->log, after, of_a.count, 1 << 24, &of_b, NULL),
                         DBK_OK);
        assert_int_equal(of_a.count, of_b.count);
        for (size_t i = 0; i < of_a.count; i++) {
            assert_int_equal(of_a.entries[i].length, of_b.entries[i].length);
            assert_memory_equal(of_a.bytes + of_a.entries[i].offset,
                                of_b.bytes + of_b.entries[i].offset,
                                of_a.entries[i].length);
        }
    }
    dbk_batch_finish(&of_a);
    dbk_batch_finish(&of_b);
}

void await_equal(struct cluster *cluster)
{
    struct node *most = NULL;

    for (int i = 0; i < NODES; i++) {
        struct node *node = &cluster->nodes[i];
        if (node->replica && (!most || node_head(node) > node_head(most)))
            most = node;
    }
    for (int i = 0; i < NODES; i++) {
        struct node *node = &cluster->nodes[i];
        if (!node->replica || node == most)
            continue;
        await_head(node, node_head(most));
        assert_int_equal(node_head(node), node_head(most));
        assert_same_records(node, most);
    }
}

enum dbk_code node_write(struct node *node, struct dbk_error *err)
{
    struct dbk_record person;
    struct dbk_command *command;
    char email[32];
    enum dbk_code code;

    snprintf(email, sizeof email, "p%u@x.mock", node->cluster->mails++);
    person = draft_person(email);
    command = command_of(&person);
    code = dbk_log_submit(node->log, &command, 1, NULL, NULL, err);
    if (code == DBK_OK)
        code = dbk_command_verdict(command)->code;
    dbk_command_destroy(command);
    return code;
}

void cluster_write(struct cluster *cluster, unsigned count)
{
    dbk_deadline deadline = dbk_deadline_in(WAIT_MS);

    while (count > 0) {
        struct node *leader = await_leader(cluster);

        if (node_write(leader, &cluster->err) == DBK_OK)
            count--;
        else if (dbk_deadline_left(deadline) == 0)
            fail_msg("nobody takes it: %s\n%s", cluster->err.text, leader->lines);
    }
}

int64_t send_raw(struct cluster *cluster, struct message message)
{
    struct producer *producer;
    int64_t offset = -1;

    if (producer_create(&cluster->nodes[0].options, &producer, &cluster->err) !=
            DBK_OK ||
        producer_send_wait(producer, &message, NULL, &offset, &cluster->err) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    producer_destroy(producer);
    return offset;
}

void send_bytes(struct cluster *cluster, const char *bytes, size_t length)
{
    rd_kafka_conf_t *conf;
    rd_kafka_t *handle;

    if (conf_create(&cluster->nodes[0].options, CONF_PRODUCER, &conf, &cluster->err) !=
            DBK_OK ||
        conf_handle(RD_KAFKA_PRODUCER, conf, &handle, &cluster->err) != DBK_OK)
        fail_msg("%s", cluster->err.text);
    assert_int_equal(
        rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(cluster->nodes[0].options.topic),
                          RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE((char *)bytes, length),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
        0);
    assert_int_equal(rd_kafka_flush(handle, WAIT_MS), 0);
    rd_kafka_destroy(handle);
}

struct message ghost_opening(struct node *of)
{
    struct message message = {.type = MESSAGE_OPENING,
                              .epoch = -1,
                              .store_id = of->store_id,
                              .first = node_head(of),
                              .reseed = -1,
                              .node = dbk_slice("ghost"),
                              .url = dbk_slice("http://ghost.test")};

    if (message.first > 0)
        assert_int_equal(
            dbk_log_checksum(of->log, message.first, &message.before, NULL), DBK_OK);
    return message;
}

static bool is_caught_up(void *context)
{
    struct dbk_replica_status status = look(context);

    return status.end >= 0 && status.place.next >= status.end;
}

static bool leads_from_behind(struct node *node, int64_t offset)
{
    struct dbk_replica_status status = look(node);

    return status.state == DBK_REPLICA_LEADS && status.place.epoch > offset;
}

/* By this handing over: one before, which it may have heeded late, is void by the opening that
 * this one follows. */
static bool leads_soon(struct node *node, int64_t behind)
{
    dbk_deadline deadline = dbk_deadline_in(WAIT_MS / 10);

    while (!leads_from_behind(node, behind) && dbk_deadline_left(deadline) > 0)
        dbk_sleep_ms(5);
    return leads_from_behind(node, behind);
}

void elect(struct node *node)
{
    struct message hand_over = {.type = MESSAGE_HAND_OVER,
                                .store_id = node->store_id,
                                .reseed = -1,
                                .node = dbk_slice("ghost"),
                                .body = dbk_slice(node->name)};

    if (!eventually(is_caught_up, node))
        fail_msg("%s does not catch up:\n%s", node->name, node->lines);
    for (int tries = 0; tries < 10; tries++) {
        hand_over.epoch = send_raw(node->cluster, ghost_opening(node));
        send_raw(node->cluster, hand_over);
        /* One that has just come may not know yet that it is there. */
        if (leads_soon(node, hand_over.epoch))
            return;
    }
    fail_msg("%s does not lead:\n%s", node->name, node->lines);
}

struct node *all_start_and_lead(struct cluster *cluster)
{
    all_start(cluster);
    elect(&cluster->nodes[0]);
    return &cluster->nodes[0];
}
