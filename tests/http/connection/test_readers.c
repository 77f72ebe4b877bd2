/* How many requests may be under way that wait for the read tables. */
#include "readers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 16 /* 12 reads, 8 of them lists, 4 of one client */
#define MANY 16

static struct readers readers;
static struct reader list[MANY];

static int begin(void **state)
{
    (void)state;
    readers_init(&readers, THREADS);
    for (size_t i = 0; i < MANY; i++)
        list[i] = (struct reader){.client = 0};
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        readers_leave(&readers, &list[i]);
    readers_finish(&readers);
    return 0;
}

static enum readers_verdict enter(size_t i, uint64_t client, bool lists)
{
    return readers_enter(&readers, &list[i], client, lists);
}

static void a_quarter_of_the_threads_is_left_to_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(enter(i, 1, false), READERS_IN);
    assert_int_equal(enter(12, 2, false), READERS_FULL);
    readers_leave(&readers, &list[3]);
    assert_int_equal(enter(12, 2, false), READERS_IN);
}

static void one_clients_lists_leave_room_for_anothers_and_for_look_ups(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(enter(i, 1, true), READERS_IN);
    assert_int_equal(enter(4, 1, true), READERS_SHARE);
    assert_int_equal(enter(4, 1, false), READERS_IN); /* a look-up */
    for (size_t i = 5; i < 9; i++)
        assert_int_equal(enter(i, 2, true), READERS_IN);
    assert_int_equal(enter(9, 3, true), READERS_FULL);
    assert_int_equal(enter(9, 3, false), READERS_IN);
}

static void one_that_is_in_stays_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(enter(i, 1, false), READERS_IN);
    assert_int_equal(enter(5, 1, false), READERS_IN);
    readers_leave(&readers, &list[5]);
    readers_leave(&readers, &list[5]);
    assert_int_equal(enter(12, 1, false), READERS_IN);
    assert_int_equal(enter(5, 1, false), READERS_FULL);
}

static void *leave_one(void *one)
{
    usleep(5000);
    readers_leave(&readers, one);
    return NULL;
}

static void whoever_waits_a_moment_gets_the_place_that_is_left(void **state)
{
    pthread_t thread;

    (void)state;
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(enter(i, 1, false), READERS_IN);
    for (int tries = 0; !list[12].counted; tries++) { /* a busy machine is late */
        assert_true(tries < 100);
        assert_int_equal(pthread_create(&thread, NULL, leave_one, &list[0]), 0);
        if (enter(12, 2, false) != READERS_IN) {
            pthread_join(thread, NULL);
            assert_int_equal(enter(0, 1, false), READERS_IN);
            continue;
        }
        pthread_join(thread, NULL);
    }
    assert_false(list[0].counted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_quarter_of_the_threads_is_left_to_others),
        TEST(one_clients_lists_leave_room_for_anothers_and_for_look_ups),
        TEST(one_that_is_in_stays_in),
        TEST(whoever_waits_a_moment_gets_the_place_that_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
