#include "check.h"

#include "budget.h"

#include <pthread.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

static void what_is_held_is_bounded(void **state)
{
    size_t first = 0, second = 0, third = 0;
    struct budget budget;

    (void)state;
    budget_init(&budget, 64 * MIB);
    assert_true(budget_hold(&budget, &first, 30 * MIB));
    assert_true(budget_hold(&budget, &second, 26 * MIB));
    assert_false(budget_hold(&budget, &third, 3 * MIB));
    assert_int_equal(third, 0);
    budget_release(&budget, &first);
    assert_int_equal(first, 0);
    assert_true(budget_hold(&budget, &third, 30 * MIB));
    budget_release(&budget, &third);
    budget_release(&budget, &third);
    budget_release(&budget, &second);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void the_last_eighth_is_not_for_large_ones(void **state)
{
    size_t large = 0, other = 0, small = 0;
    struct budget budget;

    (void)state;
    budget_init(&budget, 64 * MIB);
    assert_true(budget_hold(&budget, &large, 55 * MIB));
    assert_false(budget_hold(&budget, &other, 3 * MIB));
    assert_true(budget_hold(&budget, &other, MIB));
    assert_true(budget_hold(&budget, &small, 2 * MIB));
    assert_false(budget_hold(&budget, &small, 7 * MIB));
    assert_int_equal(small, 2 * MIB);
}

static void little_ones_are_not_counted(void **state)
{
    size_t all = 0, little = 0;
    struct budget budget;

    (void)state;
    budget_init(&budget, MIB);
    assert_true(budget_hold(&budget, &all, MIB));
    assert_true(budget_hold(&budget, &little, 256 * KIB));
    assert_int_equal(little, 0);
    assert_false(budget_hold(&budget, &little, 257 * KIB));
}

static void who_is_alone_is_let_in(void **state)
{
    size_t alone = 0, other = 0;
    struct budget budget;

    (void)state;
    budget_init(&budget, MIB);
    assert_true(budget_hold(&budget, &alone, 5 * MIB));
    assert_true(budget_hold(&budget, &alone, 100 * MIB));
    assert_true(budget_hold(&budget, &alone, 3 * MIB)); /* it holds them already */
    assert_int_equal(alone, 100 * MIB);
    assert_false(budget_hold(&budget, &other, 300 * KIB));
    budget_release(&budget, &alone);
    assert_true(budget_hold(&budget, &other, 300 * KIB));
}

static void *hold_and_release(void *argument)
{
    struct budget *budget = argument;
    uintptr_t wrong = 0;

    for (int i = 0; i < 2000; i++) {
        size_t held = 0;
        if (budget_hold(budget, &held, MIB))
            wrong += atomic_load(&budget->used) > budget->max;
        budget_release(budget, &held);
    }
    return (void *)wrong;
}

static void it_is_shared_between_threads(void **state)
{
    struct budget budget;
    pthread_t threads[4];
    void *wrong;

    (void)state;
    budget_init(&budget, 3 * MIB);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, &budget),
                         0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_is_bounded),
        cmocka_unit_test(the_last_eighth_is_not_for_large_ones),
        cmocka_unit_test(little_ones_are_not_counted),
        cmocka_unit_test(who_is_alone_is_let_in),
        cmocka_unit_test(it_is_shared_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
