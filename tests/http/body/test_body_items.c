#include "body_fields.h"
#include "check.h"

static void assert_items(const char *text, bool lines, const char *const *expected)
{
    char *copy = exact(text, strlen(text));
    struct dbk_field_errors fields = {0};
    struct body_items items;
    struct dbk_error err = {0};
    struct dbk_slice item;
    size_t count = 0;

    while (expected[count])
        count++;
    if (body_items_open(copy, strlen(text), lines, 10, &items, &fields, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(items.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(body_items_next(&items, &item));
        assert_slice(item, expected[i]);
    }
    assert_false(body_items_next(&items, &item));
    body_items_finish(&items);
    free(copy);
}

static void assert_refused(const char *text, bool lines, enum dbk_code code,
                           const char *sentence)
{
    struct dbk_field_errors fields = {0};
    struct body_items items;
    struct dbk_error err = {0};
    struct dbk_slice item;

    assert_int_equal(
        body_items_open(text, strlen(text), lines, 3, &items, &fields, &err), code);
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
    assert_refused("{}", false, DBK_INVALID, "items: required");
    assert_refused("7", false, DBK_INVALID,
                   "expected a JSON array of items, or an object that has them");
    assert_refused("", false, DBK_INVALID, "empty, where JSON is expected");
    assert_refused("[]", false, DBK_INVALID, "no items in the batch");
    assert_refused("", true, DBK_INVALID, "no items in the batch");
    assert_refused(" \n\n", true, DBK_INVALID, "no items in the batch");
    assert_refused("[{},", false, DBK_INVALID,
                   "line 1, column 5: the JSON ends too early");
    assert_refused("[{} {}]", false, DBK_INVALID,
                   "line 1, column 5: expected a comma or ]");
}

static void an_object_has_items_and_what_they_share(void **state)
{
    static const char text[] =
        " {\"context\" : {\"a\":[1]} ,\n\"items\":[ {\"b\":NaN}, 7 ],"
        "\"sent_at\":\"1970-01-01T00:00:01Z\"} ";
    static const char empty[] = "{\"items\":[7],\"context\":{ }}";
    struct dbk_field_errors fields = {0};
    struct body_items items;
    struct dbk_slice item;

    (void)state;
    assert_int_equal(
        body_items_open(text, strlen(text), false, 9, &items, &fields, NULL), DBK_OK);
    assert_int_equal(items.count, 2);
    assert_slice(items.context, "{\"a\":[1]}");
    assert_true(items.has_sent_at);
    assert_int_equal(items.sent_at, 1000000);
    assert_true(body_items_next(&items, &item));
    assert_slice(item, "{\"b\":NaN}");
    assert_true(body_items_next(&items, &item));
    assert_slice(item, "7");
    assert_false(body_items_next(&items, &item));
    body_items_finish(&items);
    assert_int_equal(
        body_items_open(empty, strlen(empty), false, 9, &items, &fields, NULL), DBK_OK);
    assert_int_equal(items.context.length, 0);
    assert_false(items.has_sent_at);
    body_items_finish(&items);
}

static void what_is_wrong_with_the_object_is_named(void **state)
{
    (void)state;
    assert_refused("{\"items\":{}}", false, DBK_INVALID,
                   "items: expected an array, not an object");
    assert_refused("{\"items\":[]}", false, DBK_INVALID, "no items in the batch");
    assert_refused("{\"items\":[1],\"x\":1}", false, DBK_INVALID, "x: unknown field");
    assert_refused("{\"items\":[1],\"items\":[2]}", false, DBK_INVALID,
                   "items: duplicate key");
    assert_refused("{\"items\":[1],\"context\":[]}", false, DBK_INVALID,
                   "context: expected an object, not an array");
    assert_refused("{\"items\":[1],\"context\":{\"a\":1,\"a\":2}}", false, DBK_INVALID,
                   "context: line 1, column 8: duplicate key \"a\"");
    assert_refused(
        "{\"items\":[1],\"sent_at\":null}", false, DBK_INVALID,
        "sent_at: must be a time such as 2023-10-08T06:03:33.330037, on a day "
        "of the calendar, in the years 0001 to 9999");
    assert_refused("{\"items\":[1]", false, DBK_INVALID,
                   "line 1, column 13: the JSON ends too early");
    assert_refused("{\"items\":[1]}]", false, DBK_INVALID,
                   "line 1, column 14: trailing bytes after the JSON value");
    assert_refused("{\"items\":[1 2]}", false, DBK_INVALID,
                   "line 1, column 13: expected a comma or ]");
    assert_refused("{\"items\":[1,2,3,4]}", false, DBK_TOO_LARGE,
                   "more than 3 items in one batch");
}

static void an_object_that_is_shared_is_told_from_an_item(void **state)
{
    (void)state;
    assert_true(body_items_shared(dbk_slice(" {\n\"items\":[")));
    assert_true(body_items_shared(dbk_slice("{\"context\"")));
    assert_true(body_items_shared(dbk_slice("{ \"sent_at\" : 1")));
    assert_false(body_items_shared(dbk_slice("{\"event_type\":1}")));
    assert_false(body_items_shared(dbk_slice("{\"item")));
    assert_false(body_items_shared(dbk_slice("[{\"items\":1}]")));
    assert_false(body_items_shared(dbk_slice(" {")));
    assert_false(body_items_shared(dbk_slice("")));
}

static void assert_kind(const char *text, enum body_item kind, const char *inside)
{
    char *copy = exact(text, strlen(text));
    struct dbk_slice item = {copy, strlen(text)};

    assert_int_equal(body_item_kind(&item), kind);
    assert_slice(item, inside);
    free(copy);
}

static void an_item_says_what_it_is(void **state)
{
    (void)state;
    assert_kind("{\"event\":{\"a\":1}}", BODY_ITEM_EVENT, "{\"a\":1}");
    assert_kind("{ \"person\" : {} }", BODY_ITEM_PERSON, "{}");
    assert_kind("{\"alias\":7}", BODY_ITEM_ALIAS, "7");
    assert_kind("{\"event_type\":\"a\"}", BODY_ITEM_EVENT, "{\"event_type\":\"a\"}");
    assert_kind("{\"person\":{},\"x\":1}", BODY_ITEM_EVENT, "{\"person\":{},\"x\":1}");
    assert_kind("{\"person\":{},}", BODY_ITEM_EVENT, "{\"person\":{},}");
    assert_kind("{\"person\":{}", BODY_ITEM_EVENT, "{\"person\":{}");
    assert_kind("{\"person\":{}}}", BODY_ITEM_EVENT, "{\"person\":{}}}");
    assert_kind("{\"person", BODY_ITEM_EVENT, "{\"person");
    assert_kind("{", BODY_ITEM_EVENT, "{");
    assert_kind("7", BODY_ITEM_EVENT, "7");
}

static void assert_mixed(const char *text, bool mixed)
{
    char *copy = exact(text, strlen(text));

    assert_int_equal(body_item_mixed((struct dbk_slice){copy, strlen(text)}), mixed);
    free(copy);
}

static void an_item_that_says_two_things_is_told_from_an_event(void **state)
{
    (void)state;
    assert_mixed("{\"event\":{},\"person\":{}}", true);
    assert_mixed("{\"id\":7,\"alias\" : {}}", true);
    assert_mixed("{\"event\":\"Order Completed\",\"id\":7}", false);
    assert_mixed("{\"event_type\":\"a\"}", false);
    assert_mixed("7", false);
    assert_mixed("{", false);
}

static void an_item_alone_is_told_from_an_object_that_has_items(void **state)
{
    static const char alone[] =
        "A batch is an array of items, or an object {\"items\": [...]}: send a single "
        "event to /events, or as an array of one";

    (void)state;
    assert_refused("{\"event_type\":\"a\",\"items\":[1]}", false, DBK_INVALID, alone);
    assert_refused("{ \"person_id\" :7", false, DBK_INVALID, alone);
    assert_refused("{\"person\":{}}", false, DBK_INVALID, alone);
    assert_refused("{\"x\":7}", false, DBK_INVALID, "x: unknown field");
    assert_refused("{\"items\":[1],\"person\":{}}", false, DBK_INVALID,
                   "person: unknown field");
}

static void items_are_bounded(void **state)
{
    (void)state;
    assert_refused("[1,2,3,4]", false, DBK_TOO_LARGE, "more than 3 items in one batch");
    assert_refused("1\n2\n3\n4", true, DBK_TOO_LARGE, "more than 3 items in one batch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_is_cut_into_its_elements),
        cmocka_unit_test(what_is_wrong_inside_an_element_is_left_to_it),
        cmocka_unit_test(lines_are_cut_and_blank_ones_skipped),
        cmocka_unit_test(what_is_no_batch_is_refused),
        cmocka_unit_test(an_object_has_items_and_what_they_share),
        cmocka_unit_test(what_is_wrong_with_the_object_is_named),
        cmocka_unit_test(an_object_that_is_shared_is_told_from_an_item),
        cmocka_unit_test(an_item_says_what_it_is),
        cmocka_unit_test(an_item_that_says_two_things_is_told_from_an_event),
        cmocka_unit_test(an_item_alone_is_told_from_an_object_that_has_items),
        cmocka_unit_test(items_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
