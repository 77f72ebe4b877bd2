#include "scratch_log.h"

#include "store/backup.h"
#include "store/restore.h"

#include <lmdb.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_copy, teardown_copy)

/* A log, and the place of its backup. */
struct pair {
    struct scratch log;
    char dir[80];
    struct dbk_backup_appended by;
};

static int setup_copy(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    void *log = NULL;

    if (!pair || scratch_setup(&log) != 0)
        return -1;
    pair->log = *(struct scratch *)log;
    free(log);
    snprintf(pair->dir, sizeof pair->dir, "%.60s.bak", pair->log.dir);
    *state = pair;
    return 0;
}

static int teardown_copy(void **state)
{
    struct pair *pair = *state;

    dbk_log_close(pair->log.log);
    scratch_remove(pair->log.dir);
    scratch_remove(pair->dir);
    free(pair);
    return 0;
}

/* It forks, so no log is open meanwhile. */
static enum dbk_code append(struct pair *pair)
{
    const struct dbk_backup_append_options options = {.finding = NULL};
    enum dbk_code code;

    dbk_log_close(pair->log.log);
    pair->log.log = NULL;
    code = dbk_log_backup_append(pair->log.dir, pair->dir, &options, &pair->by,
                                 &pair->log.err);
    scratch_open(&pair->log);
    return code;
}

static void back_up(struct pair *pair)
{
    const struct dbk_backup_options options = {.compact = false};

    dbk_log_close(pair->log.log);
    assert_int_equal(dbk_log_backup(pair->log.dir, pair->dir, &options, &pair->log.err),
                     DBK_OK);
    scratch_open(&pair->log);
}

/* All records of a log, one behind the other. */
static void read_all(const char *dir, struct dbk_batch *batch)
{
    const struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                            .read_only = true};
    struct dbk_log *log;

    assert_int_equal(dbk_log_open(dir, &options, &log, NULL), DBK_OK);
    assert_int_equal(dbk_log_read(log, 0, 100000, SIZE_MAX, batch, NULL), DBK_OK);
    dbk_log_close(log);
}

static void is_the_log(struct pair *pair)
{
    struct dbk_batch log = {0}, backup = {0};

    dbk_log_close(pair->log.log);
    pair->log.log = NULL;
    read_all(pair->log.dir, &log);
    read_all(pair->dir, &backup);
    scratch_open(&pair->log);
    assert_int_equal(log.count, backup.count);
    assert_int_equal(log.bytes_used, backup.bytes_used);
    assert_memory_equal(log.bytes, backup.bytes, log.bytes_used);
    dbk_batch_finish(&log);
    dbk_batch_finish(&backup);
}

static void is_right(struct pair *pair)
{
    struct dbk_verify_options options = {.finding = NULL};
    struct dbk_verify_result result;
    char scratch_dir[96];

    snprintf(scratch_dir, sizeof scratch_dir, "%s.check", pair->dir);
    options.scratch_dir = scratch_dir;
    dbk_log_close(pair->log.log);
    assert_int_equal(dbk_log_verify(pair->dir, &options, &result, &pair->log.err),
                     DBK_OK);
    assert_int_equal(result.findings, 0);
    assert_true(result.whole);
    scratch_open(&pair->log);
}

static void what_is_new_is_appended_with_its_bytes_and_indexes(void **state)
{
    struct pair *pair = *state;
    struct dbk_uuid kate = add_person(&pair->log, "kate@x.mock"), erik;
    struct dbk_record event = draft_event(&kate), change, gone;

    submit(&pair->log, &event);
    back_up(pair);
    erik = add_person(&pair->log, "erik@x.mock");
    change = draft_of(DBK_PERSON_UPDATED, &kate);
    change.person.has = DBK_HAS_EMAIL;
    change.person.email = dbk_slice("other@x.mock");
    submit(&pair->log, &change);
    gone = draft_of(DBK_EVENT_DELETED, &event.subject);
    submit(&pair->log, &gone);
    gone = draft_of(DBK_PERSON_DELETED, &erik);
    submit(&pair->log, &gone);
    assert_int_equal(append(pair), DBK_OK);
    assert_int_equal(pair->by.before, 2);
    assert_int_equal(pair->by.head, head_of(&pair->log));
    assert_int_equal(pair->by.findings, 0);
    is_the_log(pair);
    is_right(pair);
}

