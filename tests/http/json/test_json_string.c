#include "check.h"
#include "json_string.h"

static void assert_string(const char *text, const char *expected)
{
    char *copy = exact(text, strlen(text)), *room = exact(text, strlen(text));

    assert_slice(json_string_read((struct dbk_slice){copy, strlen(text)}, room),
                 expected);
    free(room);
    free(copy);
}

static void a_string_without_escapes_stays_where_it_is(void **state)
{
    static const char text[] = "\"abc\"";
    struct dbk_slice string = json_string_read(dbk_slice(text), NULL);

    (void)state;
    assert_ptr_equal(string.data, text + 1);
    assert_slice(string, "abc");
    assert_string("\"\"", "");
}

static void escapes_are_read(void **state)
{
    (void)state;
    assert_string("\"\\n\"", "\n");
    assert_string("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz");
    assert_string("\"a\\u00e4\\ud83d\\ude00\\\"\"", "a\xC3\xA4\xF0\x9F\x98\x80\"");
}

static void each_length_of_utf8_is_written(void **state)
{
    (void)state;
    assert_string("\"\\u0001\\u007F\"", "\x01\x7F");
    assert_string("\"\\u0080\\u07ff\"", "\xC2\x80\xDF\xBF");
    assert_string("\"\\u0800\\uFfFf\"", "\xE0\xA0\x80\xEF\xBF\xBF");
    assert_string("\"\\uD800\\uDC00\\uDBFF\\uDFFF\"",
                  "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_without_escapes_stays_where_it_is),
        cmocka_unit_test(escapes_are_read),
        cmocka_unit_test(each_length_of_utf8_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
