/* What an open log says it is at. */
#include "scratch_log.h"

#include "log_read.h"
#include "store/metrics.h"

#include <errno.h>

static int begin_fails_with; /* 0: it does not */

int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    return begin_fails_with ? begin_fails_with
                            : __real_mdb_txn_begin(env, parent, flags, txn);
}

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static struct dbk_log_gauges gauges_of(struct scratch *s)
{
    struct dbk_log_gauges gauges;

    dbk_log_gauges(s->log, &gauges);
    return gauges;
}

static void an_idle_log_is_at_its_head(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_gauges gauges = gauges_of(s);

    assert_true(gauges.readable && gauges.room_known);
    assert_int_equal(gauges.head, 0);
    add_person(s, "kate@x.mock");
    gauges = gauges_of(s);
    assert_int_equal(gauges.head, 1);
    assert_int_equal(gauges.queued, 0);
    assert_true(gauges.file_bytes >= 4096 && gauges.free_bytes > 0);
}

static void who_reads_is_counted_while_it_does(void **state)
{
    struct scratch *s = *state;
    struct dbk_error err;
    MDB_txn *txn;

    assert_int_equal(gauges_of(s).readers, 0);
    assert_int_equal(log_begin_read(s->log, &txn, &err), DBK_OK);
    assert_int_equal(gauges_of(s).readers, 1);
    log_end_read(s->log, txn);
    assert_int_equal(gauges_of(s).readers, 0);
}

static void while_it_is_opened_again_the_rest_is_told(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_gauges gauges;

    pthread_rwlock_wrlock(&s->log->gate);
    gauges = gauges_of(s); /* and does not wait */
    pthread_rwlock_unlock(&s->log->gate);
    assert_false(gauges.readable);
    assert_non_null(strstr(gauges.why.text, "is being opened again"));
    assert_true(gauges.room_known);
    assert_true(gauges_of(s).readable);
}

/* Each by its own name: who watches it would wait for what does not come else. */
static void why_it_cannot_be_read_is_told(void **state)
{
    static const struct {
        int fails_with;
        enum dbk_code code;
        const char *says;
    } failures[] = {
        {MDB_READERS_FULL, DBK_BUSY, "too many readers"},
        {ENOMEM, DBK_NO_MEMORY, "no memory"},
        {MDB_CORRUPTED, DBK_DAMAGED, "damaged"},
        {EIO, DBK_IO, "find the log's head: "},
        {MDB_PANIC, DBK_UNAVAILABLE, "about to be opened again"},
    };
    struct scratch *s = *state;
    struct dbk_log_gauges gauges;

    add_person(s, "kate@x.mock");
    atomic_store(&s->log->head_txn, 0); /* it is not known from before */
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        begin_fails_with = failures[i].fails_with;
        gauges = gauges_of(s);
        begin_fails_with = 0;
        assert_false(gauges.readable);
        assert_int_equal(gauges.head, 0);
        assert_int_equal(gauges.why.code, failures[i].code);
        assert_non_null(strstr(gauges.why.text, failures[i].says));
    }
    s->log->usable = false;
    gauges = gauges_of(s);
    s->log->usable = true;
    assert_non_null(strstr(gauges.why.text, "could not be opened again"));
    gauges = gauges_of(s);
    assert_true(gauges.readable && gauges.head == 1);
    assert_int_equal(gauges.why.code, DBK_OK);
}

static uint64_t count(enum dbk_metric metric, size_t series)
{
    struct dbk_metrics *metrics = dbk_metrics_take();
    uint64_t found = dbk_metrics_count(metrics, metric, series);

    dbk_metrics_free(metrics);
    return found;
}

static void what_is_appended_is_counted_and_what_is_refused_is_not(void **state)
{
    struct scratch *s = *state;
    uint64_t commits = count(DBK_METRIC_COMMITS, 0);
    uint64_t persons = count(DBK_METRIC_RECORDS, DBK_PERSON_CREATED);
    struct dbk_record again = draft_person("kate@x.mock");
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err;

    add_person(s, "kate@x.mock");
    assert_int_equal(dbk_command_add(command, &again, &err), DBK_OK);
    assert_int_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &err), DBK_OK);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_CONFLICT);
    dbk_command_destroy(command);
    assert_int_equal(count(DBK_METRIC_COMMITS, 0), commits + 1);
    assert_int_equal(count(DBK_METRIC_RECORDS, DBK_PERSON_CREATED), persons + 1);
    assert_int_equal(count(DBK_METRIC_COMMIT_FAILURES, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_log_is_at_its_head),
        TEST(who_reads_is_counted_while_it_does),
        TEST(while_it_is_opened_again_the_rest_is_told),
        TEST(why_it_cannot_be_read_is_told),
        TEST(what_is_appended_is_counted_and_what_is_refused_is_not),
    };

    return cmocka_run_group_tests_name("log_gauges", tests, NULL, NULL) != 0;
}
