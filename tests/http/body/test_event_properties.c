/* Properties of events, and the context among them: the client's own bytes, bounded. */
#include "event_reading.h"
#include "json_stored.h"

static void properties_are_the_clients_own_bytes(void **state)
{
    static const struct {
        const char *body, *properties;
    } cases[] = {
        {HEAD ",\"properties\":{\"a\":1.0}}", "{\"a\":1.0}"},
        {HEAD ",\"properties\" :  { \"a\" : [1e2, {}] } }", "{ \"a\" : [1e2, {}] }"},
        {HEAD ",\"prop\\u0065rties\":{\"a\":0.1}}", "{\"a\":0.1}"},
        {"{\"properties\":{\"properties\":{\"x\":1}},\"person_id\":\"" PERSON "\","
         "\"event_type\":\"a\"}",
         "{\"properties\":{\"x\":1}}"},
        {HEAD ",\"properties\":{\"\\\"}\":\"}{\\\\\"}}", "{\"\\\"}\":\"}{\\\\\"}"},
        {HEAD ",\"properties\":{\"\\u0061\":\"\\ud83d\\ude00\xE2\x82\xAC\"}}",
         "{\"\\u0061\":\"\\ud83d\\ude00\xE2\x82\xAC\"}"},
        {HEAD ",\"properties\":{}}", ""},
        {HEAD ",\"properties\":{ \n }}", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        assert_int_equal(read_new(cases[i].body, &r), DBK_OK);
        assert_slice(r.body.record.properties, cases[i].properties);
        dbk_body_finish(&r.body);
    }
}

/* A body whose properties have length bytes. */
static char *body_with_properties(size_t length)
{
    char *text = malloc(length + 200);
    int used;

    assert_non_null(text);
    used = snprintf(text, 200, HEAD ",\"properties\":{\"a\":\"");
    memset(text + used, 'x', length - 8);
    strcpy(text + used + length - 8, "\"}}");
    return text;
}

static void properties_are_bounded(void **state)
{
    struct reading r;
    char *text = body_with_properties(DBK_PROPERTIES_MAX);

    (void)state;
    assert_int_equal(read_new(text, &r), DBK_OK);
    assert_int_equal(r.body.record.properties.length, DBK_PROPERTIES_MAX);
    dbk_body_finish(&r.body);
    free(text);

    text = body_with_properties(DBK_PROPERTIES_MAX + 1);
    assert_int_equal(read_new(text, &r), DBK_INVALID);
    assert_field(&r.fields, "properties", "must have at most 65536 bytes, not 65537");
    free(text);
}

static void white_space_in_properties_does_not_count(void **state)
{
    size_t numbers = (DBK_PROPERTIES_MAX - 7) / 2; /* {"a":[1,1,...]} with spaces */
    char *text = malloc(3 * DBK_PROPERTIES_MAX + sizeof HEAD + 64), *at = text;
    struct reading r;

    (void)state;
    at += sprintf(at, HEAD ",\"properties\":{\"a\": [1");
    for (size_t i = 1; i < numbers; i++)
        at = stpcpy(at, ", 1");
    strcpy(at, "]}}");
    assert_int_equal(read_new(text, &r), DBK_OK);
    assert_in_range(r.body.record.properties.length, DBK_PROPERTIES_MAX - 1,
                    DBK_PROPERTIES_MAX);
    assert_memory_equal(r.body.record.properties.data, "{\"a\":[1,1,", 10);
    dbk_body_finish(&r.body);
    strcpy(at, ", 1, 1]}}");
    assert_int_equal(read_new(text, &r), DBK_INVALID);
    free(text);
}

/* 1e308 and its comma count as 310 bytes, of which 211 fit. */
static void properties_are_bounded_with_their_numbers_written_out(void **state)
{
    struct reading r;
    char text[2000] = HEAD ",\"properties\":{\"a\":[1";

    (void)state;
    for (int i = 0; i < 211; i++)
        strcat(text, ",1e308");
    strcpy(text + strlen(text), "]}}");
    assert_int_equal(read_new(text, &r), DBK_OK);
    dbk_body_finish(&r.body);
    strcpy(text + strlen(text) - 3, ",1e308]}}");
    assert_int_equal(read_new(text, &r), DBK_INVALID);
    assert_field(&r.fields, "properties",
                 "must have at most 65536 bytes with its numbers written out, not");
}

/* {"a":{"a":...1}} of so many levels. */
static void nest(char *out, size_t levels)
{
    for (size_t i = 0; i < levels; i++)
        out = stpcpy(out, "{\"a\":");
    *out++ = '1';
    memset(out, '}', levels);
    out[levels] = '\0';
}

static void properties_nest_as_deep_as_fits_everywhere(void **state)
{
    char properties[256], text[512];
    struct reading r;

    (void)state;
    nest(properties, 28);
    snprintf(text, sizeof text, HEAD ",\"properties\":%s}", properties);
    assert_int_equal(read_new(text, &r), DBK_OK);
    assert_slice(r.body.record.properties, properties);
    dbk_body_finish(&r.body);
    nest(properties, 29);
    snprintf(text, sizeof text, HEAD ",\"properties\":%s}", properties);
    assert_int_equal(read_new(text, &r), DBK_INVALID);
    assert_field(&r.fields, "properties", "must not nest deeper than 28 levels");
}

static void a_context_stands_under_the_properties(void **state)
{
    static const struct {
        const char *context, *properties, *expected;
    } cases[] = {
        {"{\"a\":1}", NULL, "{\"a\":1}"},
        {"{ \"a\" : 1 }", "{}", "{\"a\":1}"},
        {"{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}", "{\"a\":1,\"b\":3,\"c\":4}"},
        {"{\"a\":1}", "{\"a\":null,\"n\":{\"x\":null}}",
         "{\"a\":null,\"n\":{\"x\":null}}"},
        {"{\"o\":{\"x\":1,\"y\":{\"z\":1}}}", "{\"o\":{\"y\":{\"w\":2}}}",
         "{\"o\":{\"x\":1,\"y\":{\"z\":1,\"w\":2}}}"},
        {"{\"o\":{\"x\":1}}", "{\"o\":[1]}", "{\"o\":[1]}"},
        {"{\"o\":1}", "{\"o\":{\"x\":1}}", "{\"o\":{\"x\":1}}"},
        {"{\"\\u0061\":1}", "{\"a\":2}", "{\"a\":2}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dbk_body_rules rules = {.context = dbk_slice(cases[i].context)};
        char text[400] = HEAD "}";
        struct reading r;
        if (cases[i].properties)
            snprintf(text, sizeof text, HEAD ",\"properties\":%s}",
                     cases[i].properties);
        assert_int_equal(read_ruled(text, DBK_BODY_CREATE, &rules, &r), DBK_OK);
        if (!json_same(r.body.record.properties, dbk_slice(cases[i].expected)))
            fail_msg("%zu: %.*s", i, (int)r.body.record.properties.length,
                     r.body.record.properties.data);
        dbk_body_finish(&r.body);
    }
}

static void a_context_counts_for_the_bounds_of_properties(void **state)
{
    char *large = malloc(DBK_PROPERTIES_MAX),
         text[400] = HEAD ",\"properties\":{\"b\":1}}";
    struct dbk_body_rules rules = {0};
    struct reading r;

    (void)state;
    assert_non_null(large);
    memset(large, 'x', DBK_PROPERTIES_MAX);
    memcpy(large, "{\"a\":\"", 6);
    memcpy(large + DBK_PROPERTIES_MAX - 8, "\"}", 2);
    rules.context = (struct dbk_slice){large, DBK_PROPERTIES_MAX - 6};
    assert_int_equal(read_ruled(text, DBK_BODY_CREATE, &rules, &r), DBK_OK);
    assert_int_equal(r.body.record.properties.length, DBK_PROPERTIES_MAX);
    dbk_body_finish(&r.body);
    strcpy(text, HEAD ",\"properties\":{\"b\":10}}");
    assert_int_equal(read_ruled(text, DBK_BODY_CREATE, &rules, &r), DBK_INVALID);
    assert_field(&r.fields, "properties",
                 "with the batch's context they must have at most 65536 bytes, not");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_are_the_clients_own_bytes),
        cmocka_unit_test(properties_are_bounded),
        cmocka_unit_test(white_space_in_properties_does_not_count),
        cmocka_unit_test(properties_are_bounded_with_their_numbers_written_out),
        cmocka_unit_test(properties_nest_as_deep_as_fits_everywhere),
        cmocka_unit_test(a_context_stands_under_the_properties),
        cmocka_unit_test(a_context_counts_for_the_bounds_of_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
