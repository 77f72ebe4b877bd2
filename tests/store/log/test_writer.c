#include "scratch_log.h"

#include <lmdb.h>
#include <pthread.h>
#include <sys/wait.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
#define THREADS 16
#define EACH 100
#define MANY 3000 /* a transaction takes 16,384 */

struct worker {
    struct scratch *s;
    struct dbk_uuid person;
    uint64_t sequences[EACH];
    int failures;
};

static pthread_t committed_by;

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    committed_by = pthread_self(); /* one commits at a time */
    return __real_mdb_txn_commit(txn);
}

static void a_lone_caller_waits_for_no_other_thread(void **state)
{
    struct scratch *s = *state;

    for (int i = 0; i < 3; i++) {
        char email[] = "p0@x.mock";

        email[1] = (char)('0' + i);
        add_person(s, email);
        assert_true(pthread_equal(committed_by, pthread_self()));
    }
}

static void *record_events(void *context)
{
    struct worker *worker = context;

    for (int i = 0; i < EACH; i++) {
        struct dbk_record event = draft_event(&worker->person);
        struct dbk_command *command = dbk_command_create();
        struct dbk_error err;

        if (dbk_command_add(command, &event, &err) != DBK_OK ||
            dbk_log_submit(worker->s->log, &command, 1, NULL, NULL, &err) != DBK_OK ||
            dbk_command_verdict(command)->code != DBK_OK)
            worker->failures++;
        worker->sequences[i] = dbk_command_verdict(command)->sequence;
        dbk_command_destroy(command);
    }
    return NULL;
}

static void many_threads_leave_no_gap_and_nothing_twice(void **state)
{
    struct scratch *s = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    bool seen[THREADS * EACH + 2] = {false};

    workers[0].person = add_person(s, "kate@x.mock");
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.s = s, .person = workers[0].person};
        pthread_create(&threads[i], NULL, record_events, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failures, 0);
        for (int j = 0; j < EACH; j++) {
            uint64_t sequence = workers[i].sequences[j];

            assert_in_range(sequence, 2, THREADS * EACH + 1);
            assert_false(seen[sequence]);
            seen[sequence] = true;
        }
    }
    assert_int_equal(head_of(s), THREADS * EACH + 1);
}

/* Submit many commands at once. */
static void *record_many(void *context)
{
    struct worker *worker = context;
    struct dbk_command **commands = calloc(MANY, sizeof *commands);

    for (int i = 0; i < MANY; i++) {
        struct dbk_record event = draft_event(&worker->person);

        commands[i] = dbk_command_create();
        if (dbk_command_add(commands[i], &event, NULL) != DBK_OK)
            worker->failures++;
    }
    if (dbk_log_submit(worker->s->log, commands, MANY, NULL, NULL, NULL) != DBK_OK)
        worker->failures++;
    for (int i = 0; i < MANY; i++)
        dbk_command_destroy(commands[i]);
    free(commands);
    return NULL;
}

static void who_does_not_fit_a_transaction_is_in_the_next_and_told_so(void **state)
{
    struct scratch *s = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct dbk_uuid kate = add_person(s, "kate@x.mock");

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.s = s, .person = kate};
        pthread_create(&threads[i], NULL, record_many, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    assert_int_equal(head_of(s), THREADS * MANY + 1);
}

static void two_processes_share_one_order(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct worker worker;
    struct dbk_batch batch = {0};
    pid_t children[2];

    dbk_log_close(s->log);
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            scratch_open(s);
            worker = (struct worker){.s = s, .person = kate};
            record_events(&worker);
            dbk_log_close(s->log);
            _exit(worker.failures != 0);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status;

        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    scratch_open(s);
    assert_int_equal(head_of(s), 2 * EACH + 1);
    assert_int_equal(dbk_log_read(s->log, 0, 1000, 1 << 24, &batch, &s->err), DBK_OK);
    assert_int_equal(batch.count, 2 * EACH + 1); /* it refuses a gap */
    dbk_batch_finish(&batch);
}

static void a_full_queue_says_busy_and_loses_nothing(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_options options = {.map_size = (size_t)1 << 30, .queue_bytes = 1};
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    uint64_t done = 0;

    dbk_log_close(s->log);
    assert_int_equal(dbk_log_open(s->dir, &options, &s->log, &s->err), DBK_OK);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.s = s, .person = kate};
        pthread_create(&threads[i], NULL, record_events, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        done += (uint64_t)(EACH - workers[i].failures);
    }
    assert_int_equal(head_of(s), done + 1);
    assert_true(done < THREADS * EACH); /* some met the full queue */
}

static void a_log_that_is_full_refuses_and_can_be_read(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_options options = {.map_size = 1 << 20};
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate);
    static char properties[60000];
    enum dbk_code code = DBK_OK;
    uint64_t acknowledged = 1;

    dbk_log_close(s->log);
    assert_int_equal(dbk_log_open(s->dir, &options, &s->log, &s->err), DBK_OK);
    memset(properties, 'x', sizeof properties);
    event.properties = (struct dbk_slice){properties, sizeof properties};
    for (int i = 0; code == DBK_OK && i < 100; i++) {
        struct dbk_command *command;

        event.subject = dbk_uuid_new();
        command = command_of(&event);
        code = dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err);
        acknowledged += code == DBK_OK;
        dbk_command_destroy(command);
    }
    assert_int_equal(code, DBK_NO_ROOM);
    assert_int_equal(head_of(s), acknowledged);
    scratch_reopen(s); /* with room again */
    event.subject = dbk_uuid_new();
    assert_int_equal(submit(s, &event).sequence, acknowledged + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lone_caller_waits_for_no_other_thread),
        TEST(many_threads_leave_no_gap_and_nothing_twice),
        TEST(who_does_not_fit_a_transaction_is_in_the_next_and_told_so),
        TEST(two_processes_share_one_order),
        TEST(a_full_queue_says_busy_and_loses_nothing),
        TEST(a_log_that_is_full_refuses_and_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
