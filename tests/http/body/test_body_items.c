#include "body_fields.h"
#include "check.h"

static void assert_items(const char *text, bool lines, const char *const *expected)
{
    char *copy = exact(text, strlen(text));
    struct body_items items;
    struct dbk_error err = {0};
    struct dbk_slice item;
    size_t count = 0;

    while (expected[count])
        count++;
    if (body_items_open(copy, strlen(text), lines, 10, &items, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(items.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(body_items_next(&items, &item));
        assert_slice(item, expected[i]);
    }
    assert_false(body_items_next(&items, &item));
    free(copy);
}

static void assert_refused(const char *text, bool lines, enum dbk_code code,
                           const char *sentence)
{
    struct body_items items;
    struct dbk_error err = {0};
    struct dbk_slice item;

    assert_int_equal(body_items_open(text, strlen(text), lines, 3, &items, &err), code);
    assert_string_equal(err.text, sentence);
    assert_int_equal(items.count, 0);
    assert_false(body_items_next(&items, &item));
}

static void an_array_is_cut_into_its_elements(void **state)
{
    (void)state;
    assert_items(" [ {\"a\":[1,\"]\"]} ,\n{ } , 7, null ] \n", false,
                 (const char *const[]){"{\"a\":[1,\"]\"]}", "{ }", "7", "null", NULL});
    assert_items("[{}]", false, (const char *const[]){"{}", NULL});
}

static void what_is_wrong_inside_an_element_is_left_to_it(void **state)
{
    (void)state;
    assert_items(
        "[NaN,01,\"\\ud800\",{\"a\":\"\\x\xFF\n\"} ,[1 2,],{\"a\":\"\\\"]\"}]", false,
        (const char *const[]){"NaN", "01", "\"\\ud800\"", "{\"a\":\"\\x\xFF\n\"}",
                              "[1 2,]", "{\"a\":\"\\\"]\"}", NULL});
}

static void lines_are_cut_and_blank_ones_skipped(void **state)
{
    (void)state;
    assert_items("{\"a\":1}\r\n\n  \n {broken\n\"x\"", true,
                 (const char *const[]){"{\"a\":1}", "{broken", "\"x\"", NULL});
    assert_items("\n\n{}\n", true, (const char *const[]){"{}", NULL});
}

static void what_is_no_batch_is_refused(void **state)
{
    (void)state;
    assert_refused("{}", false, DBK_INVALID, "expected a JSON array of events");
    assert_refused("7", false, DBK_INVALID, "expected a JSON array of events");
    assert_refused("", false, DBK_INVALID, "empty, where JSON is expected");
    assert_refused("[]", false, DBK_INVALID, "no events in the batch");
    assert_refused("", true, DBK_INVALID, "no events in the batch");
    assert_refused(" \n\n", true, DBK_INVALID, "no events in the batch");
    assert_refused("[{},", false, DBK_INVALID,
                   "line 1, column 5: the JSON ends too early");
    assert_refused("[{} {}]", false, DBK_INVALID,
                   "line 1, column 5: expected a comma or ]");
}

static void items_are_bounded(void **state)
{
    (void)state;
    assert_refused("[1,2,3,4]", false, DBK_TOO_LARGE,
                   "more than 3 events in one batch");
    assert_refused("1\n2\n3\n4", true, DBK_TOO_LARGE,
                   "more than 3 events in one batch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_is_cut_into_its_elements),
        cmocka_unit_test(what_is_wrong_inside_an_element_is_left_to_it),
        cmocka_unit_test(lines_are_cut_and_blank_ones_skipped),
        cmocka_unit_test(what_is_no_batch_is_refused),
        cmocka_unit_test(items_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
