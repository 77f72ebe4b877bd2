#include "sealed_log.h"

#include "store/backup.h"
#include "store/repair.h"
#include "store/replicated.h"

#include <lmdb.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

enum { RECORDS = 30 };

/* What was told, and where. */
struct told {
    char copy[80], beside[80];
    struct dbk_repaired done;
    uint64_t taken, not_taken;
};

static void note(void *context, uint64_t from, uint64_t to, bool taken,
                 const char *text)
{
    struct told *told = context;

    assert_int_not_equal(text[0], '\0');
    *(taken ? &told->taken : &told->not_taken) += to - from + 1;
}

/* A closed log, and a copy of it. */
static void fill(struct scratch *s, struct told *told)
{
    const struct dbk_backup_options options = {.compact = false};

    memset(told, 0, sizeof *told);
    snprintf(told->copy, sizeof told->copy, "%.60s.copy", s->dir);
    snprintf(told->beside, sizeof told->beside, "%.60s.new", s->dir);
    for (int i = 0; i < RECORDS; i++) {
        char email[32];

        snprintf(email, sizeof email, "p%d@x.mock", i);
        add_person(s, email);
    }
    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(dbk_log_backup(s->dir, told->copy, &options, &s->err), DBK_OK);
}

static enum dbk_code repair(struct scratch *s, struct told *told)
{
    const struct dbk_repair_options options = {
        .beside = told->beside, .told = note, .context = told, .keys = s->keys};

    told->taken = told->not_taken = 0;
    return dbk_log_repair_records(s->dir, told->copy, &options, &told->done, &s->err);
}

