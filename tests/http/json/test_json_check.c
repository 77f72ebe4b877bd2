#include "check.h"
#include "json_check.h"
#include "json_parse.h"

static enum dbk_code check_bytes(const char *text, size_t length, struct dbk_error *err)
{
    char *copy = exact(text, length);
    enum dbk_code code = dbk_json_check(copy, length, DBK_JSON_VALUES_MAX, err);

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
        "1e308",
        "1e-308",
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
        json_t *value;
        if (check_bytes(texts[i], strlen(texts[i]), &err) != DBK_OK)
            fail_msg("%s: %s", texts[i], err.text);
        assert_int_equal(dbk_json_parse(texts[i], strlen(texts[i]), &value, &err),
                         DBK_OK);
        json_decref(value);
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
        {"1e309", "line 1, column 1: an exponent past 308"},
        {"1e-309", "line 1, column 1: an exponent past 308"},
        {"1e99999999999999999999", "line 1, column 1: an exponent past 308"},
        {"9223372036854775808", "line 1, column 1: an integer beyond 64 bits"},
        {"-9223372036854775809", "line 1, column 1: an integer beyond 64 bits"},
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

static void numbers_are_bounded(void **state)
{
    char text[128];
    struct dbk_error err = {0};

    (void)state;
    memset(text, '1', sizeof text);
    text[1] = '.';
    assert_int_equal(check_bytes(text, 100, &err), DBK_OK);
    assert_int_equal(check_bytes(text, 101, &err), DBK_INVALID);
    assert_string_equal(err.text,
                        "line 1, column 1: a number of more than 100 characters");
}

static void values_are_bounded(void **state)
{
    size_t count = DBK_JSON_VALUES_MAX - 1; /* elements; the array is a value too */
    size_t length = 1 + 2 * count;
    char *text = malloc(length);
    struct dbk_error err = {0};

    (void)state;
    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 0; i < count; i++)
        memcpy(text + 1 + 2 * i, "0,", 2);
    text[length - 1] = ']';
    assert_int_equal(dbk_json_check(text, length, DBK_JSON_VALUES_MAX, &err), DBK_OK);
    assert_int_equal(dbk_json_check(text, length, DBK_JSON_VALUES_MAX - 1, &err),
                     DBK_INVALID);
    assert_non_null(strstr(err.text, "too many values"));
    free(text);
}

static void a_duplicate_key_is_named(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"{\"a\":1,\"a\":2}", "line 1, column 8: duplicate key \"a\""},
        {"{\"email\":1,\n \"x\":{},\"email\":2}", "line 2, column 9: duplicate key "
                                                  "\"email\""},
        {"{\"a\":{\"b\":1,\"c\":2,\"b\":3}}", "line 1, column 19: duplicate key \"b\""},
        {"{\"ab\":1,\"\\u0061b\":2}", "line 1, column 9: duplicate key \"\\u0061b\""},
        {"{\"q\\\"\\\\\":1,\"q\\\"\\\\\":2}", "line 1, column 12: duplicate key "
                                              "\"q\\\"\\\\\""},
        {"[{\"\":1,\"\":2}]", "line 1, column 8: duplicate key \"\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_error err = {0};
        struct dbk_slice accepted;
        json_t *value = NULL;
        assert_int_equal(
            dbk_json_parse(cases[i].text, strlen(cases[i].text), &value, &err),
            DBK_INVALID);
        assert_null(value);
        assert_string_equal(err.text, cases[i].sentence);
        assert_int_equal(
            dbk_json_accept(cases[i].text, strlen(cases[i].text), &accepted, &err),
            DBK_INVALID);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void a_number_past_a_double_is_refused(void **state)
{
    struct dbk_error err = {0};
    struct dbk_slice accepted;
    json_t *value = NULL;

    (void)state;
    assert_int_equal(dbk_json_parse("[99e308]", 8, &value, &err), DBK_INVALID);
    assert_non_null(strstr(err.text, "a number past 1e308"));
    assert_int_equal(dbk_json_accept("[99e308]", 8, &accepted, &err), DBK_INVALID);
    assert_non_null(strstr(err.text, "a number past 1e308"));
}

/* Two keys that stand far apart, among as many others. */
static void duplicates_are_found_among_many(void **state)
{
    static const size_t counts[] = {2, 62, 63, 64, 65, 200};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char text[4096] = "{\"k0\":0";
        struct dbk_slice value;
        struct dbk_error err;
        for (size_t k = 1; k < counts[i]; k++)
            sprintf(text + strlen(text), ",\"k%zu\":0", k);
        strcat(text, "}");
        assert_int_equal(dbk_json_accept(text, strlen(text), &value, &err), DBK_OK);
        strcpy(text + strlen(text) - 1, ",\"k0\":0}");
        assert_int_equal(dbk_json_accept(text, strlen(text), &value, &err),
                         DBK_INVALID);
        assert_non_null(strstr(err.text, "duplicate key \"k0\""));
    }
}

static void assert_settled(const char *text, bool expected)
{
    bool settled;

    assert_int_equal(dbk_json_check_keys(text, strlen(text), &settled, NULL), DBK_OK);
    if (settled != expected)
        fail_msg("%s is%s settled", text, settled ? "" : " not");
}

static void what_needs_a_tree_is_known(void **state)
{
    (void)state;
    assert_settled("{\"a\":1,\"b\":{\"a\":2,\"b\":[{\"a\":3},{\"a\":4}]},\"c\":1.5}",
                   true);
    assert_settled("[\"1e5\", \"\\u0061\", -2.5]", true);
    assert_settled("{\"a\":1,\"\\u0061\":2}", false);
    assert_settled("{\"b\":{\"a\":1,\"a\":2}}", false);
    assert_settled("{\"a\":{\"b\":1},\"a\":2}", false);
    assert_settled("[1e5]", false);
    assert_settled("[1E5]", false);
}

static void assert_string(const char *text, const char *expected)
{
    char *copy = exact(text, strlen(text)), *room = exact(text, strlen(text));
    struct dbk_slice out;

    assert_true(dbk_json_string((struct dbk_slice){copy, strlen(text)}, room, &out));
    assert_slice(out, expected);
    free(room);
    free(copy);
}

static void a_string_is_read_with_and_without_escapes(void **state)
{
    (void)state;
    assert_string("\"\"", "");
    assert_string("\"abc\"", "abc");
    assert_string("\"\\n\"", "\n");
    assert_string("\"a\\u00e4\\ud83d\\ude00\\\"\"", "a\xC3\xA4\xF0\x9F\x98\x80\"");
}

static void white_space_around_a_value_is_cut(void **state)
{
    struct dbk_slice value;

    (void)state;
    assert_int_equal(dbk_json_accept(" \t{ }\r\n", 7, &value, NULL), DBK_OK);
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
        cmocka_unit_test(numbers_are_bounded),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(a_duplicate_key_is_named),
        cmocka_unit_test(a_number_past_a_double_is_refused),
        cmocka_unit_test(duplicates_are_found_among_many),
        cmocka_unit_test(what_needs_a_tree_is_known),
        cmocka_unit_test(a_string_is_read_with_and_without_escapes),
        cmocka_unit_test(white_space_around_a_value_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
