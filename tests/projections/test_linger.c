/* When the projector waits for a fuller batch, and for whom it does not. */
#include "projector_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

enum { BUSY = 16, ENOUGH = 256, TIMES = 100 };

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
    projector.batch.count = BUSY;
    *state = &projector;
    return 0;
}

static int end(void **state)
{
    projector_finish(*state);
    return 0;
}

/* How long so many rounds take, with the head at so much. */
static int64_t ms_of(struct dbk_projector *self, int times, uint64_t head)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < times; i++)
        projector_linger(self, head);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

static void where_many_write_it_gathers(void **state)
{
    struct dbk_projector *self = *state;

    assert_true(ms_of(self, TIMES, 1) >= TIMES * 3);
}

static void where_few_write_it_does_not(void **state)
{
    struct dbk_projector *self = *state;

    self->batch.count = BUSY - 1;
    assert_true(ms_of(self, TIMES, 1) < TIMES * 3);
}

static void where_there_is_enough_it_does_not(void **state)
{
    struct dbk_projector *self = *state;

    assert_true(ms_of(self, TIMES, ENOUGH) < TIMES * 3);
}

static void at_the_end_it_does_not(void **state)
{
    struct dbk_projector *self = *state;

    self->stopping = true;
    assert_true(ms_of(self, TIMES, 1) < TIMES * 3);
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
    assert_true(ms_of(self, TIMES, 1) < TIMES * 3);
    self->projected = 1;
    projector_publish(self);
    pthread_join(reader, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(where_many_write_it_gathers, make, end),
        cmocka_unit_test_setup_teardown(where_few_write_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(where_there_is_enough_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(at_the_end_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(while_a_read_waits_it_does_not, make, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