static uint32_t format_of(const char *dir)
{
    MDB_val key = {6, (void *)(uintptr_t) "format"}, value;
    uint32_t format = 0;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, dir, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    assert_int_equal(mdb_get(txn, meta, &key, &value), 0);
    memcpy(&format, value.mv_data, sizeof format);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return format;
}

static void a_backup_says_when_it_has_what_is_new(void **state)
{
    struct pair *pair = *state;
    struct dbk_uuid kate = add_person(&pair->log, "kate@x.mock");
    struct dbk_record alias = draft_of(DBK_PERSON_ALIASED, &kate);
    struct dbk_record event = draft_event(&kate), traced = draft_event(&kate);

    traced.traceparent = dbk_slice("00-1");
    alias.anonymous_id = event.anonymous_id = dbk_slice("d1");
    back_up(pair);
    assert_int_equal(format_of(pair->dir), 1);
    submit(&pair->log, &event);
    submit(&pair->log, &alias);
    assert_int_equal(append(pair), DBK_OK);
    assert_int_equal(pair->by.findings, 0);
    assert_int_equal(format_of(pair->dir), 2);
    submit(&pair->log, &traced);
    assert_int_equal(append(pair), DBK_OK);
    assert_int_equal(pair->by.findings, 0);
    assert_int_equal(format_of(pair->dir), 3);
    is_the_log(pair);
    is_right(pair);
}

/* A thousand, in one transaction. */
static void add_events(struct scratch *s, const struct dbk_uuid *person)
{
    struct dbk_command *commands[1000];

    for (size_t i = 0; i < 1000; i++) {
        struct dbk_record event = draft_event(person);

        commands[i] = command_of(&event);
    }
    assert_int_equal(dbk_log_submit(s->log, commands, 1000, NULL, NULL, &s->err),
                     DBK_OK);
    for (size_t i = 0; i < 1000; i++)
        dbk_command_destroy(commands[i]);
}

static void more_than_a_transaction_is_appended(void **state)
{
    struct pair *pair = *state;
    struct dbk_uuid kate = add_person(&pair->log, "kate@x.mock");

    back_up(pair);
    for (int i = 0; i < 20; i++)
        add_events(&pair->log, &kate);
    assert_int_equal(append(pair), DBK_OK);
    assert_int_equal(pair->by.head, 20001);
    is_the_log(pair);
    is_right(pair);
}

static void where_nothing_is_new_nothing_is_written(void **state)
{
    struct pair *pair = *state;
    MDB_envinfo before, after;
    MDB_env *env;

    add_person(&pair->log, "kate@x.mock");
    back_up(pair);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mdb_env_create(&env), 0);
        assert_int_equal(mdb_env_open(env, pair->dir, MDB_RDONLY, 0600), 0);
        mdb_env_info(env, i ? &after : &before);
        mdb_env_close(env);
        assert_int_equal(append(pair), DBK_OK);
        assert_int_equal(pair->by.head, pair->by.before);
    }
    assert_int_equal(after.me_last_txnid, before.me_last_txnid);
}

static void an_idempotency_key_comes_with_its_record(void **state)
{
    struct pair *pair = *state, copy = {.by = {.head = 0}};
    const struct dbk_restore_options options = {.to = 0};
    struct dbk_uuid kate = add_person(&pair->log, "kate@x.mock");
    struct dbk_restored restored;
    bool replayed;

    back_up(pair);
    submit_keyed(&pair->log, &kate, 1, &replayed);
    assert_int_equal(append(pair), DBK_OK);
    snprintf(copy.log.dir, sizeof copy.log.dir, "%.60s.new", pair->log.dir);
    assert_int_equal(
        dbk_log_restore(pair->dir, copy.log.dir, &options, &restored, &pair->log.err),
        DBK_OK);
    scratch_open(&copy.log);
    assert_int_equal(submit_keyed(&copy.log, &kate, 1, &replayed), DBK_OK);
    assert_true(replayed);
    dbk_log_close(copy.log.log);
    scratch_remove(copy.log.dir);
}

