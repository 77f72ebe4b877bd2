#include "check.h"

#include "fresh.h"

static int wait_of(const char *header)
{
    const struct head head = {.count = header ? 1 : 0, .fields = {{"Prefer", header}}};
    int seconds = -1;

    return fresh_prefer_wait(&head, &seconds) ? seconds : -1;
}

static void wait_is_found_among_other_preferences(void **state)
{
    (void)state;
    assert_int_equal(wait_of("wait=5"), 5);
    assert_int_equal(wait_of("Wait = 5"), 5);
    assert_int_equal(wait_of("return=minimal, wait=7; x=y"), 7);
    assert_int_equal(wait_of("respond-async,wait=0"), 0);
}

static void the_first_wait_counts(void **state)
{
    (void)state;
    assert_int_equal(wait_of("wait=3, wait=4"), 3);
}

static void a_long_wait_is_cut(void **state)
{
    (void)state;
    assert_int_equal(wait_of("wait=61"), FRESH_WAIT_MAX);
    assert_int_equal(wait_of("wait=99999999999999999999999"), FRESH_WAIT_MAX);
}

static void what_is_not_understood_is_ignored(void **state)
{
    static const char *const other[] = {"",        "wait",     "wait=",     "wait=x",
                                        "wait=-1", "wait=1.5", "waiting=5", ",,,"};

    (void)state;
    assert_int_equal(wait_of(NULL), -1);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_int_equal(wait_of(other[i]), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_is_found_among_other_preferences),
        cmocka_unit_test(the_first_wait_counts),
        cmocka_unit_test(a_long_wait_is_cut),
        cmocka_unit_test(what_is_not_understood_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
