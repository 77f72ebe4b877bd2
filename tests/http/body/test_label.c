#include "check.h"
#include "label.h"

static void assert_good(const char *text)
{
    char why[LABEL_WHY_MAX] = "";

    if (!label_valid(dbk_slice(text), 5, why))
        fail_msg("%s: %s", text, why);
}

static void assert_bad(struct dbk_slice text, const char *expected)
{
    char why[LABEL_WHY_MAX] = "";

    assert_false(label_valid(text, 5, why));
    assert_string_equal(why, expected);
}

static void any_text_will_do(void **state)
{
    (void)state;
    assert_good("a");
    assert_good("a/b c");
    assert_good("\xC2\xA0");
    assert_good("\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80é");
    assert_good(" ");
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_good("ééééé");
    assert_bad(dbk_slice("éééééé"), "must have at most 5 characters");
    assert_bad(dbk_slice(""), "must not be empty");
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    assert_bad(dbk_slice("a\n"), "must not contain control characters");
    assert_bad((struct dbk_slice){"\0", 1}, "must not contain control characters");
    assert_bad(dbk_slice("\x7F"), "must not contain control characters");
    assert_bad(dbk_slice("\xC2\x80"), "must not contain control characters");
    assert_bad(dbk_slice("\xC2\x9F"), "must not contain control characters");
}

static void what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    assert_bad(dbk_slice("\xFF"), "not UTF-8");
    assert_bad(dbk_slice("a\xC3"), "not UTF-8");
    assert_bad(dbk_slice("\xED\xA0\xBD"), "not UTF-8");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_will_do),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(what_is_not_utf8_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