static void another_history_is_refused_and_left_alone(void **state)
{
    struct pair *pair = *state;
    struct dbk_batch before = {0}, after = {0};
    char was[96], mv[256];

    add_person(&pair->log, "kate@x.mock");
    dbk_log_close(pair->log.log);
    snprintf(was, sizeof was, "%s.was", pair->log.dir);
    snprintf(mv, sizeof mv, "cp -a %s %s", pair->log.dir, was);
    assert_int_equal(system(mv), 0);
    scratch_open(&pair->log);
    add_person(&pair->log, "erik@x.mock");
    back_up(pair);
    read_all(pair->dir, &before);

    /* The log is put back, */
    dbk_log_close(pair->log.log);
    scratch_remove(pair->log.dir);
    assert_int_equal(rename(was, pair->log.dir), 0);
    scratch_open(&pair->log);
    assert_int_equal(append(pair), DBK_CONFLICT);
    assert_non_null(strstr(pair->log.err.text, "of another history"));
    /* and goes on otherwise. */
    add_person(&pair->log, "ororo@x.mock");
    add_person(&pair->log, "logan@x.mock");
    assert_int_equal(append(pair), DBK_CONFLICT);
    assert_non_null(strstr(pair->log.err.text, "of another history"));
    read_all(pair->dir, &after);
    assert_int_equal(before.bytes_used, after.bytes_used);
    assert_memory_equal(before.bytes, after.bytes, after.bytes_used);
    dbk_batch_finish(&before);
    dbk_batch_finish(&after);
}

static void another_logs_backup_is_refused(void **state)
{
    struct pair *pair = *state;

    add_person(&pair->log, "kate@x.mock");
    back_up(pair);
    dbk_log_close(pair->log.log);
    scratch_remove(pair->log.dir);
    scratch_open(&pair->log);
    assert_int_equal(append(pair), DBK_CONFLICT);
    assert_non_null(strstr(pair->log.err.text, "of another log"));
}

static void change_record(const char *dir, uint64_t sequence)
{
    MDB_val key = {sizeof sequence, &sequence}, value;
    char bytes[1000];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi log;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "log", MDB_INTEGERKEY, &log), 0);
    assert_int_equal(mdb_get(txn, log, &key, &value), 0);
    memcpy(bytes, value.mv_data, value.mv_size);
    bytes[value.mv_size / 2] ^= 1;
    value.mv_data = bytes;
    assert_int_equal(mdb_put(txn, log, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_damaged_log_is_followed_up_to_the_damage(void **state)
{
    struct pair *pair = *state;

    add_person(&pair->log, "a@x.mock");
    back_up(pair);
    add_person(&pair->log, "b@x.mock");
    add_person(&pair->log, "c@x.mock");
    dbk_log_close(pair->log.log);
    change_record(pair->log.dir, 3);
    scratch_open(&pair->log);
    assert_int_equal(append(pair), DBK_OK);
    assert_int_equal(pair->by.findings, 1);
    assert_int_equal(pair->by.head, 2);
    is_right(pair);
}

static void a_backup_whose_end_is_damaged_is_not_added_to(void **state)
{
    struct pair *pair = *state;

    add_person(&pair->log, "a@x.mock");
    back_up(pair);
    add_person(&pair->log, "b@x.mock");
    change_record(pair->dir, 1);
    assert_int_equal(append(pair), DBK_DAMAGED);
    assert_non_null(strstr(pair->log.err.text, "its last, is damaged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_new_is_appended_with_its_bytes_and_indexes),
        TEST(a_backup_says_when_it_has_what_is_new),
        TEST(more_than_a_transaction_is_appended),
        TEST(where_nothing_is_new_nothing_is_written),
        TEST(an_idempotency_key_comes_with_its_record),
        TEST(another_history_is_refused_and_left_alone),
        TEST(another_logs_backup_is_refused),
        TEST(a_damaged_log_is_followed_up_to_the_damage),
        TEST(a_backup_whose_end_is_damaged_is_not_added_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
