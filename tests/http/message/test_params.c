#include "check.h"

#include "params.h"

static const char *const allowed[] = {"limit",     "keyword",    "since",
                                      "person_id", "properties", NULL};

struct query {
    char text[512];
    struct params params;
    struct dbk_field_errors fields;
    struct dbk_error err;
};

static enum dbk_code parse(struct query *query, const char *text)
{
    memset(query, 0, sizeof *query);
    snprintf(query->text, sizeof query->text, "%s", text);
    return params_parse(query->text, allowed, &query->params, &query->fields,
                        &query->err);
}

static void assert_wrong(const char *text, const char *name, const char *message)
{
    struct query query;

    assert_int_equal(parse(&query, text), DBK_INVALID);
    assert_field(&query.fields, name, message);
    if (!strstr(query.err.text, name))
        fail_msg("\"%s\" does not name %s", query.err.text, name);
}

static void names_and_values_are_decoded(void **state)
{
    struct query query;

    (void)state;
    assert_int_equal(parse(&query, "l%69mit=7&keyword=a%3Db+c"), DBK_OK);
    assert_int_equal(query.params.count, 2);
    assert_slice(query.params.list[0].name, "limit");
    assert_slice(query.params.list[1].value, "a=b c");
}

static void no_query_is_no_parameters(void **state)
{
    struct query query;

    (void)state;
    assert_int_equal(parse(&query, ""), DBK_OK);
    assert_int_equal(query.params.count, 0);
    assert_int_equal(parse(&query, "&&"), DBK_OK);
    assert_int_equal(query.params.count, 0);
}

static void an_unknown_parameter_is_named(void **state)
{
    (void)state;
    assert_wrong("limitt=1", "limitt", "no such parameter");
    assert_wrong("limit=1&KEYWORD=x", "KEYWORD", "no such parameter");
    assert_wrong("x", "x", "no such parameter");
}

static void a_parameter_given_twice_is_named(void **state)
{
    (void)state;
    assert_wrong("limit=1&limit=1", "limit", "given more than once");
}

static void types_may_come_twenty_times(void **state)
{
    struct dbk_slice types[PARAMS_REPEATED_MAX];
    struct query query;
    char text[400] = "";

    (void)state;
    for (int i = 0; i < PARAMS_REPEATED_MAX; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "&keyword=k%d", i);
    assert_int_equal(parse(&query, text), DBK_OK);
    assert_int_equal(params_event_types(&query.params, types, &query.fields),
                     PARAMS_REPEATED_MAX);
    assert_slice(types[0], "k0");
    assert_slice(types[19], "k19");
    strcat(text, "&keyword=k");
    assert_wrong(text, "keyword", "given more than 20 times");
    assert_int_equal(parse(&query, "keyword=a&keyword="), DBK_OK);
    assert_int_equal(params_event_types(&query.params, types, &query.fields), 1);
    assert_field(&query.fields, "keyword", "");
}

static void a_choice_is_one_of_those_there_are(void **state)
{
    static const char *const choices[] = {"asc", "desc", NULL};
    struct query query;

    (void)state;
    assert_int_equal(parse(&query, "since=desc&person_id=DESC"), DBK_OK);
    assert_int_equal(params_choice(&query.params, "since", choices, &query.fields), 1);
    assert_int_equal(params_choice(&query.params, "limit", choices, &query.fields), -1);
    assert_int_equal(query.fields.count, 0);
    assert_int_equal(params_choice(&query.params, "person_id", choices, &query.fields),
                     -1);
    assert_field(&query.fields, "person_id", "asc or desc is needed");
}

static void broken_encoding_is_named(void **state)
{
    (void)state;
    assert_wrong("keyword=%", "keyword", "a % is not followed");
    assert_wrong("keyword=%4", "keyword", "a % is not followed");
    assert_wrong("keyword=%g0", "keyword", "a % is not followed");
    assert_wrong("keyword=a%00b", "keyword", "a % is not followed");
}

static bool number(const char *text, uint64_t *out)
{
    struct query query;

    assert_int_equal(parse(&query, text), DBK_OK);
    return params_unsigned(&query.params, "limit", 1, 10000, out, &query.fields) ||
           query.fields.count > 0;
}

