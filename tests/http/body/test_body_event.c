#include "body_fields.h"
#include "check.h"
#include "json_stored.h"

#define PERSON "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c"
#define EVENT "9c65af1a-c109-4c17-9bf1-5f4bcac95e3d"
#define HEAD "{\"event_type\":\"click\",\"person_id\":\"" PERSON "\""

struct reading {
    struct dbk_body body;
    struct dbk_field_errors fields;
    struct dbk_error err;
};

static enum dbk_code read_ruled(const char *text, enum dbk_body_kind kind,
                                const struct dbk_body_rules *rules, struct reading *out)
{
    size_t length = strlen(text);
    char *copy = exact(text, length);
    enum dbk_code code;

    *out = (struct reading){0};
    code =
        dbk_body_event(copy, length, kind, rules, &out->body, &out->fields, &out->err);
    free(copy);
    if (code != DBK_OK)
        assert_null(out->body.memory);
    return code;
}

static enum dbk_code read_new(const char *text, struct reading *out)
{
    return read_ruled(text, DBK_BODY_CREATE, NULL, out);
}

static void the_seeds_event_is_read(void **state)
{
    struct reading r;
    char id[DBK_UUID_TEXT + 1];

    (void)state;
    assert_int_equal(read_new(HEAD "}", &r), DBK_OK);
    assert_int_equal(r.body.record.type, DBK_EVENT_RECORDED);
    assert_slice(r.body.record.event_type, "click");
    dbk_uuid_format(&r.body.record.person_id, id);
    assert_string_equal(id, PERSON);
    assert_false(r.body.has_id);
    assert_int_equal(r.body.record.subject.bytes[6] >> 4, 7);
    assert_int_equal(r.body.record.properties.length, 0);
    assert_false(r.body.record.has_datetime_created);
    dbk_body_finish(&r.body);
}

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

static void each_wrong_field_is_named(void **state)
{
    static const struct {
        const char *body, *field, *message;
    } cases[] = {
        {"{}", "event_type", "required"},
        {"{}", "person_id", "required, unless there is an anonymous_id"},
        {HEAD ",\"id\":\"\"}", "id", "must be a UUID"},
        {HEAD ",\"id\":7}", "id", "expected a string, not a number"},
        {HEAD ",\"id\":\"" PERSON "0\"}", "id", "must be a UUID"},
        {HEAD ",\"properties\":null}", "properties", "expected an object, not null"},
        {HEAD ",\"properties\":[]}", "properties", "expected an object, not an array"},
        {HEAD ",\"properties\":\"{}\"}", "properties",
         "expected an object, not a string"},
        {HEAD ",\"datetime_created\":\"2023-02-29T00:00:00\"}", "datetime_created",
         "must be a time such as"},
        {HEAD ",\"datetime_created\":\"0000-01-01T00:00:00\"}", "datetime_created",
         "must be a time such as"},
        {HEAD ",\"datetime_created\":\"0001-01-01T00:00:00+01:00\"}",
         "datetime_created", "must be a time such as"},
        {HEAD ",\"datetime_created\":true}", "datetime_created",
         "expected a string, or a number of milliseconds, not a boolean"},
        {HEAD ",\"datetime_created\":253402300800000}", "datetime_created",
         "must be a time such as"},
        {HEAD ",\"datetime_created\":1e300}", "datetime_created",
         "must be a time such as"},
        {HEAD ",\"datetime_created\":-62135596800000.1}", "datetime_created",
         "must be a time such as"},
        {HEAD ",\"sequence\":1}", "sequence", "unknown field"},
        {HEAD ",\"\":1}", "", "unknown field"},
        {"{\"event_type\":\"a\\n\",\"person_id\":\"x\"}", "event_type",
         "must not contain control characters"},
        {"{\"event_type\":\"a\\n\",\"person_id\":\"x\"}", "person_id",
         "must be a UUID"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        assert_int_equal(read_new(cases[i].body, &r), DBK_INVALID);
        assert_field(&r.fields, cases[i].field, cases[i].message);
    }
}

static void times_are_read_in_every_allowed_form(void **state)
{
    static const char *const times[] = {
        "2023-10-08T06:03:33.330037",           "2023-10-08 06:03:33.330037",
        "2023-10-08t08:03:33.330037+02:00",     "2023-10-08T06:03:33.330037Z",
        "2023-10-08T06:03:33.330037999999999z", "2023-10-07t18:33:33.3300370-11:30"};

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[200], at[DBK_TIMESTAMP_TEXT + 1];
        struct reading r;
        snprintf(text, sizeof text, HEAD ",\"datetime_created\":\"%s\"}", times[i]);
        assert_int_equal(read_new(text, &r), DBK_OK);
        assert_true(r.body.record.has_datetime_created);
        dbk_timestamp_format(r.body.record.datetime_created, at);
        assert_string_equal(at, "2023-10-08T06:03:33.330037");
        dbk_body_finish(&r.body);
    }
}

