#include "check.h"

#include "prefer.h"

static const char *found(const char *first, const char *second)
{
    static char out[64];
    const struct head head = {.count = 2,
                              .fields = {{"Prefer", first}, {"prefer", second}}};
    struct dbk_slice value;

    if (!prefer_find(&head, "wait", &value))
        return NULL;
    snprintf(out, sizeof out, "%.*s", (int)value.length, value.data);
    return out;
}

static void a_preference_is_found_among_others_and_in_another_line(void **state)
{
    (void)state;
    assert_string_equal(found("wait=5", ""), "5");
    assert_string_equal(found("Wait = 5", ""), "5");
    assert_string_equal(found("return=minimal, wait=7; x=y", ""), "7");
    assert_string_equal(found("respond-async", "a;b=\"x, y\",wait=\"0 1\"; c"), "0 1");
    assert_string_equal(found("wait", ""), "");
    assert_string_equal(found("wait; a", ""), "");
    assert_string_equal(found("wait=", ""), "");
    assert_string_equal(found("wait=\"5", ""), "5");
}

static void the_first_counts(void **state)
{
    (void)state;
    assert_string_equal(found("wait=3, wait=4", ""), "3");
    assert_string_equal(found("wait=x", "wait=4"), "x");
}

static void others_are_none(void **state)
{
    (void)state;
    assert_null(found("", ""));
    assert_null(found("waiting=5", "a=\"wait=5\""));
    assert_null(found("wai", "a; wait=5"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preference_is_found_among_others_and_in_another_line),
        cmocka_unit_test(the_first_counts),
        cmocka_unit_test(others_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
