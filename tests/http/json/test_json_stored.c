/* The expected texts are what PostgreSQL 15 makes of these: select '…'::jsonb. That it is
 * so for whatever comes is tested against it (tests/e2e/lists/test_look_ups.py). */
#include "check.h"
#include "json_stored.h"

static void assert_stored(const char *text, const char *expected)
{
    char *json = exact(text, strlen(text));
    struct dbk_render render = {0};

    assert_true(json_stored_render(&render, (struct dbk_slice){json, strlen(text)}));
    assert_slice((struct dbk_slice){render.text, render.length}, expected);
    free(json);
    dbk_render_finish(&render);
}

static void white_space_is_one_space_behind_colons_and_commas(void **state)
{
    (void)state;
    assert_stored(" {\"a\":1,\"b\":[1,2,{}],\n\t\"c\" : [ ]}",
                  "{\"a\": 1, \"b\": [1, 2, {}], \"c\": []}");
    assert_stored("{ }", "{}");
}

static void shorter_keys_come_first(void **state)
{
    (void)state;
    assert_stored("{\"aaa\":1,\"b\":2,\"cc\":3,\"a\":4,\"\":5}",
                  "{\"\": 5, \"a\": 4, \"b\": 2, \"cc\": 3, \"aaa\": 1}");
    assert_stored("{\"b\":{\"dd\":1,\"c\":2},\"a\":[{\"f\":1,\"e\":2}]}",
                  "{\"a\": [{\"e\": 2, \"f\": 1}], \"b\": {\"c\": 2, \"dd\": 1}}");
}

static void keys_are_compared_without_their_escapes(void **state)
{
    (void)state;
    assert_stored("{\"\\u0062\":1,\"a\":2,\"\\u00e9\":3,\"zz\":4}",
                  "{\"a\": 2, \"b\": 1, \"zz\": 4, \"é\": 3}");
}

static void strings_keep_only_the_escapes_they_need(void **state)
{
    (void)state;
    assert_stored(
        "{\"a\":\"\\/\\u0041\\ud83d\\ude00\\u001f\\u0008\\n\\\"\\\\\\u007f\"}",
        "{\"a\": \"/A\xF0\x9F\x98\x80\\u001f\\b\\n\\\"\\\\\x7F\"}");
    assert_stored("{\"a\":\"\x7F é\"}", "{\"a\": \"\x7F é\"}");
}

static void numbers_are_written_out(void **state)
{
    (void)state;
    assert_stored("[0,-0,-0.0,0.50,-12.5,true,false,null]",
                  "[0, 0, 0.0, 0.50, -12.5, true, false, null]");
    assert_stored("[1e3,1E+2,1.5e1,1.50e1,1.25e1,-1e0,1.0e0]",
                  "[1000, 100, 15, 15.0, 12.5, -1, 1.0]");
    assert_stored(
        "[1e21,18446744073709551616,-1.20e+0002,0.00120e4,123.456e2,123.456e-2]",
        "[1000000000000000000000, 18446744073709551616, -120, 12.0, 12345.6, "
        "1.23456]");
    assert_stored("[1e-3,12e-1,0.001e5,0.00e1,-0e9,100e-2,0.0e-2]",
                  "[0.001, 1.2, 100, 0.0, 0, 1.00, 0.000]");
}

/* More members than are kept without memory, in as many objects as are taken. */
static void white_space_around_a_scalar_is_no_part_of_it(void **state)
{
    (void)state;
    assert_stored(" 1e2\n", "100");
    assert_stored("1e-50 ", "0.00000000000000000000000000000000000000000000000001");
    assert_stored("\t\"\\u0041\" ", "\"A\"");
    assert_stored("true\r\n", "true");
}

static void wide_and_deep_ones_are_whole(void **state)
{
    static char text[4096], expected[4096];

    (void)state;
    for (int i = 0; i < 15; i++) {
        strcat(text, "{\"y\":1,\"x\":[");
        strcat(expected, "{\"x\": [");
    }
    for (int i = 99; i >= 10; i--)
        sprintf(text + strlen(text), "%s\"%d\":\"\\u0061\"", i < 99 ? "," : "{", i);
    for (int i = 10; i <= 99; i++)
        sprintf(expected + strlen(expected), "%s\"%d\": \"a\"", i > 10 ? ", " : "{", i);
    strcat(text, "}");
    strcat(expected, "}");
    for (int i = 0; i < 15; i++) {
        strcat(text, "]}");
        strcat(expected, "], \"y\": 1}");
    }
    assert_stored(text, expected);
}

static void what_is_not_taken_is_left_as_it_is(void **state)
{
    (void)state;
    assert_stored("{\"b\":1,\"a\":", "{\"b\":1,\"a\":");
    assert_stored("{\"a\":1e1000}", "{\"a\":1e1000}");
    assert_stored("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_is_one_space_behind_colons_and_commas),
        cmocka_unit_test(shorter_keys_come_first),
        cmocka_unit_test(keys_are_compared_without_their_escapes),
        cmocka_unit_test(strings_keep_only_the_escapes_they_need),
        cmocka_unit_test(numbers_are_written_out),
        cmocka_unit_test(white_space_around_a_scalar_is_no_part_of_it),
        cmocka_unit_test(wide_and_deep_ones_are_whole),
        cmocka_unit_test(what_is_not_taken_is_left_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
