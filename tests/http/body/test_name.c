#include "check.h"
#include "event_type.h"
#include "name.h"

static void names_are_trimmed(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"Max", "Max"},
        {"  Max  ", "Max"},
        {"\t\r\nMax\v\f", "Max"},
        {"\xC2\xA0Max\xC2\x85", "Max"},
        {"\xE2\x80\x80Max\xE2\x80\x8A", "Max"},
        {"\xE3\x80\x80\xE5\xB1\xB1\xE3\x80\x80", "\xE5\xB1\xB1"},
        {"\xE2\x80\xA8Max\xE2\x80\xA9", "Max"},
        {"\xE1\x9A\x80Max\xE2\x80\xAF\xE2\x81\x9F", "Max"},
        {"Mary Ann", "Mary Ann"},
        {"O'Neil-\xC3\x9Fy, Jr.", "O'Neil-\xC3\x9Fy, Jr."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_slice name;
        assert_null(name_trim(dbk_slice(cases[i].text), &name));
        assert_slice(name, cases[i].name);
    }
}

static void what_is_no_name_is_told(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "must not be empty"},
        {"   ", "must not be empty"},
        {"\xE3\x80\x80", "must not be empty"},
        {"a\nb", "must not contain control characters"},
        {"a\x7F", "must not contain control characters"},
        {"a\xC2\x80", "must not contain control characters"},
        {"a\xC2\x85z", "must not contain control characters"},
        {"a\xE2\x80\xA8z", "must not contain control characters"},
        {"a\xE2\x80\xA9z", "must not contain control characters"},
        {"a\xFF", "not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_slice name;
        const char *wrong = name_trim(dbk_slice(cases[i].text), &name);
        assert_non_null(wrong);
        assert_string_equal(wrong, cases[i].sentence);
        assert_int_equal(name.length, 0);
    }
}

static void characters_are_counted_not_bytes(void **state)
{
    char text[101 * 4 + 10];
    struct dbk_slice name;

    (void)state;
    for (size_t i = 0; i < 101; i++)
        memcpy(text + i * 4, "\xF0\x9F\x98\x80", 4);
    assert_null(name_trim((struct dbk_slice){text, 400}, &name));
    assert_int_equal(name.length, 400);
    assert_non_null(name_trim((struct dbk_slice){text, 404}, &name));
    memset(text + 400, ' ', 10); /* white space around it does not count */
    assert_null(name_trim((struct dbk_slice){text, 410}, &name));
    assert_int_equal(name.length, 400);
}

static void event_types_can_be_restricted(void **state)
{
    const char *const types[] = {"click", "submitted_feedback", NULL};

    (void)state;
    assert_true(event_type_allowed(dbk_slice("any"), NULL));
    assert_true(event_type_allowed(dbk_slice("click"), types));
    assert_true(event_type_allowed(dbk_slice("signup"), types));
    assert_false(event_type_allowed(dbk_slice("Click"), types));
    assert_false(event_type_allowed(dbk_slice("clic"), types));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_trimmed),
        cmocka_unit_test(what_is_no_name_is_told),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(event_types_can_be_restricted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
