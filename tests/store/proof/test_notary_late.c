/* The notary behind a log that was there before it: who writes and reads does not wait for
 * it, and who asks it is told. */
#include "notary_world.h"

#include <stdatomic.h>

static atomic_bool held; /* nothing is hashed meanwhile */
static atomic_uint tries;

enum dbk_code __real_dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                                   const struct dbk_watch *watch,
                                   struct dbk_error *err);
enum dbk_code __wrap_dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                                   const struct dbk_watch *watch,
                                   struct dbk_error *err);
enum dbk_code __wrap_dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                                   const struct dbk_watch *watch, struct dbk_error *err)
{
    atomic_fetch_add(&tries, 1);
    while (atomic_load(&held))
        dbk_sleep_ms(1);
    return __real_dbk_tree_grow(tree, size, watch, err);
}

static int setup(void **state)
{
    atomic_store(&held, false);
    atomic_store(&tries, 0);
    return world_setup(state);
}

static int teardown(void **state)
{
    atomic_store(&held, false);
    return world_teardown(state);
}

/* ... until it would hash. */
static void start_and_hold(struct world *w)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    atomic_store(&held, true);
    atomic_store(&tries, 0);
    start(w, "a.example/log");
    while (atomic_load(&tries) == 0) {
        assert_true(dbk_deadline_left(until) > 0);
        dbk_sleep_ms(1);
    }
}

static void assert_late(struct world *w, uint64_t hashed, uint64_t head)
{
    struct dbk_notary_state now;

    dbk_notary_state(w->notary, &now);
    assert_false(now.signs);
    assert_int_equal(now.code, DBK_UNAVAILABLE);
    assert_int_equal(now.head, head);
    assert_int_equal(now.size, hashed);
    assert_int_equal(dbk_notary_checkpoint(w->notary, &w->shown, &w->s.err),
                     DBK_UNAVAILABLE);
    assert_string_equal(w->s.err.text, "the log is not signed: it has not gone through "
                                       "the log yet");
    assert_int_equal(dbk_notary_await(w->notary, head, 10, &w->shown, &w->s.err),
                     DBK_UNAVAILABLE);
}

static void assert_goes_on(struct world *w)
{
    struct dbk_batch batch = {0};
    uint64_t head = head_of(&w->s);

    fill(&w->s, &w->person, 20);
    assert_int_equal(head_of(&w->s), head + 20);
    assert_int_equal(dbk_log_read(w->s.log, head, 20, 1 << 20, &batch, &w->s.err),
                     DBK_OK);
    assert_int_equal(batch.count, 20);
    dbk_batch_finish(&batch);
}

static void a_log_without_a_tree_is_written_and_read_while_it_is_hashed(void **state)
{
    struct world *w = *state;

    fill(&w->s, &w->person, 700);
    start_and_hold(w);
    assert_late(w, 0, 701);
    assert_goes_on(w);
    assert_late(w, 0, 701); /* as it saw it last */
    atomic_store(&held, false);
    await_signed(w);
    assert_int_equal(w->shown.checkpoint.size, 721);
}

static void a_tail_that_nobody_signed_is_hashed_from_where_the_tree_ends(void **state)
{
    struct world *w = *state;
    struct dbk_signed_checkpoint before;

    fill(&w->s, &w->person, 300);
    start(w, "a.example/log");
    await_signed(w);
    before = w->shown;
    stop_notary(w);
    fill(&w->s, &w->person, 400);
    start_and_hold(w);
    assert_late(w, 256, 701);
    assert_goes_on(w);
    atomic_store(&held, false);
    await_signed(w);
    assert_int_equal(before.checkpoint.size, 301);
    assert_int_equal(w->shown.checkpoint.size, 721);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_log_without_a_tree_is_written_and_read_while_it_is_hashed),
        TEST(a_tail_that_nobody_signed_is_hashed_from_where_the_tree_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
