#include "check.h"
#include "json_check.h"

#define MANY_DIGITS "line 1, column 1: a number of more than 1000 digits, written out"

static enum dbk_code check_bytes(const char *text, size_t length, struct dbk_error *err)
{
    char *copy = exact(text, length);
    enum dbk_code code = json_check(copy, length, JSON_VALUES_MAX, err);

    free(copy);
    return code;
}

static void what_json_allows_is_read(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " \t\r\n{ } \n",
        "null",
        "true",
        "false",
        "\"\"",
        "0",
        "-0",
        "-0.0e-0",
        "1E+2",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "-18446744073709551616",
        "1e308",
        "1e-308",
        "5e-324",
        "1e-999",
        "1e+00000000000000000000000000000000000000000012",
        "0.1",
        "[1,2,[3,{\"a\":[]}]]",
        "{\"\":{\"\":\"\"}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\"",
        "\"\\ud83d\\ude00\\uFFFF\"",
        "\"\xC2\x80\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\x7F\"",
        "\"\xED\x9F\xBF\xEE\x80\x80\"",
    };
    struct dbk_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct dbk_slice value;
        if (check_bytes(texts[i], strlen(texts[i]), &err) != DBK_OK)
            fail_msg("%s: %s", texts[i], err.text);
        assert_int_equal(json_accept(texts[i], strlen(texts[i]), &value, &err), DBK_OK);
    }
}

