/* When the projector waits for a fuller batch, and for whom it does not. */
#include "projector_wait.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ENOUGH = 256, LONG_MS = 60000 };

struct dbk_uuid __wrap_dbk_log_store_id(const struct dbk_log *log);

struct dbk_uuid __wrap_dbk_log_store_id(const struct dbk_log *log)
{
    (void)log;
    return (struct dbk_uuid){{0}};
}

static int make(void **state)
{
    static struct dbk_projector projector;

    projector_init(&projector, NULL, NULL, NULL);
    projector_set_running(&projector, NULL);
    projector.linger_until = dbk_deadline_in(LONG_MS);
    *state = &projector;
    return 0;
}

static int end(void **state)
{
    projector_finish(*state);
    return 0;
}

static void soon_after_a_batch_it_gathers(void **state)
{
    struct dbk_projector *self = *state;

    projector_linger_from_now(self);
    assert_true(projector_linger(self, 1));
}

static void after_a_calm_it_does_not(void **state)
{
    struct dbk_projector *self = *state;

    self->linger_until = dbk_deadline_in(0);
    assert_false(projector_linger(self, 1));
}

static void where_there_is_enough_it_does_not(void **state)
{
    assert_false(projector_linger(*state, ENOUGH));
}

static void at_the_end_it_does_not(void **state)
{
    struct dbk_projector *self = *state;

    self->stopping = true;
    assert_false(projector_linger(self, 1));
}

static void *wait_for_one(void *argument)
{
    dbk_projector_wait(argument, 1, 60000, NULL);
    return NULL;
}

static bool has_waiter(struct dbk_projector *self)
{
    bool has;

    pthread_mutex_lock(&self->lock);
    has = self->waiters;
    pthread_mutex_unlock(&self->lock);
    return has;
}

static void while_a_read_waits_it_does_not(void **state)
{
    struct dbk_projector *self = *state;
    pthread_t reader;

    pthread_create(&reader, NULL, wait_for_one, self);
    while (!has_waiter(self))
        ;
    assert_false(projector_linger(self, 1));
    assert_false(projector_linger(self, 1));
    self->poster.projected = 1;
    projector_publish(self);
    pthread_join(reader, NULL);
}

static void a_read_that_begins_to_wait_ends_it(void **state)
{
    struct dbk_projector *self = *state;
    pthread_t reader;

    pthread_create(&reader, NULL, wait_for_one, self);
    assert_false(projector_linger(self, 1));
    self->poster.projected = 1;
    projector_publish(self);
    pthread_join(reader, NULL);
}

static void after_a_read_had_to_wait_it_does_not_once(void **state)
{
    struct dbk_projector *self = *state;

    assert_int_equal(dbk_projector_wait(self, 1, 1, NULL), DBK_TIMEOUT);
    assert_false(projector_linger(self, 1));
    projector_linger_from_now(self);
    assert_true(projector_linger(self, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(soon_after_a_batch_it_gathers, make, end),
        cmocka_unit_test_setup_teardown(after_a_calm_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(where_there_is_enough_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(at_the_end_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(while_a_read_waits_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(a_read_that_begins_to_wait_ends_it, make, end),
        cmocka_unit_test_setup_teardown(after_a_read_had_to_wait_it_does_not_once, make,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
