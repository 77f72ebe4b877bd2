#include "check.h"
#include "limiter.h"

#include <pthread.h>

static int make_limiter(void **state)
{
    struct limiter *limiter = calloc(1, sizeof *limiter);

    limiter_init(limiter);
    *state = limiter;
    return 0;
}

static int free_limiter(void **state)
{
    limiter_finish(*state);
    free(*state);
    return 0;
}

static void fail_times(struct limiter *limiter, uint32_t address, int times,
                       int64_t now)
{
    for (int i = 0; i < times; i++)
        assert_int_equal(limiter_fail(limiter, address, now), 0);
}

static void ten_a_minute_are_answered_as_the_first(void **state)
{
    fail_times(*state, 7, 10, 1000);
    assert_int_equal(limiter_fail(*state, 7, 1000), 60);
    assert_int_equal(limiter_fail(*state, 7, 1001), 60);
    assert_int_equal(limiter_fail(*state, 7, 31000), 30);
    assert_int_equal(limiter_fail(*state, 7, 60999), 1);
}

static void the_minute_ends(void **state)
{
    fail_times(*state, 7, 10, 1000);
    assert_int_equal(limiter_fail(*state, 7, 60999), 1);
    fail_times(*state, 7, 10, 61000);
    assert_int_equal(limiter_fail(*state, 7, 61000), 60);
}

/* A clock that starts at 0 with the machine, and the address that nobody has. */
static void zero_is_a_time_and_an_address(void **state)
{
    fail_times(*state, 0, 10, 0);
    assert_int_equal(limiter_fail(*state, 0, 0), 60);
}

static void addresses_are_counted_apart(void **state)
{
    for (uint32_t address = 1; address <= LIMITER_ADDRESSES; address++)
        fail_times(*state, address, 10, 1000);
    for (uint32_t address = 1; address <= LIMITER_ADDRESSES; address++)
        assert_int_equal(limiter_fail(*state, address, 2000), 59);
}

static void the_oldest_makes_room(void **state)
{
    for (uint32_t address = 1; address <= LIMITER_ADDRESSES; address++)
        fail_times(*state, address, 10, 1000 + address);
    fail_times(*state, 5000, 1, 3000); /* in the place of 1 */
    assert_true(limiter_fail(*state, 2, 3000) > 0);
    assert_true(limiter_fail(*state, LIMITER_ADDRESSES, 3000) > 0);
    fail_times(*state, 1, 1, 3001); /* anew, in the place of 2 */
    fail_times(*state, 2, 1, 3002);
    fail_times(*state, 5000, 9, 3003);
    assert_true(limiter_fail(*state, 5000, 3003) > 0);
}

static void *fail_a_hundred(void *limiter)
{
    size_t limited = 0;

    for (int i = 0; i < 100; i++)
        limited += limiter_fail(limiter, 7, 1000) > 0;
    return (void *)(uintptr_t)limited;
}

static void threads_share_the_count(void **state)
{
    pthread_t threads[4];
    uintptr_t limited = 0;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fail_a_hundred, *state), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        limited += (uintptr_t)result;
    }
    assert_int_equal(limited, 390);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_limiter, free_limiter)
    const struct CMUnitTest tests[] = {
        TEST(ten_a_minute_are_answered_as_the_first),
        TEST(the_minute_ends),
        TEST(zero_is_a_time_and_an_address),
        TEST(addresses_are_counted_apart),
        TEST(the_oldest_makes_room),
        TEST(threads_share_the_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
