/* The relay, over brokers made of nothing: each record once, however it ends. Those brokers
 * have transactions, and show what is not committed, too; so what readers of committed
 * messages see is tested over real ones. */
#include "replica/relay.h"

#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "refusal.h"
#include "store/clock.h"
#include "store/scratch_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARTITIONS 3
#define RECORDS_MAX 256

/* API keys and errors of Kafka's protocol. */
enum {
    PRODUCE = 0,
    END_TXN = 26,
    COORDINATOR_LOADING = 14,
    INVALID_TXN_STATE = 48,
    HUNG_UP = -195,
};

struct place {
    char dir[64];
    struct dbk_log *log;
    rd_kafka_t *handle;
    rd_kafka_mock_cluster_t *mock;
    struct dbk_relay_options options;
    struct dbk_error err;
    unsigned mails, rendered;
    unsigned stop_after; /* records; 0: never */
    bool refused;        /* by one broker, at the first record */
    char key[DBK_UUID_TEXT + 1];
};

static struct refusal *senders; /* refusal of the first sender: that is opened first */

void __real_refusal_keep(rd_kafka_conf_t *conf, struct refusal *refusal);
void __wrap_refusal_keep(rd_kafka_conf_t *conf, struct refusal *refusal);

void __wrap_refusal_keep(rd_kafka_conf_t *conf, struct refusal *refusal)
{
    if (!senders)
        senders = refusal;
    __real_refusal_keep(conf, refusal);
}

static enum dbk_code render(void *context, const struct dbk_record *record, char **text,
                            size_t *length, struct dbk_slice *key,
                            struct dbk_error *err)
{
    struct place *place = context;
    char line[32];

    (void)err;
    place->rendered++;
    if (place->refused && place->rendered == 1)
        *senders = (struct refusal){.certain = true, .text = "not let in"};
    *length = (size_t)snprintf(line, sizeof line, "{\"n\":%llu}",
                               (unsigned long long)record->sequence);
    *text = strndup(line, *length);
    dbk_uuid_format(dbk_record_person(record), place->key);
    *key = (struct dbk_slice){place->key, DBK_UUID_TEXT};
    return DBK_OK;
}

static bool stops(void *context)
{
    const struct place *place = context;

    return place->stop_after > 0 && place->rendered >= place->stop_after;
}

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    strcpy(place->dir, "/tmp/daybook-relay-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    assert_int_equal(dbk_log_open(place->dir, NULL, &place->log, &place->err), DBK_OK);
    rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why);
    place->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    place->mock = rd_kafka_mock_cluster_new(place->handle, 3);
    rd_kafka_mock_topic_create(place->mock, "records", PARTITIONS, 3);
    place->options = (struct dbk_relay_options){
        .brokers = rd_kafka_mock_cluster_bootstraps(place->mock),
        .topic = "records",
        .name = "test",
        .batch = 16,
        .linger_ms = 1,
        .render = render,
        .render_context = place,
        .watch = {.stop = stops, .context = place}};
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    dbk_log_close(place->log);
    rd_kafka_mock_cluster_destroy(place->mock);
    rd_kafka_destroy(place->handle);
    scratch_remove(place->dir);
    free(place);
    return 0;
}

static void append(struct place *place, unsigned count)
{
    while (count-- > 0) {
        struct dbk_record person;
        struct dbk_command *command;
        char email[32];

        snprintf(email, sizeof email, "p%u@x.mock", place->mails++);
        person = draft_person(email);
        command = command_of(&person);
        assert_int_equal(
            dbk_log_submit(place->log, &command, 1, NULL, NULL, &place->err), DBK_OK);
        dbk_command_destroy(command);
    }
}

static enum dbk_code run(struct place *place, uint64_t *sent)
{
    place->rendered = 0;
    senders = NULL;
    return dbk_relay_run(place->log, &place->options, sent, &place->err);
}