static void numbers_have_bounds(void **state)
{
    static const char *const bad[] = {"",    "0",  "10001", "-1",
                                      "1e3", "+1", " 1",    "99999999999999999999",
                                      "1.0", "0x1"};
    struct query query;
    uint64_t out = 42;

    (void)state;
    assert_true(number("limit=1", &out));
    assert_int_equal(out, 1);
    assert_true(number("limit=10000", &out));
    assert_int_equal(out, 10000);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "limit=%s", bad[i]);
        assert_int_equal(parse(&query, text), DBK_OK);
        assert_false(
            params_unsigned(&query.params, "limit", 1, 10000, &out, &query.fields));
        assert_field(&query.fields, "limit", "a whole number from 1 to 10000");
        assert_int_equal(params_done(&query.fields, &query.err), DBK_INVALID);
    }
    assert_int_equal(out, 10000);
}

static void what_is_absent_is_left_alone(void **state)
{
    struct query query;
    uint64_t out = 42;

    (void)state;
    assert_int_equal(parse(&query, "keyword=x"), DBK_OK);
    assert_false(params_unsigned(&query.params, "limit", 1, 9, &out, &query.fields));
    assert_int_equal(out, 42);
    assert_int_equal(params_done(&query.fields, &query.err), DBK_OK);
}

static void times_may_have_an_encoded_offset(void **state)
{
    struct query query;
    dbk_timestamp out = 0, expected = 0;

    (void)state;
    assert_int_equal(parse(&query, "since=2023-10-08T08:00:00%2B02:00"), DBK_OK);
    assert_true(params_timestamp(&query.params, "since", &out, &query.fields));
    assert_true(dbk_timestamp_parse("2023-10-08T06:00:00", 19, &expected));
    assert_int_equal(out, expected);
    assert_int_equal(parse(&query, "since=2023-02-30T00:00:00"), DBK_OK);
    assert_false(params_timestamp(&query.params, "since", &out, &query.fields));
    assert_field(&query.fields, "since", "a time such as");
}

static void an_id_must_be_a_uuid(void **state)
{
    struct dbk_uuid id;
    struct query query;

    (void)state;
    assert_int_equal(parse(&query, "person_id=f4cc4f34-3f7c-4a0c-b333-df23f72ebc68"),
                     DBK_OK);
    assert_true(params_uuid(&query.params, "person_id", &id, &query.fields));
    assert_int_equal(parse(&query, "person_id=f4cc4f34"), DBK_OK);
    assert_false(params_uuid(&query.params, "person_id", &id, &query.fields));
    assert_field(&query.fields, "person_id", "a UUID");
}

static void properties_must_be_a_json_object(void **state)
{
    static const char *const bad[] = {
        "7",   "[]", "%22a%22", "%7B", "%7B%7D x", "", "%7B%22a%22:%22%5Cu0000%22%7D",
        "null"};
    struct dbk_slice out;
    struct query query;

    (void)state;
    assert_int_equal(parse(&query, "properties=+%7B%22a%22:1%7D"), DBK_OK);
    assert_true(params_object(&query.params, "properties", &out, &query.fields));
    assert_slice(out, " {\"a\":1}");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[128];
        snprintf(text, sizeof text, "properties=%s", bad[i]);
        assert_int_equal(parse(&query, text), DBK_OK);
        assert_false(params_object(&query.params, "properties", &out, &query.fields));
        assert_int_equal(query.fields.count, 1);
    }
}

static void many_bad_parameters_are_bounded(void **state)
{
    char text[512] = "";
    struct query query;

    (void)state;
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "x%d=1&", i);
    assert_int_equal(parse(&query, text), DBK_INVALID);
    assert_int_equal(query.fields.count, DBK_FIELD_ERRORS_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_decoded),
        cmocka_unit_test(no_query_is_no_parameters),
        cmocka_unit_test(an_unknown_parameter_is_named),
        cmocka_unit_test(a_parameter_given_twice_is_named),
        cmocka_unit_test(types_may_come_twenty_times),
        cmocka_unit_test(a_choice_is_one_of_those_there_are),
        cmocka_unit_test(broken_encoding_is_named),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(what_is_absent_is_left_alone),
        cmocka_unit_test(times_may_have_an_encoded_offset),
        cmocka_unit_test(an_id_must_be_a_uuid),
        cmocka_unit_test(properties_must_be_a_json_object),
        cmocka_unit_test(many_bad_parameters_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
