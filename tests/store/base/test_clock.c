/* Deadlines and waiting for them. */
#include "store/clock.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_deadline_that_has_passed_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(dbk_deadline_left(dbk_deadline_in(-1)), 0);
    assert_int_equal(dbk_deadline_left(dbk_deadline_in(0)), 0);
    assert_int_equal(dbk_deadline_left(dbk_deadline_in(INT_MIN)), 0);
}

static void one_to_come_leaves_what_is_left_of_it(void **state)
{
    int left = dbk_deadline_left(dbk_deadline_in(3600000));

    (void)state;
    assert_in_range(left, 3500000, 3600000);
    assert_in_range(dbk_deadline_left(dbk_deadline_in(INT_MAX)), INT_MAX - 100000,
                    INT_MAX);
}

static void all_clocks_tell_one_time(void **state)
{
    int64_t tick = dbk_clock_tick_ms(), ms = dbk_clock_ms(), us = dbk_clock_us();

    (void)state;
    assert_true(tick <= ms);
    assert_true(ms <= us / 1000);
    assert_true(us / 1000 - tick < 60000);
}

/* On the clock that the deadline is of: on another it would come at once, or never. */
static void a_wait_ends_at_its_deadline_and_not_before(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    dbk_deadline until = dbk_deadline_in(20);
    pthread_cond_t cond;

    (void)state;
    assert_int_equal(dbk_cond_init(&cond), 0);
    pthread_mutex_lock(&mutex);
    while (dbk_cond_wait(&cond, &mutex, until))
        ;
    pthread_mutex_unlock(&mutex);
    assert_int_equal(dbk_deadline_left(until), 0);
    pthread_cond_destroy(&cond);
}

struct bell {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool rung;
};

static void *ring(void *argument)
{
    struct bell *bell = argument;

    pthread_mutex_lock(&bell->mutex);
    bell->rung = true;
    pthread_cond_signal(&bell->cond);
    pthread_mutex_unlock(&bell->mutex);
    return NULL;
}

static void a_signal_ends_it_in_time(void **state)
{
    struct bell bell = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    dbk_deadline until = dbk_deadline_in(60000);
    pthread_t thread;

    (void)state;
    dbk_cond_init(&bell.cond);
    pthread_mutex_lock(&bell.mutex);
    pthread_create(&thread, NULL, ring, &bell);
    while (!bell.rung)
        assert_true(dbk_cond_wait(&bell.cond, &bell.mutex, until));
    pthread_mutex_unlock(&bell.mutex);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&bell.cond);
}

static void sleeping_takes_as_long_as_it_says(void **state)
{
    int64_t before = dbk_clock_us();

    (void)state;
    dbk_sleep_ms(5);
    assert_true(dbk_clock_us() - before >= 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_that_has_passed_leaves_nothing),
        cmocka_unit_test(one_to_come_leaves_what_is_left_of_it),
        cmocka_unit_test(all_clocks_tell_one_time),
        cmocka_unit_test(a_wait_ends_at_its_deadline_and_not_before),
        cmocka_unit_test(a_signal_ends_it_in_time),
        cmocka_unit_test(sleeping_takes_as_long_as_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