/* Finer than microseconds is cut, to the earlier time. */
static void times_are_read_as_milliseconds_since_1970(void **state)
{
    static const struct {
        const char *number, *time;
    } cases[] = {
        {"0", "1970-01-01T00:00:00.000000"},
        {"-0.0", "1970-01-01T00:00:00.000000"},
        {"7", "1970-01-01T00:00:00.007000"},
        {"1696745013330", "2023-10-08T06:03:33.330000"},
        {"1696745013330.037", "2023-10-08T06:03:33.330037"},
        {"1696745013330.0379999", "2023-10-08T06:03:33.330037"},
        {"1.69674501333e12", "2023-10-08T06:03:33.330000"},
        {"16967450133300370e-4", "2023-10-08T06:03:33.330037"},
        {"1e-300", "1970-01-01T00:00:00.000000"},
        {"-1e-300", "1969-12-31T23:59:59.999999"},
        {"-0.0015", "1969-12-31T23:59:59.999998"},
        {"-1.5", "1969-12-31T23:59:59.998500"},
        {"-62135596800000", "0001-01-01T00:00:00.000000"},
        {"253402300799999.9999", "9999-12-31T23:59:59.999999"},
        {"0e999", "1970-01-01T00:00:00.000000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300], at[DBK_TIMESTAMP_TEXT + 1];
        struct reading r;
        snprintf(text, sizeof text, HEAD ",\"datetime_created\":%s}", cases[i].number);
        if (read_new(text, &r) != DBK_OK)
            fail_msg("%s: %s", cases[i].number, r.err.text);
        dbk_timestamp_format(r.body.record.datetime_created, at);
        assert_string_equal(at, cases[i].time);
        dbk_body_finish(&r.body);
    }
}

static void an_event_is_a_persons_or_an_anonymous_ids(void **state)
{
    static const char *const anonymous[] = {
        "{\"event_type\":\"a\",\"anonymous_id\":\" x \xF0\x9F\x98\x80\"}",
        "{\"event_type\":\"a\",\"person_id\":null,"
        "\"anonymous_id\":\" x \xF0\x9F\x98\x80\"}",
        "{\"anonymous_id\":\" x \\ud83d\\ude00\",\"person_id\":null,\"event_type\":"
        "\"a\"}"};
    struct reading r;

    (void)state;
    for (size_t i = 0; i < sizeof anonymous / sizeof *anonymous; i++) {
        if (read_new(anonymous[i], &r) != DBK_OK)
            fail_msg("%s: %s", anonymous[i], r.err.text);
        assert_slice(r.body.record.anonymous_id, " x \xF0\x9F\x98\x80");
        assert_true(dbk_uuid_is_nil(&r.body.record.person_id));
        dbk_body_finish(&r.body);
    }
    assert_int_equal(read_new(HEAD ",\"anonymous_id\":\"x\"}", &r), DBK_INVALID);
    assert_field(&r.fields, "anonymous_id", "either this or a person_id, not both");
    assert_int_equal(read_new("{\"event_type\":\"a\",\"person_id\":null}", &r),
                     DBK_INVALID);
    assert_field(&r.fields, "person_id", "must not be null");
    assert_int_equal(read_new("{\"event_type\":\"a\",\"anonymous_id\":null}", &r),
                     DBK_INVALID);
    assert_field(&r.fields, "person_id", "required");
    assert_int_equal(read_new(HEAD ",\"anonymous_id\":null}", &r), DBK_OK);
    dbk_body_finish(&r.body);
    assert_int_equal(read_new("{\"event_type\":\"a\",\"anonymous_id\":\"\"}", &r),
                     DBK_INVALID);
    assert_field(&r.fields, "anonymous_id", "must not be empty");
    assert_int_equal(read_new("{\"event_type\":\"a\"}", &r), DBK_INVALID);
    assert_field(&r.fields, "person_id", "required");
    assert_int_equal(r.fields.count, 1);
}

/* As people use them; nothing is trimmed. */
static void types_are_any_text(void **state)
{
    static const char *const types[] = {
        "Order Completed",          "$pageview", " a ", "a,b/c",
        "\xE2\x80\xAE\xEE\x80\x80", "\xC3\xBC"};
    static const char *const wrong[] = {"",        "a\\n", "\\u007f",
                                        "\\u0085", "\x7F", "\xC2\x9F"};
    char text[2000];
    struct reading r;

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(text, sizeof text,
                 "{\"event_type\":\"%s\",\"person_id\":\"" PERSON "\"}", types[i]);
        assert_int_equal(read_new(text, &r), DBK_OK);
        assert_slice(r.body.record.event_type, types[i]);
        dbk_body_finish(&r.body);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text,
                 "{\"event_type\":\"%s\",\"person_id\":\"" PERSON "\"}", wrong[i]);
        assert_int_equal(read_new(text, &r), DBK_INVALID);
        assert_field(&r.fields, "event_type", "must not");
    }
    strcpy(text, "{\"person_id\":\"" PERSON "\",\"event_type\":\"");
    for (size_t i = 0; i < 200; i++)
        strcat(text, "\xF0\x9F\x98\x80");
    strcat(text, "\"}");
    assert_int_equal(read_new(text, &r), DBK_OK);
    assert_int_equal(r.body.record.event_type.length, DBK_EVENT_TYPE_MAX);
    dbk_body_finish(&r.body);
    strcpy(text + strlen(text) - 2, "x\"}");
    assert_int_equal(read_new(text, &r), DBK_INVALID);
    assert_field(&r.fields, "event_type", "must have at most 200 characters");
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

