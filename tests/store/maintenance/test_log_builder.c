#include "scratch_log.h"

#include "store/backup.h"
#include "store/log_builder.h"
#include "store/restore.h"

#include <lmdb.h>
#include <sys/stat.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static void fill(struct scratch *s)
{
    for (int i = 0; i < 10; i++) {
        char email[32];
        struct dbk_uuid person;
        struct dbk_record event;

        snprintf(email, sizeof email, "p%d@x.mock", i);
        person = add_person(s, email);
        event = draft_event(&person);
        submit(s, &event);
    }
}

/* Put the records of s into the builder, the one at `skip` (0: none) left out. */
static enum dbk_code pour(struct scratch *s, struct dbk_log_builder *builder,
                          uint64_t skip)
{
    struct dbk_batch batch = {0};
    enum dbk_code code = DBK_OK;

    assert_int_equal(dbk_log_read(s->log, 0, 1000, 1 << 20, &batch, NULL), DBK_OK);
    for (size_t i = 0; code == DBK_OK && i < batch.count; i++) {
        if (batch.entries[i].sequence != skip)
            code = dbk_log_builder_add(builder, batch.bytes + batch.entries[i].offset,
                                       batch.entries[i].length, &s->err);
    }
    dbk_batch_finish(&batch);
    return code;
}

static void a_log_made_again_has_the_same_bytes_and_goes_on(void **state)
{
    struct scratch *s = *state, copy = {.log = NULL};
    struct dbk_batch a = {0}, b = {0};
    struct dbk_log_builder *builder;
    struct dbk_uuid old_id, new_id;

    fill(s);
    snprintf(copy.dir, sizeof copy.dir, "%.60s.new", s->dir);
    assert_int_equal(dbk_log_builder_open(copy.dir, &builder, &s->err), DBK_OK);
    assert_int_equal(pour(s, builder, 0), DBK_OK);
    assert_int_equal(dbk_log_builder_head(builder), 20);
    assert_int_equal(dbk_log_builder_finish(builder, &s->err), DBK_OK);

    scratch_open(&copy);
    dbk_log_read(s->log, 0, 1000, 1 << 20, &a, NULL);
    dbk_log_read(copy.log, 0, 1000, 1 << 20, &b, NULL);
    assert_int_equal(a.bytes_used, b.bytes_used);
    assert_memory_equal(a.bytes, b.bytes, a.bytes_used);
    old_id = dbk_log_store_id(s->log);
    new_id = dbk_log_store_id(copy.log);
    assert_false(dbk_uuid_equal(&old_id, &new_id));
    {
        struct dbk_record taken = draft_person("P1@x.mock");

        assert_int_equal(submit(&copy, &taken).code, DBK_CONFLICT); /* indexes work */
    }
    add_person(&copy, "new@x.mock");
    assert_int_equal(head_of(&copy), 21);
    dbk_batch_finish(&a);
    dbk_batch_finish(&b);
    dbk_log_close(copy.log);
    scratch_remove(copy.dir);
}

static void a_record_left_out_is_noticed(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_builder *builder;
    char dir[80];

    fill(s);
    snprintf(dir, sizeof dir, "%.60s.new", s->dir);
    assert_int_equal(dbk_log_builder_open(dir, &builder, &s->err), DBK_OK);
    assert_int_equal(pour(s, builder, 5), DBK_DAMAGED);
    assert_non_null(strstr(s->err.text, "6 where 5"));
    dbk_log_builder_abandon(builder);
    scratch_remove(dir);
}

static void a_log_with_records_is_not_added_to(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_builder *builder;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(dbk_log_builder_open(s->dir, &builder, &s->err), DBK_EXISTS);
    assert_null(builder);
}

static void a_backup_is_whole_and_overwrites_nothing(void **state)
{
    struct scratch *s = *state, copy = {.log = NULL};
    struct dbk_backup_options options = {.compact = true};

    fill(s);
    snprintf(copy.dir, sizeof copy.dir, "%.60s.bak", s->dir);
    for (int i = 0; i < 2; i++, options.compact = false) {
        dbk_log_close(s->log); /* it forks */
        s->log = NULL;
        if (dbk_log_backup(s->dir, copy.dir, &options, &s->err) != DBK_OK)
            fail_msg("%s", s->err.text);
        assert_int_equal(dbk_log_backup(s->dir, copy.dir, &options, &s->err),
                         DBK_EXISTS);
        scratch_open(s);
        add_person(s, i ? "last@x.mock" : "later@x.mock");
        scratch_open(&copy);
        assert_int_equal(head_of(&copy), 20 + i);
        dbk_log_close(copy.log);
        scratch_remove(copy.dir);
    }
}

