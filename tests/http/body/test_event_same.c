/* Whether an event that comes again says what the one in the log says. */
#include "event_reading.h"

static struct dbk_record click(const char *properties)
{
    struct dbk_record record = {.type = DBK_EVENT_RECORDED,
                                .event_type = dbk_slice("click"),
                                .person_id = {.bytes = {1}},
                                .properties = dbk_slice(properties)};

    return record;
}

static bool same(const char *a, const char *b)
{
    struct dbk_record brought = click(a), logged = click(b);
    bool answer = dbk_body_same_event(&brought, &logged);

    assert_int_equal(answer, dbk_body_same_event(&logged, &brought));
    return answer;
}

static void what_says_the_same_is_the_same(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"{\"a\":1}", "{\"a\":1}"},
        {"{\"a\":1,\"b\":2}", " { \"b\" : 2 , \"a\" : 1 } "},
        {"{\"a\":1}", "{\"a\":1.0}"},
        {"{\"a\":100}", "{\"a\":1e2}"},
        {"{\"a\":100}", "{\"a\":0.1E+3}"},
        {"{\"a\":0.01}", "{\"a\":1e-2}"},
        {"{\"a\":0}", "{\"a\":-0.0e5}"},
        {"{\"a\":-1.50}", "{\"a\":-15e-1}"},
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740993.0}"},
        {"{\"a\":\"\\u00e9\\/\"}", "{\"a\":\"\xC3\xA9/\"}"},
        {"{\"\\u0061\":[1,{\"x\":null},true]}", "{\"a\":[1.0, {\"x\":null}, true]}"},
        {"{\"a\":{\"b\":{\"c\":[],\"d\":{}}}}", "{\"a\":{\"b\":{\"d\":{},\"c\":[]}}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!same(pairs[i][0], pairs[i][1]))
            fail_msg("%s is not %s", pairs[i][0], pairs[i][1]);
    }
}

static void what_differs_is_another(void **state)
{
    static const char *const pairs[][2] = {
        {"{\"a\":1}", ""},
        {"{\"a\":1}", "{\"a\":2}"},
        {"{\"a\":1}", "{\"b\":1}"},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}"},
        {"{\"a\":1}", "{\"a\":-1}"},
        {"{\"a\":1}", "{\"a\":\"1\"}"},
        {"{\"a\":1}", "{\"a\":true}"},
        {"{\"a\":true}", "{\"a\":false}"},
        {"{\"a\":null}", "{\"a\":false}"},
        {"{\"a\":10}", "{\"a\":1}"},
        {"{\"a\":0.1}", "{\"a\":0.10000000000000001}"},           /* the same double */
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740992}"}, /* likewise */
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740992.0}"},
        {"{\"a\":1e308}", "{\"a\":1e307}"},
        {"{\"a\":1e-308}", "{\"a\":0}"},
        {"{\"a\":[1,2]}", "{\"a\":[2,1]}"},
        {"{\"a\":[1]}", "{\"a\":[1,1]}"},
        {"{\"a\":[]}", "{\"a\":{}}"},
        {"{\"a\":\"x\"}", "{\"a\":\"X\"}"},
        {"{\"a\":\"x\"}", "{\"a\":\"xx\"}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}"},
        {"{\"a\":1}", "damaged"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (same(pairs[i][0], pairs[i][1]))
            fail_msg("%s is %s", pairs[i][0], pairs[i][1]);
    }
}

static void type_person_and_time_count(void **state)
{
    struct dbk_record a = click(""), b = click("");

    (void)state;
    b.event_type = dbk_slice("view");
    assert_false(dbk_body_same_event(&a, &b));
    b = click("");
    b.person_id.bytes[15] = 1;
    assert_false(dbk_body_same_event(&a, &b));
    b = click("");
    b.datetime_created = 5;
    assert_true(dbk_body_same_event(&a, &b)); /* none was brought */
    a.has_datetime_created = true;
    assert_false(dbk_body_same_event(&a, &b));
    a.datetime_created = 5;
    assert_true(dbk_body_same_event(&a, &b));
}

/* It is the same event whenever it is sent again. */
static void the_time_is_compared_as_the_client_said_it(void **state)
{
    struct dbk_record brought = click(""), logged = click("");

    (void)state;
    brought.has_datetime_created = logged.has_datetime_created = true;
    brought.datetime_created = 5000007;
    brought.clock_offset = dbk_slice("5000000");
    logged.datetime_created = -2999993;
    assert_false(dbk_body_same_event(&brought, &logged));
    logged.clock_offset = dbk_slice("-3000000");
    assert_true(dbk_body_same_event(&brought, &logged));
    brought.clock_offset = (struct dbk_slice){NULL, 0};
    assert_false(dbk_body_same_event(&brought, &logged));
    brought.datetime_created = 7;
    assert_true(dbk_body_same_event(&brought, &logged));
    logged.clock_offset = dbk_slice("-9223372036854775808"); /* no program of ours */
    assert_false(dbk_body_same_event(&brought, &logged));
}

/* Whoever's it is by now. */
static void an_anonymous_id_is_compared_and_not_whose_it_was(void **state)
{
    struct dbk_record brought = click(""), logged = click("");

    (void)state;
    brought.anonymous_id = dbk_slice("a");
    assert_false(dbk_body_same_event(&brought, &logged));
    assert_false(dbk_body_same_event(&logged, &brought));
    logged.anonymous_id = dbk_slice("a");
    logged.person_id.bytes[3] ^= 1;
    assert_true(dbk_body_same_event(&brought, &logged));
    logged.anonymous_id = dbk_slice("b");
    assert_false(dbk_body_same_event(&brought, &logged));
}

static void the_id_is_not_compared(void **state)
{
    struct dbk_record a = click(""), b = click("");

    (void)state;
    b.subject.bytes[0] = 9;
    assert_true(dbk_body_same_event(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_says_the_same_is_the_same),
        cmocka_unit_test(what_differs_is_another),
        cmocka_unit_test(type_person_and_time_count),
        cmocka_unit_test(the_time_is_compared_as_the_client_said_it),
        cmocka_unit_test(an_anonymous_id_is_compared_and_not_whose_it_was),
        cmocka_unit_test(the_id_is_not_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