static void a_wrong_clock_is_put_right(void **state)
{
    const struct dbk_body_rules rules = {.clock_offset = -1500000,
                                         .clock_offset_text = dbk_slice("-1500000")};
    struct reading r;

    (void)state;
    assert_int_equal(
        read_ruled(HEAD ",\"datetime_created\":2000}", DBK_BODY_CREATE, &rules, &r),
        DBK_OK);
    assert_int_equal(r.body.record.datetime_created, 500000);
    assert_slice(r.body.record.clock_offset, "-1500000");
    dbk_body_finish(&r.body);
    assert_int_equal(read_ruled(HEAD "}", DBK_BODY_CREATE, &rules, &r), DBK_OK);
    assert_int_equal(r.body.record.clock_offset.length, 0);
    dbk_body_finish(&r.body);
    assert_int_equal(read_ruled(HEAD ",\"datetime_created\":\"0001-01-01T00:00:01\"}",
                                DBK_BODY_CREATE, &rules, &r),
                     DBK_INVALID);
    assert_field(&r.fields, "datetime_created",
                 "with what sent_at adds it must be in the years");
}

static void types_can_be_restricted(void **state)
{
    const char *const types[] = {"signup", "view", NULL};
    const struct dbk_body_rules rules = {.event_types = types};
    struct reading r;

    (void)state;
    assert_int_equal(read_ruled(HEAD "}", DBK_BODY_CREATE, &rules, &r), DBK_INVALID);
    assert_field(&r.fields, "event_type", "must be one of: signup, view");
    assert_int_equal(read_ruled("{\"event_type\":\"view\",\"person_id\":\"" PERSON
                                "\"}",
                                DBK_BODY_CREATE, &rules, &r),
                     DBK_OK);
    dbk_body_finish(&r.body);
}

