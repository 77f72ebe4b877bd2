/* What happens when a commit fails: mdb_txn_commit is wrapped by the linker, and so is
 * mdb_txn_begin, which then fails, too. */
#include "scratch_log.h"
#include "scripted_commits.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include <lmdb.h>

int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);

/* How many transactions to refuse, as in a dead environment. */
static atomic_int panics;

int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    if (atomic_load(&panics) > 0 && atomic_fetch_sub(&panics, 1) > 0)
        return MDB_PANIC;
    return __real_mdb_txn_begin(env, parent, flags, txn);
}

static int teardown(void **state)
{
    atomic_store(&commits, NULL);
    return scratch_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, teardown)

static enum dbk_code try_event(struct scratch *s, const struct dbk_uuid *person,
                               uint64_t *sequence)
{
    struct dbk_record event = draft_event(person);
    struct dbk_command *command = command_of(&event);
    enum dbk_code code = dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err);

    *sequence = dbk_command_verdict(command)->sequence;
    dbk_command_destroy(command);
    return code;
}

static void a_commit_that_failed_is_not_acknowledged(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    uint64_t sequence;

    atomic_store(&commits, "x");
    assert_int_equal(try_event(s, &kate, &sequence), DBK_IO);
    assert_int_equal(head_of(s), 1);
    assert_int_equal(try_event(s, &kate, &sequence), DBK_OK);
    assert_int_equal(sequence, 2);
}

static void a_commit_that_happened_after_all_is_acknowledged(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    uint64_t sequence;

    atomic_store(&commits, "?");
    assert_int_equal(try_event(s, &kate, &sequence), DBK_OK);
    assert_int_equal(sequence, 2);
    assert_int_equal(head_of(s), 2);
}

static enum dbk_code take_patch(struct dbk_slice current, struct dbk_slice patch,
                                char *out, size_t size, size_t *length,
                                struct dbk_error *err)
{
    (void)current;
    (void)size;
    (void)err;
    memcpy(out, patch.data, patch.length);
    out[patch.length] = ' ';
    *length = patch.length + 1;
    return DBK_OK;
}

/* Also where the record is none that was drafted. */
static void a_merge_that_happened_after_all_is_acknowledged(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record patch = draft_of(DBK_PERSON_UPDATED, &kate);
    struct dbk_command *command;

    patch.person.has = DBK_HAS_PROPERTIES;
    patch.person.properties = dbk_slice("{}");
    command = command_of(&patch);
    dbk_command_merge(command, take_patch);
    atomic_store(&commits, "?");
    assert_int_equal(submit_command(s, command).sequence, 2);
    dbk_command_destroy(command);
}

static void what_may_not_be_on_disk_is_not_acknowledged(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    uint64_t sequence;

    /* It is visible, but the commit that would prove it on disk fails as well: after
     * reopening there is one commit of the opening itself, then the proof. */
    atomic_store(&commits, "?.x");
    assert_int_equal(try_event(s, &kate, &sequence), DBK_IN_DOUBT);
    assert_non_null(strstr(s->err.text, "unknown what was recorded: settle: "));
    assert_int_equal(try_event(s, &kate, &sequence), DBK_OK);
    assert_int_equal(sequence, 3);
}

static void a_reader_that_comes_before_it_is_reopened_waits_for_that(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_person_state found;

    atomic_store(&panics, 3);
    assert_int_equal(dbk_log_person(s->log, &kate, &found, &s->err), DBK_OK);
    assert_int_equal(found.version, 1);
}

static void a_writer_that_finds_it_dead_reopens_it(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    uint64_t sequence;

    atomic_store(&panics, 1);
    assert_int_equal(try_event(s, &kate, &sequence), DBK_OK);
    assert_int_equal(sequence, 2);
}

static void a_log_that_cannot_be_reopened_comes_back(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    uint64_t sequence, head;

    atomic_store(&commits, "*"); /* the commit, the opening's, and all to come */
    assert_int_equal(try_event(s, &kate, &sequence), DBK_IN_DOUBT);
    assert_int_equal(dbk_log_head(s->log, &head, &s->err), DBK_UNAVAILABLE);
    assert_int_equal(try_event(s, &kate, &sequence), DBK_IO);
    atomic_store(&commits, NULL);
    assert_int_equal(try_event(s, &kate, &sequence), DBK_OK);
    assert_int_equal(sequence, 2);
}

static void
a_log_that_cannot_be_reopened_comes_back_for_those_who_only_read(void **state)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    enum dbk_code code = DBK_UNAVAILABLE;
    uint64_t sequence, head;

    atomic_store(&commits, "*");
    assert_int_equal(try_event(s, &kate, &sequence), DBK_IN_DOUBT);
    assert_int_equal(dbk_log_head(s->log, &head, &s->err), DBK_UNAVAILABLE);
    atomic_store(&commits, NULL);
    for (int i = 0; code == DBK_UNAVAILABLE && i < 3000; i++) {
        nanosleep(&moment, NULL);
        code = dbk_log_head(s->log, &head, &s->err);
    }
    assert_int_equal(code, DBK_OK);
    assert_int_equal(head, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_that_failed_is_not_acknowledged),
        TEST(a_commit_that_happened_after_all_is_acknowledged),
        TEST(a_merge_that_happened_after_all_is_acknowledged),
        TEST(what_may_not_be_on_disk_is_not_acknowledged),
        TEST(a_reader_that_comes_before_it_is_reopened_waits_for_that),
        TEST(a_writer_that_finds_it_dead_reopens_it),
        TEST(a_log_that_cannot_be_reopened_comes_back),
        TEST(a_log_that_cannot_be_reopened_comes_back_for_those_who_only_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
