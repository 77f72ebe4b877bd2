#include "check.h"
#include "json_walk.h"

/* Walk text, and compare what comes with expected, which ends with NULL. */
static void assert_values(const char *text, const char *const *expected)
{
    struct json_walk walk;
    struct dbk_slice value;

    json_walk_start(&walk, dbk_slice(text));
    for (; *expected; expected++) {
        assert_true(json_walk_next(&walk, &value));
        assert_slice(value, *expected);
    }
    assert_false(json_walk_next(&walk, &value));
}

static void elements_come_with_their_own_bytes(void **state)
{
    (void)state;
    assert_values(
        " [ 1 , \"a]\\\"[\" ,{ \"b\": [ ] }\n, null]",
        (const char *const[]){"1", "\"a]\\\"[\"", "{ \"b\": [ ] }", "null", NULL});
    assert_values("[]", (const char *const[]){NULL});
    assert_values(" [ ] ", (const char *const[]){NULL});
}

static void members_come_with_their_values(void **state)
{
    (void)state;
    assert_values("{\"a\" : 1.5e3 ,\"}\\\\\":\"{\",\"\": {\"x\":[{}]}}",
                  (const char *const[]){"1.5e3", "\"{\"", "{\"x\":[{}]}", NULL});
    assert_values("{ }", (const char *const[]){NULL});
}

static void members_come_with_their_keys(void **state)
{
    struct json_walk walk;
    struct dbk_slice value;

    (void)state;
    json_walk_start(&walk, dbk_slice("{\"a\\\"}\" : 1, \"\":2}"));
    assert_true(json_walk_next(&walk, &value));
    assert_slice(walk.key, "\"a\\\"}\"");
    assert_true(json_walk_next(&walk, &value));
    assert_slice(walk.key, "\"\"");
}

static void a_value_shows_what_it_is(void **state)
{
    (void)state;
    assert_string_equal(json_kind(dbk_slice("{}")), "an object");
    assert_string_equal(json_kind(dbk_slice("[]")), "an array");
    assert_string_equal(json_kind(dbk_slice("\"\"")), "a string");
    assert_string_equal(json_kind(dbk_slice("-1")), "a number");
    assert_string_equal(json_kind(dbk_slice("true")), "a boolean");
    assert_string_equal(json_kind(dbk_slice("false")), "a boolean");
    assert_string_equal(json_kind(dbk_slice("null")), "null");
}

static void depth_counts_brackets_outside_strings(void **state)
{
    (void)state;
    assert_int_equal(json_measure(dbk_slice("7")).depth, 0);
    assert_int_equal(json_measure(dbk_slice("\"[[{\"")).depth, 0);
    assert_int_equal(json_measure(dbk_slice("[]")).depth, 1);
    assert_int_equal(json_measure(dbk_slice("[{},{},[1]]")).depth, 2);
    assert_int_equal(json_measure(dbk_slice("{\"a\\\"[\":{\"b\":[0]},\"c\":[]}")).depth,
                     3);
}

static void text_that_was_not_checked_is_not_read_past(void **state)
{
    static const char *const texts[] = {
        "",    "[", "{",    "{\"",      "{\"a",      "{\"a\"", "{\"a\":", "[\"\\",
        "[{[", "]", "[[[]", "{\"a\":{", "{\"a\":\"", "1234",   "[1"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i]);
        char *copy = exact(texts[i], length);
        struct json_walk walk;
        struct dbk_slice value;
        size_t steps = 0;
        json_walk_start(&walk, (struct dbk_slice){copy, length});
        while (json_walk_next(&walk, &value))
            assert_true(++steps <= length);
        free(copy);
    }
}

static void numbers_are_counted_as_they_are_written_out(void **state)
{
    static const struct {
        const char *text;
        size_t written;
    } cases[] = {
        {"[]", 2},
        {"[true,false,null]", 17},
        {"1e3", 4},
        {"-1.5E+12", 14},
        {"12.5e-1", 4},
        {"0.001e3", 1},
        {"[1e-308,2e2]", 1 + 310 + 1 + 3 + 1},
        {"[5e-324,0.10,-3]", 1 + 326 + 1 + 4 + 1 + 2 + 1},
        {"{\"1e99\":\"1e99\"}", 15},
        {"[ 1e3,\t{ \"a b\" :\r\n\"\\\" \" } ]", 5 + 1 + 5 + 2 + 6 + 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(json_measure(dbk_slice(cases[i].text)).written,
                         cases[i].written);
}

static void white_space_and_needless_escapes_are_dropped(void **state)
{
    static const struct {
        const char *text, *compact;
    } cases[] = {
        {"[]", "[]"},
        {"{ }", "{}"},
        {"[1, 2 ,\n3]", "[1,2,3]"},
        {"{\"a b\": \" \\\" c \", \"d\":\t[true, null]}",
         "{\"a b\":\" \\\" c \",\"d\":[true,null]}"},
        {"{\"\\u00e9\": \"\\ud83d\\ude00\\u0041\\/ \\u007f\"}",
         "{\"\xC3\xA9\":\"\xF0\x9F\x98\x80\x41/ \x7F\"}"},
        {"\"\\u0022\\u005c\\u000a\\u0009\\u0001\\n\\\\u0041\"",
         "\"\\\"\\\\\\n\\t\\u0001\\n\\\\u0041\""},
    };
    char out[100];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = json_compact(dbk_slice(cases[i].text), out);
        assert_int_equal(length, strlen(cases[i].compact));
        assert_memory_equal(out, cases[i].compact, length);
        assert_int_equal(json_measure(dbk_slice(cases[i].text)).compact, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_with_their_own_bytes),
        cmocka_unit_test(members_come_with_their_values),
        cmocka_unit_test(members_come_with_their_keys),
        cmocka_unit_test(a_value_shows_what_it_is),
        cmocka_unit_test(depth_counts_brackets_outside_strings),
        cmocka_unit_test(numbers_are_counted_as_they_are_written_out),
        cmocka_unit_test(white_space_and_needless_escapes_are_dropped),
        cmocka_unit_test(text_that_was_not_checked_is_not_read_past),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