static MDB_txn *begin(const char *dir, MDB_env **env, MDB_dbi *log)
{
    MDB_txn *txn;

    assert_int_equal(mdb_env_create(env), 0);
    mdb_env_set_maxdbs(*env, 8);
    assert_int_equal(mdb_env_open(*env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(*env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "log", MDB_INTEGERKEY, log), 0);
    return txn;
}

/* Change a byte; with `all`, every one, so that nothing tells what was there. */
static void change(const char *dir, uint64_t sequence, bool all)
{
    MDB_val key = {sizeof sequence, &sequence}, value;
    char bytes[1000];
    MDB_env *env;
    MDB_dbi log;
    MDB_txn *txn = begin(dir, &env, &log);

    assert_int_equal(mdb_get(txn, log, &key, &value), 0);
    memcpy(bytes, value.mv_data, value.mv_size);
    bytes[value.mv_size / 2] ^= 1;
    if (all)
        memset(bytes, 0xa5, value.mv_size);
    value.mv_data = bytes;
    assert_int_equal(mdb_put(txn, log, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void drop(const char *dir, uint64_t sequence)
{
    MDB_val key = {sizeof sequence, &sequence};
    MDB_env *env;
    MDB_dbi log;
    MDB_txn *txn = begin(dir, &env, &log);

    assert_int_equal(mdb_del(txn, log, &key, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* Each record of the one is the other's. */
static void are_same(struct scratch *s, const char *dir, const char *other)
{
    struct dbk_batch here = {0}, there = {0};
    const struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                            .read_only = true};
    struct dbk_log *log;

    assert_int_equal(dbk_log_open(dir, &options, &log, &s->err), DBK_OK);
    assert_int_equal(dbk_log_read(log, 0, 1000, SIZE_MAX, &here, &s->err), DBK_OK);
    dbk_log_close(log);
    assert_int_equal(dbk_log_open(other, &options, &log, &s->err), DBK_OK);
    assert_int_equal(dbk_log_read(log, 0, 1000, SIZE_MAX, &there, &s->err), DBK_OK);
    dbk_log_close(log);
    assert_int_equal(here.count, there.count);
    assert_int_equal(here.bytes_used, there.bytes_used);
    assert_memory_equal(here.bytes, there.bytes, here.bytes_used);
    dbk_batch_finish(&here);
    dbk_batch_finish(&there);
}

static void a_right_log_is_not_touched(void **state)
{
    struct scratch *s = *state;
    struct told told;

    fill(s, &told);
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_int_equal(told.done.damaged, 0);
    assert_int_equal(told.taken + told.not_taken, 0);
    scratch_remove(told.copy);
}

static void what_is_changed_is_put_back(void **state)
{
    struct scratch *s = *state;
    struct told told;

    fill(s, &told);
    change(s->dir, 3, false);
    change(s->dir, 4, true);
    change(s->dir, RECORDS, false);
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_int_equal(told.done.damaged, 3);
    assert_int_equal(told.done.taken, 3);
    assert_false(told.done.built);
    assert_int_equal(told.taken, 3);
    are_same(s, s->dir, told.copy);
    scratch_remove(told.copy);
}

/* Behind it no record shows that the copy's is the one, but the index of aliases does. */
static void an_alias_that_comes_last_is_put_back(void **state)
{
    const struct dbk_backup_options options = {.compact = false};
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record alias = draft_of(DBK_PERSON_ALIASED, &kate);
    struct told told = {.taken = 0};

    alias.anonymous_id = dbk_slice("d1");
    assert_int_equal(submit(s, &alias).code, DBK_OK);
    dbk_log_close(s->log);
    s->log = NULL;
    snprintf(told.copy, sizeof told.copy, "%.60s.copy", s->dir);
    snprintf(told.beside, sizeof told.beside, "%.60s.new", s->dir);
    assert_int_equal(dbk_log_backup(s->dir, told.copy, &options, &s->err), DBK_OK);
    change(s->dir, 2, true);
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_int_equal(told.taken, 1);
    are_same(s, s->dir, told.copy);
    scratch_remove(told.copy);
}

static void what_both_have_lost_stays_lost(void **state)
{
    struct scratch *s = *state;
    struct told told;

    fill(s, &told);
    change(s->dir, 3, false);
    change(s->dir, 5, false);
    change(told.copy, 5, false);
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_int_equal(told.done.taken, 1);
    assert_int_equal(told.not_taken, 1);
    assert_false(told.done.refused);
    scratch_remove(told.copy);
}

static void where_a_record_is_gone_a_new_log_is_built_with_the_same_id(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid id = dbk_log_store_id(s->log), now;
    struct told told;
    char kept[96];

    fill(s, &told);
    drop(s->dir, 7);
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_true(told.done.built);
    are_same(s, told.beside, told.copy);
    snprintf(kept, sizeof kept, "%.60s.damaged", s->dir);
    assert_int_equal(dbk_log_replace(s->dir, told.beside, kept, &s->err), DBK_OK);
    are_same(s, s->dir, told.copy);
    assert_int_not_equal(access(told.beside, F_OK), 0);
    scratch_open(s);
    now = dbk_log_store_id(s->log);
    assert_true(dbk_uuid_equal(&id, &now));
    add_person(s, "new@x.mock");
    assert_int_equal(head_of(s), RECORDS + 1);
    scratch_remove(kept);
    scratch_remove(told.copy);
}

/* Of a member of a cluster: what is built is the one that it was. */
static void a_new_log_has_the_place_of_the_damaged_one(void **state)
{
    const struct dbk_place place = {.next = 9, .epoch = 4, .reseed = -1};
    struct scratch *s = *state;
    struct dbk_place now = {0};
    struct told told;
    char kept[96];

    fill(s, &told);
    scratch_open(s);
    assert_int_equal(dbk_log_put_place(s->log, &place, &s->err), DBK_OK);
    dbk_log_close(s->log);
    s->log = NULL;
    drop(s->dir, 7);
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_true(told.done.built);
    snprintf(kept, sizeof kept, "%.60s.damaged", s->dir);
    assert_int_equal(dbk_log_replace(s->dir, told.beside, kept, &s->err), DBK_OK);
    scratch_open(s);
    assert_int_equal(dbk_log_role(s->log), DBK_LOG_FOLLOWS);
    assert_int_equal(dbk_log_place(s->log, &now, &s->err), DBK_OK);
    assert_int_equal(now.next, 9);
    assert_int_equal(now.epoch, 4);
    scratch_remove(kept);
    scratch_remove(told.copy);
}

static void a_new_log_of_a_sealed_one_is_made_by_its_ring(void **state)
{
    struct scratch *s = *state;
    struct dbk_keys *keys = s->keys;
    struct told told;
    char kept[96];

    fill(s, &told);
    change(s->dir, 3, false); /* in place no key is needed */
    s->keys = NULL;
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_int_equal(told.done.taken, 1);
    assert_false(told.done.built);
    drop(s->dir, 7);
    assert_int_equal(repair(s, &told), DBK_UNSUPPORTED);
    assert_non_null(strstr(s->err.text, "ring of keys, which is not here"));
    assert_int_not_equal(access(told.beside, F_OK), 0);
    s->keys = keys;
    assert_int_equal(repair(s, &told), DBK_OK);
    assert_true(told.done.built);
    snprintf(kept, sizeof kept, "%.60s.damaged", s->dir);
    assert_int_equal(dbk_log_replace(s->dir, told.beside, kept, &s->err), DBK_OK);
    are_same(s, s->dir, told.copy);
    scratch_open(s);
    assert_true(dbk_log_is_sealed(s->log));
    {
        struct dbk_record taken = draft_person("P1@x.mock");

        assert_int_equal(submit(s, &taken).code, DBK_CONFLICT); /* indexes work */
    }
    scratch_remove(kept);
    scratch_remove(told.copy);
}

static void another_history_is_refused(void **state)
{
    struct scratch *s = *state;
    struct told told;

    fill(s, &told);
    scratch_open(s);
    add_person(s, "one@x.mock");
    dbk_log_close(s->log);
    s->log = NULL;
    {
        struct scratch other = {.log = NULL};

        snprintf(other.dir, sizeof other.dir, "%s", told.copy);
        scratch_open(&other);
        add_person(&other, "two@x.mock");
        dbk_log_close(other.log);
    }
    change(s->dir, 3, false);
    assert_int_equal(repair(s, &told), DBK_CONFLICT);
    assert_non_null(strstr(s->err.text, "of another history"));
    scratch_remove(told.copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_right_log_is_not_touched),
        TEST(what_is_changed_is_put_back),
        TEST(an_alias_that_comes_last_is_put_back),
        TEST(what_both_have_lost_stays_lost),
        TEST(where_a_record_is_gone_a_new_log_is_built_with_the_same_id),
        TEST(a_new_log_has_the_place_of_the_damaged_one),
        cmocka_unit_test_setup_teardown(a_new_log_of_a_sealed_one_is_made_by_its_ring,
                                        sealed_setup, sealed_teardown),
        TEST(another_history_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