static bool stop_at_once(void *context)
{
    (void)context;
    return true;
}

/* Nothing else tells how far it is: held up by a writer, it is asked whether to go on. */
static void a_backup_is_stopped_and_leaves_nothing(void **state)
{
    struct scratch *s = *state;
    const struct dbk_backup_options options = {.watch = {.stop = stop_at_once}};
    char dir[80];
    MDB_env *env;
    MDB_txn *txn;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    snprintf(dir, sizeof dir, "%.60s.bak", s->dir);
    assert_int_equal(dbk_log_backup(s->dir, dir, &options, &s->err), DBK_INTERRUPTED);
    assert_int_not_equal(access(dir, F_OK), 0);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static void a_log_is_restored_up_to_a_record(void **state)
{
    struct scratch *s = *state, copy = {.log = NULL};
    struct dbk_restore_options options = {.to = 21};
    struct dbk_uuid kate;
    bool replayed;
    struct dbk_restored restored;

    fill(s); /* 20 */
    kate = add_person(s, "kate@x.mock");
    submit_keyed(s, &kate, 1, &replayed); /* 22 */
    submit_keyed(s, &kate, 2, &replayed); /* 23 */
    dbk_log_close(s->log);
    s->log = NULL;
    snprintf(copy.dir, sizeof copy.dir, "%.60s.new", s->dir);
    options.to = 24;
    assert_int_equal(dbk_log_restore(s->dir, copy.dir, &options, &restored, &s->err),
                     DBK_INVALID);
    options.to = 22;
    assert_int_equal(dbk_log_restore(s->dir, copy.dir, &options, &restored, &s->err),
                     DBK_OK);
    assert_int_equal(restored.head, 22);
    scratch_open(&copy);
    assert_int_equal(head_of(&copy), 22);
    assert_int_equal(submit_keyed(&copy, &kate, 1, &replayed), DBK_OK);
    assert_true(replayed); /* its record came along */
    assert_int_equal(submit_keyed(&copy, &kate, 2, &replayed), DBK_OK);
    assert_false(replayed); /* its record did not */
    dbk_log_close(copy.log);
    assert_int_equal(dbk_log_restore(s->dir, copy.dir, &options, &restored, &s->err),
                     DBK_EXISTS);
    scratch_remove(copy.dir);
}

static void a_damaged_idempotency_key_is_left_out(void **state)
{
    struct scratch *s = *state, copy = {.log = NULL};
    MDB_val key = {32, "0123456789abcdef0123456789abcdef"}, value = {7, "1234567"};
    const struct dbk_restore_options options = {.to = 0};
    struct dbk_uuid kate;
    bool replayed;
    struct dbk_restored restored;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi idempotency;

    kate = add_person(s, "kate@x.mock");
    submit_keyed(s, &kate, 1, &replayed); /* 2 */
    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "idempotency", 0, &idempotency), 0);
    assert_int_equal(mdb_put(txn, idempotency, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);

    snprintf(copy.dir, sizeof copy.dir, "%.60s.new", s->dir);
    assert_int_equal(dbk_log_restore(s->dir, copy.dir, &options, &restored, &s->err),
                     DBK_OK);
    assert_int_equal(restored.head, 2);
    scratch_open(&copy);
    assert_int_equal(submit_keyed(&copy, &kate, 1, &replayed), DBK_OK);
    assert_true(replayed); /* the other keys are there */
    dbk_log_close(copy.log);
    scratch_remove(copy.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_log_made_again_has_the_same_bytes_and_goes_on),
        TEST(a_record_left_out_is_noticed),
        TEST(a_log_with_records_is_not_added_to),
        TEST(a_backup_is_whole_and_overwrites_nothing),
        TEST(a_backup_is_stopped_and_leaves_nothing),
        TEST(a_log_is_restored_up_to_a_record),
        TEST(a_damaged_idempotency_key_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
