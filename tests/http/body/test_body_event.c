/* An event's fields, one by one: what is read, and what is told of a wrong one. */
#include "event_reading.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_event_is_read),
        cmocka_unit_test(each_wrong_field_is_named),
        cmocka_unit_test(times_are_read_in_every_allowed_form),
        cmocka_unit_test(times_are_read_as_milliseconds_since_1970),
        cmocka_unit_test(an_event_is_a_persons_or_an_anonymous_ids),
        cmocka_unit_test(types_are_any_text),
        cmocka_unit_test(a_wrong_clock_is_put_right),
        cmocka_unit_test(types_can_be_restricted),
        cmocka_unit_test(many_configured_types_still_fit_the_message),
        cmocka_unit_test(the_path_gives_the_id),
        cmocka_unit_test(an_import_needs_id_and_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