static void many_configured_types_still_fit_the_message(void **state)
{
    static char names[40][65];
    const char *types[41] = {0};
    struct reading r;

    (void)state;
    for (int i = 0; i < 40; i++) {
        memset(names[i], 'a' + i % 26, 64);
        types[i] = names[i];
    }
    assert_int_equal(read_ruled(HEAD "}", DBK_BODY_CREATE,
                                &(struct dbk_body_rules){.event_types = types}, &r),
                     DBK_INVALID);
    assert_field(&r.fields, "event_type", "must be one of: aaaa");
}

static void the_path_gives_the_id(void **state)
{
    struct dbk_uuid id;
    struct dbk_body body;
    struct dbk_field_errors fields = {0};
    struct dbk_error err = {0};
    const char *other = HEAD ",\"id\":\"" PERSON "\"}";

    (void)state;
    assert_true(dbk_uuid_parse(EVENT, DBK_UUID_TEXT, &id));
    assert_int_equal(
        body_event_at(HEAD "}", strlen(HEAD "}"), &id, NULL, &body, &fields, &err),
        DBK_OK);
    assert_true(body.has_id);
    assert_true(dbk_uuid_equal(&body.record.subject, &id));
    dbk_body_finish(&body);
    assert_int_equal(
        body_event_at(other, strlen(other), &id, NULL, &body, &fields, &err),
        DBK_INVALID);
    assert_field(&fields, "id", "must be " EVENT ", as in the path");
}

static void an_import_needs_id_and_time(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_ruled(HEAD "}", DBK_BODY_IMPORT, NULL, &r), DBK_INVALID);
    assert_field(&r.fields, "id", "required");
    assert_field(&r.fields, "datetime_created", "required");
    assert_int_equal(read_ruled(HEAD ",\"id\":\"" EVENT "\",\"datetime_created\":"
                                     "\"2015-09-11T00:46:58.771000\"}",
                                DBK_BODY_IMPORT, NULL, &r),
                     DBK_OK);
    assert_true(r.body.has_id);
    dbk_body_finish(&r.body);
}

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
        cmocka_unit_test(the_seeds_event_is_read),
        cmocka_unit_test(properties_are_the_clients_own_bytes),
        cmocka_unit_test(properties_are_bounded),
        cmocka_unit_test(properties_are_bounded_with_their_numbers_written_out),
        cmocka_unit_test(white_space_in_properties_does_not_count),
        cmocka_unit_test(properties_nest_as_deep_as_fits_everywhere),
        cmocka_unit_test(each_wrong_field_is_named),
        cmocka_unit_test(times_are_read_in_every_allowed_form),
        cmocka_unit_test(times_are_read_as_milliseconds_since_1970),
        cmocka_unit_test(an_event_is_a_persons_or_an_anonymous_ids),
        cmocka_unit_test(types_are_any_text),
        cmocka_unit_test(a_context_stands_under_the_properties),
        cmocka_unit_test(a_context_counts_for_the_bounds_of_properties),
        cmocka_unit_test(a_wrong_clock_is_put_right),
        cmocka_unit_test(types_can_be_restricted),
        cmocka_unit_test(many_configured_types_still_fit_the_message),
        cmocka_unit_test(the_path_gives_the_id),
        cmocka_unit_test(an_import_needs_id_and_time),
        cmocka_unit_test(what_says_the_same_is_the_same),
        cmocka_unit_test(what_differs_is_another),
        cmocka_unit_test(type_person_and_time_count),
        cmocka_unit_test(the_time_is_compared_as_the_client_said_it),
        cmocka_unit_test(an_anonymous_id_is_compared_and_not_whose_it_was),
        cmocka_unit_test(the_id_is_not_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