static void each_fault_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "empty, where JSON is expected"},
        {" \n ", "empty, where JSON is expected"},
        {"{", "line 1, column 2: the JSON ends too early"},
        {"[1,", "line 1, column 4: the JSON ends too early"},
        {"{\"a\"", "line 1, column 5: the JSON ends too early"},
        {"\"abc", "line 1, column 5: the JSON ends inside a string"},
        {"\"abc\\", "line 1, column 5: the JSON ends inside a string"},
        {"{} x", "line 1, column 4: trailing bytes after the JSON value"},
        {"{}{}", "line 1, column 3: trailing bytes after the JSON value"},
        {"{'a':1}", "line 1, column 2: expected a key in double quotes"},
        {"{\"a\" 1}", "line 1, column 6: expected a colon behind the key"},
        {"{\"a\":}", "line 1, column 6: expected a JSON value"},
        {"{\"a\":1,}", "line 1, column 8: expected a key in double quotes"},
        {"[1,]", "line 1, column 4: expected a JSON value"},
        {"[1 2]", "line 1, column 4: expected a comma or ]"},
        {"{\"a\":1 \"b\":2}", "line 1, column 8: expected a comma or }"},
        {"[1}", "line 1, column 3: expected a comma or ]"},
        {"nul", "line 1, column 1: expected a JSON value"},
        {"NaN", "line 1, column 1: expected a JSON value"},
        {"Infinity", "line 1, column 1: expected a JSON value"},
        {"+1", "line 1, column 1: expected a JSON value"},
        {"01", "line 1, column 1: a number must not begin with 0"},
        {"-", "line 1, column 1: expected a digit"},
        {"1.", "line 1, column 1: expected a digit behind the decimal point"},
        {".5", "line 1, column 1: expected a JSON value"},
        {"1e", "line 1, column 1: expected a digit in the exponent"},
        {"1e-1000", MANY_DIGITS},
        {"1e1000", MANY_DIGITS},
        {"0e1001", MANY_DIGITS},
        {"0.0e-999", MANY_DIGITS},
        {"1e99999999999999999999", MANY_DIGITS},
        {"-1e-99999999999999999999", MANY_DIGITS},
        {"\"\n\"", "line 1, column 2: a control character in a string must be escaped"},
        {"\"\\x\"", "line 1, column 2: no such escape in JSON"},
        {"\"\\u12g4\"", "line 1, column 2: \\u needs four hexadecimal digits"},
        {"\"\\u12", "line 1, column 2: \\u needs four hexadecimal digits"},
        {"\"\\u0000\"", "line 1, column 2: \\u0000 is not allowed"},
        {"\"\\ud800\"", "line 1, column 2: half of a surrogate pair"},
        {"\"\\ud800\\ud800\"", "line 1, column 2: half of a surrogate pair"},
        {"\"\\udc00\"", "line 1, column 2: half of a surrogate pair"},
        {"\"\xFF\"", "line 1, column 2: not UTF-8"},
        {"\"\xC0\x80\"", "line 1, column 2: not UTF-8"},
        {"\"\xE0\x80\x80\"", "line 1, column 2: not UTF-8"},
        {"\"\xED\xA0\x80\"", "line 1, column 2: not UTF-8"},
        {"\"\xF4\x90\x80\x80\"", "line 1, column 2: not UTF-8"},
        {"\"\xE2\x82", "line 1, column 2: not UTF-8"},
        {"\xEF\xBB\xBF{}", "line 1, column 1: expected a JSON value"},
        {"{\n  \"\xC3\xA9\": \"\xC3\xA9\", x}",
         "line 2, column 13: expected a key in double "
         "quotes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_error err = {0};
        assert_int_equal(check_bytes(cases[i].text, strlen(cases[i].text), &err),
                         DBK_INVALID);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void a_nul_byte_is_refused_wherever_it_is(void **state)
{
    struct dbk_error err = {0};

    (void)state;
    assert_int_equal(check_bytes("{}\0", 3, &err), DBK_INVALID);
    assert_int_equal(check_bytes("\0{}", 3, &err), DBK_INVALID);
    assert_int_equal(check_bytes("\"a\0b\"", 5, &err), DBK_INVALID);
    assert_int_equal(check_bytes("\"a\\\0b\"", 6, &err), DBK_INVALID);
}

static void depth_is_bounded(void **state)
{
    char text[80];
    struct dbk_error err = {0};

    (void)state;
    memset(text, '[', 40);
    memset(text + 32, ']', 32);
    assert_int_equal(check_bytes(text, 64, &err), DBK_OK);
    memset(text, '[', 40);
    memset(text + 33, ']', 33);
    assert_int_equal(check_bytes(text, 66, &err), DBK_INVALID);
    assert_string_equal(err.text, "line 1, column 33: nested deeper than 32 levels");
}

static void siblings_do_not_add_to_the_depth(void **state)
{
    char text[202] = "[";
    struct dbk_error err = {0};

    (void)state;
    for (size_t i = 0; i < 66; i++)
        memcpy(text + 1 + i * 3, "[],", 3);
    memcpy(text + 1 + 66 * 3, "1]", 2);
    assert_int_equal(check_bytes(text, 1 + 66 * 3 + 2, &err), DBK_OK);
}

/* As it is sent, and as it is written out. */
static void the_digits_of_a_number_are_bounded(void **state)
{
    static const struct {
        const char *before, *behind;
        size_t zeros;
        bool taken;
    } cases[] = {
        {"1", "", 999, true},          {"1", "", 1000, false},
        {"-0.", "1", 998, true},       {"0.", "1", 999, false},
        {"12345", ".6e-3", 994, true}, {"12345", ".6e-3", 995, false},
        {"1e", "999", 5000, true},     {"1e-", "999", 5000, true},
        {"1e", "1000", 5000, false},   {"0.", "1e1000", 998, true}, /* 10 */
        {"0.", "1e1000", 999, false},  {"0.", "1e20000", 19998, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[20100], *at = stpcpy(text, cases[i].before);
        struct dbk_error err = {0};
        memset(at, '0', cases[i].zeros);
        strcpy(at + cases[i].zeros, cases[i].behind);
        check_bytes(text, strlen(text), &err);
        if (strcmp(err.text, cases[i].taken ? "" : MANY_DIGITS) != 0)
            fail_msg("%zu: %s", i, err.text);
    }
}

static void values_are_bounded(void **state)
{
    size_t count = JSON_VALUES_MAX - 1; /* elements; the array is a value too */
    size_t length = 1 + 2 * count;
    char *text = malloc(length);
    struct dbk_error err = {0};

    (void)state;
    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 0; i < count; i++)
        memcpy(text + 1 + 2 * i, "0,", 2);
    text[length - 1] = ']';
    assert_int_equal(json_check(text, length, JSON_VALUES_MAX, &err), DBK_OK);
    assert_int_equal(json_check(text, length, JSON_VALUES_MAX - 1, &err), DBK_INVALID);
    assert_non_null(strstr(err.text, "too many values"));
    free(text);
}

static void a_number_past_a_double_is_refused(void **state)
{
    static const char *const huge[] = {"99e308",
                                       "-1.8e308",
                                       "1e309",
                                       "1e400",
                                       "1.797693134862315808e308",
                                       "17976931348623158079.4e289",
                                       "0.00017976931348623158079372897140530342e312"};
    static const char *const held[] = {"1.797693134862315807e308",
                                       "17976931348623158079.3e289",
                                       "-1e308",
                                       "1e-308",
                                       "0e308",
                                       "0e999",
                                       "0.00017976931348623158079372897140530341e312",
                                       "0.001e-308"};
    struct dbk_error err = {0};
    struct dbk_slice value;

    (void)state;
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        assert_int_equal(json_accept(huge[i], strlen(huge[i]), &value, &err),
                         DBK_INVALID);
        assert_string_equal(err.text, "line 1, column 1: a number past 1.8e308");
        assert_int_equal(check_bytes(huge[i], strlen(huge[i]), &err), DBK_OK);
    }
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        assert_int_equal(json_accept(held[i], strlen(held[i]), &value, &err), DBK_OK);
}

static void white_space_around_a_value_is_cut(void **state)
{
    struct dbk_slice value;

    (void)state;
    assert_int_equal(json_accept(" \t{ }\r\n", 7, &value, NULL), DBK_OK);
    assert_slice(value, "{ }");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_json_allows_is_read),
        cmocka_unit_test(each_fault_is_told_with_its_place),
        cmocka_unit_test(a_nul_byte_is_refused_wherever_it_is),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(siblings_do_not_add_to_the_depth),
        cmocka_unit_test(the_digits_of_a_number_are_bounded),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(a_number_past_a_double_is_refused),
        cmocka_unit_test(white_space_around_a_value_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