/* How often each record is in the topic; messages that are there. */
static unsigned read_topic(struct place *place, unsigned seen[RECORDS_MAX])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(3);
    unsigned count = 0, ended = 0;
    rd_kafka_t *reader;
    char why[256];

    memset(seen, 0, RECORDS_MAX * sizeof *seen);
    rd_kafka_conf_set(conf, "bootstrap.servers", place->options.brokers, why,
                      sizeof why);
    rd_kafka_conf_set(conf, "group.id", "reader", why, sizeof why);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    rd_kafka_poll_set_consumer(reader);
    for (int i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(all, "records", i)->offset = 0;
    rd_kafka_assign(reader, all);
    while (ended < PARTITIONS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 1000);
        unsigned long long number = 0;

        if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ended++;
        } else if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            assert_int_equal(sscanf(message->payload, "{\"n\":%llu}", &number), 1);
            assert_int_equal(message->key_len, DBK_UUID_TEXT);
            assert_true(number < RECORDS_MAX);
            seen[number]++;
            count++;
        }
        if (message)
            rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
    return count;
}

static void assert_each_once(struct place *place, unsigned records)
{
    unsigned seen[RECORDS_MAX];

    assert_int_equal(read_topic(place, seen), records);
    for (unsigned i = 1; i <= records; i++)
        assert_int_equal(seen[i], 1);
}

static void each_record_is_a_message_and_it_goes_on_where_it_ended(void **state)
{
    struct place *place = *state;
    uint64_t sent;

    append(place, 40);
    assert_int_equal(run(place, &sent), DBK_OK);
    assert_int_equal(sent, 40);
    assert_int_equal(run(place, &sent), DBK_OK);
    assert_int_equal(sent, 0);
    append(place, 5);
    assert_int_equal(run(place, &sent), DBK_OK);
    assert_int_equal(sent, 5);
    assert_each_once(place, 45);
}

static void it_stops_between_transactions(void **state)
{
    struct place *place = *state;
    uint64_t sent;

    append(place, 40);
    place->stop_after = 16;
    assert_int_equal(run(place, &sent), DBK_INTERRUPTED);
    assert_int_equal(sent, 16);
    place->stop_after = 0;
    assert_int_equal(run(place, &sent), DBK_OK);
    assert_int_equal(sent, 24);
    assert_each_once(place, 40);
}

/* What a broker refuses for a moment is sent again within the transaction. */
static void brokers_that_hang_up_are_tried_again(void **state)
{
    static const rd_kafka_resp_err_t produce[] = {HUNG_UP, HUNG_UP},
                                     ending[] = {COORDINATOR_LOADING};
    struct place *place = *state;
    uint64_t sent;

    append(place, 20);
    rd_kafka_mock_push_request_errors_array(place->mock, PRODUCE, 2, produce);
    rd_kafka_mock_push_request_errors_array(place->mock, END_TXN, 1, ending);
    assert_int_equal(run(place, &sent), DBK_OK);
    assert_int_equal(sent, 20);
    assert_each_once(place, 20);
}

/* The rest took it; and whether a commit has come about the topic tells. */
static void one_broker_that_refuses_it_ends_no_relay(void **state)
{
    static const rd_kafka_resp_err_t ending[] = {INVALID_TXN_STATE};
    struct place *place = *state;
    uint64_t sent;

    append(place, 20);
    place->refused = true;
    rd_kafka_mock_push_request_errors_array(place->mock, END_TXN, 1, ending);
    if (run(place, &sent) != DBK_OK)
        fail_msg("%s", place->err.text);
    assert_int_equal(sent, 20);
}

static void what_is_no_topic_of_its_own_is_refused(void **state)
{
    struct place *place = *state, other = *place;
    char dir[] = "/tmp/daybook-relay-XXXXXX", path[128];
    uint64_t sent;

    append(place, 3);
    assert_int_equal(run(place, &sent), DBK_OK);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(dbk_log_open(dir, NULL, &other.log, &other.err), DBK_OK);
    append(&other, 9);
    assert_int_equal(run(&other, &sent), DBK_CONFLICT);
    assert_non_null(strstr(other.err.text, "messages of the log"));
    dbk_log_close(other.log);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", dir);
    unlink(path);
    rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_record_is_a_message_and_it_goes_on_where_it_ended),
        TEST(it_stops_between_transactions),
        TEST(brokers_that_hang_up_are_tried_again),
        TEST(one_broker_that_refuses_it_ends_no_relay),
        TEST(what_is_no_topic_of_its_own_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
