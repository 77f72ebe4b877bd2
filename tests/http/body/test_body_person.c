#include "check.h"
#include "http/body.h"

#define KATE                                                                           \
    "{\"email\":\"kate.pryde@marauders.mock\",\"first_name\":\"Kate\","                \
    "\"last_name\":\"Pryde\",\"role\":\"admin\"}"

/* One reading of a body. */
struct reading {
    struct dbk_body body;
    struct dbk_field_errors fields;
    struct dbk_error err;
};

static enum dbk_code read_as(enum dbk_body_kind kind, const char *text,
                             struct reading *out)
{
    size_t length = strlen(text);
    char *copy = exact(text, length);
    enum dbk_code code;

    *out = (struct reading){0};
    code = dbk_body_person(copy, length, kind, &out->body, &out->fields, &out->err);
    free(copy); /* the body must not point into it */
    if (code != DBK_OK)
        assert_null(out->body.memory);
    return code;
}

static void the_seeds_person_is_read(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE, KATE, &r), DBK_OK);
    assert_int_equal(r.body.record.type, DBK_PERSON_CREATED);
    assert_int_equal(r.body.record.person.has, DBK_HAS_ALL);
    assert_slice(r.body.record.person.email, "kate.pryde@marauders.mock");
    assert_slice(r.body.record.person.first_name, "Kate");
    assert_slice(r.body.record.person.last_name, "Pryde");
    assert_int_equal(r.body.record.person.role, DBK_ROLE_ADMIN);
    assert_false(r.body.has_id);
    assert_false(r.body.record.has_datetime_created);
    assert_int_equal(r.body.record.subject.bytes[6] >> 4, 7);
    dbk_body_finish(&r.body);
}

static void role_is_user_by_default(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(
        read_as(DBK_BODY_CREATE,
                "{\"email\":\"a@b\",\"first_name\":\" A \",\"last_name\":\"B\"}", &r),
        DBK_OK);
    assert_int_equal(r.body.record.person.role, DBK_ROLE_USER);
    assert_int_equal(r.body.record.person.has, DBK_HAS_ALL);
    assert_slice(r.body.record.person.first_name, "A");
    dbk_body_finish(&r.body);
}

static void all_wrong_fields_are_named_at_once(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE,
                             "{\"email\":\"nobody\",\"first_name\":3,\"role\":\"boss\","
                             "\"id\":\"x\",\"events\":[],\"datetime_created\":1,"
                             "\"datetime_modified\":1,\"age\":7}",
                             &r),
                     DBK_INVALID);
    assert_int_equal(r.fields.count, 9);
    assert_field(&r.fields, "email", "must be an email address");
    assert_field(&r.fields, "first_name", "expected a string, not a number");
    assert_field(&r.fields, "last_name", "required");
    assert_field(&r.fields, "role", "must be \"user\" or \"admin\"");
    assert_field(&r.fields, "id", "must be a UUID");
    assert_field(&r.fields, "events", "read-only: the server sets it");
    assert_field(&r.fields, "datetime_created", "read-only: the server sets it");
    assert_field(&r.fields, "datetime_modified", "read-only: the server sets it");
    assert_field(&r.fields, "age", "unknown field");
    assert_non_null(strstr(r.err.text, "email: must be an email address"));
    assert_non_null(strstr(r.err.text, "and 8 more"));
}

static void wrong_types_say_what_was_expected(void **state)
{
    static const struct {
        const char *value, *message;
    } cases[] = {
        {"null", "must not be null"},
        {"true", "expected a string, not a boolean"},
        {"1.5", "expected a string, not a number"},
        {"[]", "expected a string, not an array"},
        {"{}", "expected a string, not an object"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[160];
        struct reading r;
        snprintf(text, sizeof text,
                 "{\"email\":%s,\"first_name\":\"a\",\"last_name\":\"b\"}",
                 cases[i].value);
        assert_int_equal(read_as(DBK_BODY_CREATE, text, &r), DBK_INVALID);
        assert_int_equal(r.fields.count, 1);
        assert_field(&r.fields, "email", cases[i].message);
    }
}

static void what_is_no_object_is_refused(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE, "[" KATE "]", &r), DBK_INVALID);
    assert_string_equal(r.err.text, "expected a JSON object, not an array");
    assert_int_equal(read_as(DBK_BODY_CREATE, "\"x\"", &r), DBK_INVALID);
    assert_int_equal(read_as(DBK_BODY_CREATE, "", &r), DBK_INVALID);
    assert_string_equal(r.err.text, "empty, where JSON is expected");
    assert_int_equal(r.fields.count, 0);
}

static void broken_json_has_a_place_and_no_fields(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE, "{\"email\":\n'admin'}", &r),
                     DBK_INVALID);
    assert_string_equal(r.err.text, "line 2, column 1: expected a JSON value");
    assert_int_equal(r.fields.count, 0);
}

static void escapes_are_read_as_what_they_mean(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE,
                             "{\"\\u0065mail\":\"a\\u0040b\",\"first_name\":\"\\ud83d"
                             "\\ude00\",\"last_name\":\"\\u00a0\\u5c71\\u3000\"}",
                             &r),
                     DBK_OK);
    assert_slice(r.body.record.person.email, "a@b");
    assert_slice(r.body.record.person.first_name, "\xF0\x9F\x98\x80");
    assert_slice(r.body.record.person.last_name, "\xE5\xB1\xB1");
    dbk_body_finish(&r.body);
}

static void complaints_are_bounded_and_all_are_counted(void **state)
{
    char text[4096] = "{";
    size_t used = 1;
    struct reading r;

    (void)state;
    for (int i = 0; i < 40; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "\"x%d\":0,", i);
    snprintf(text + used, sizeof text - used,
             "\"email\":\"a@b\",\"first_name\":\"a\",\"last_name\":\"b\"}");
    assert_int_equal(read_as(DBK_BODY_CREATE, text, &r), DBK_INVALID);
    assert_int_equal(r.fields.count, DBK_FIELD_ERRORS_MAX);
    assert_string_equal(r.err.text, "x0: unknown field; and 39 more");
}

static void a_long_unknown_name_is_cut_between_characters(void **state)
{
    char text[512] = "{\"";
    size_t used = 2;
    struct reading r;

    (void)state;
    for (int i = 0; i < 60; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "\xE2\x82\xAC");
    snprintf(text + used, sizeof text - used, "\\n\":1}");
    assert_int_equal(read_as(DBK_BODY_CREATE, text, &r), DBK_INVALID);
    assert_int_equal(strlen(r.fields.list[0].field), 63);
    assert_memory_equal(r.fields.list[0].field + 60, "\xE2\x82\xAC", 4);
    assert_null(strchr(r.err.text, '\n'));
}

static void complaints_of_an_earlier_reading_are_forgotten(void **state)
{
    struct dbk_field_errors fields = {0};
    struct dbk_body body;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            dbk_body_person("{}", 2, DBK_BODY_CREATE, &body, &fields, NULL),
            DBK_INVALID);
        assert_int_equal(fields.count, 3);
    }
    assert_int_equal(
        dbk_body_person(KATE, strlen(KATE), DBK_BODY_CREATE, &body, &fields, NULL),
        DBK_OK);
    assert_int_equal(fields.count, 0);
    dbk_body_finish(&body);
}

static void an_import_needs_id_and_time(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(
        read_as(DBK_BODY_IMPORT,
                "{\"id\":\"7FFCBBDE-aa9d-586d-84e8-15808d806fc3\","
                "\"email\":\"a@b\",\"first_name\":\"A\",\"last_name\":\"B\","
                "\"role\":\"user\","
                "\"datetime_created\":\"2015-09-12T00:00:00.000001\"}",
                &r),
        DBK_OK);
    assert_true(r.body.has_id);
    assert_int_equal(r.body.record.subject.bytes[0], 0x7F);
    assert_true(r.body.record.has_datetime_created);
    assert_int_equal(r.body.record.datetime_created % 1000000, 1);
    dbk_body_finish(&r.body);

    assert_int_equal(read_as(DBK_BODY_IMPORT, KATE, &r), DBK_INVALID);
    assert_field(&r.fields, "id", "required, unless there is an external_id");
    assert_field(&r.fields, "datetime_created", "required");
}

static void who_is_known_needs_no_email_and_no_names(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE, "{\"external_id\":\"u/1 \\u00e9\"}", &r),
                     DBK_OK);
    assert_int_equal(r.body.record.person.has, DBK_HAS_ROLE | DBK_HAS_EXTERNAL_ID);
    assert_slice(r.body.record.person.external_id, "u/1 é");
    assert_false(r.body.has_role);
    dbk_body_finish(&r.body);
    assert_int_equal(read_as(DBK_BODY_CREATE,
                             "{\"email\":null,\"first_name\":null,\"last_name\":null,"
                             "\"id\":null,\"external_id\":null,\"properties\":null,"
                             "\"\\u0061nonymous_id\":\"a1\"}",
                             &r),
                     DBK_OK);
    assert_int_equal(r.body.record.person.has, DBK_HAS_ROLE);
    assert_slice(r.body.record.anonymous_id, "a1");
    assert_false(r.body.has_id);
    dbk_body_finish(&r.body);
    assert_int_equal(read_as(DBK_BODY_IMPORT,
                             "{\"id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\","
                             "\"datetime_created\":\"2023-10-06T02:41:08.307449\","
                             "\"external_id\":\"u1\",\"properties\":{\"a\":1}}",
                             &r),
                     DBK_OK);
    assert_int_equal(r.body.record.person.has,
                     DBK_HAS_ROLE | DBK_HAS_EXTERNAL_ID | DBK_HAS_PROPERTIES);
    dbk_body_finish(&r.body);
}

static void who_is_not_known_is_refused_as_ever(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE,
                             "{\"email\":null,\"external_id\":null,"
                             "\"anonymous_id\":null,\"first_name\":\"a\"}",
                             &r),
                     DBK_INVALID);
    assert_int_equal(r.fields.count, 2);
    assert_field(&r.fields, "email", "must not be null");
    assert_field(&r.fields, "last_name", "required");
    assert_int_equal(
        read_as(DBK_BODY_CREATE, "{\"external_id\":\"\",\"email\":\"x\"}", &r),
        DBK_INVALID);
    assert_int_equal(r.fields.count, 2);
    assert_field(&r.fields, "external_id", "must not be empty");
    assert_field(&r.fields, "email", "must be an email address");
}

static void a_person_may_bring_an_id_and_properties(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_as(DBK_BODY_CREATE,
                             "{\"id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\","
                             "\"email\":\"a@b\",\"first_name\":\"A\","
                             "\"last_name\":\"B\",\"properties\":{\"plan\": \"x\"}}",
                             &r),
                     DBK_OK);
    assert_true(r.body.has_id);
    assert_int_equal(r.body.record.subject.bytes[0], 0x9c);
    assert_int_equal(r.body.record.person.has, DBK_HAS_ALL | DBK_HAS_PROPERTIES);
    assert_slice(r.body.record.person.properties, "{\"plan\": \"x\"}");
    dbk_body_finish(&r.body);
    assert_int_equal(
        read_as(DBK_BODY_CREATE, "{\"external_id\":\"a\",\"properties\":{}}", &r),
        DBK_OK);
    assert_false(r.body.record.person.has & DBK_HAS_PROPERTIES);
    dbk_body_finish(&r.body);
    assert_int_equal(
        read_as(DBK_BODY_CREATE, "{\"external_id\":\"a\",\"properties\":[]}", &r),
        DBK_INVALID);
    assert_field(&r.fields, "properties", "expected an object, not an array");
}

static enum dbk_code read_alias(const char *text, struct reading *out)
{
    size_t length = strlen(text);
    char *copy = exact(text, length);
    enum dbk_code code;

    *out = (struct reading){0};
    code = dbk_body_alias(copy, length, &out->body, &out->fields, &out->err);
    free(copy);
    return code;
}

static void an_alias_says_what_is_whose(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_alias("{\"anonymous_id\":\"a\",\"person_id\":"
                                "\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\"}",
                                &r),
                     DBK_OK);
    assert_int_equal(r.body.record.type, DBK_PERSON_ALIASED);
    assert_int_equal(r.body.record.subject.bytes[0], 0x9c);
    assert_slice(r.body.record.anonymous_id, "a");
    dbk_body_finish(&r.body);
    assert_int_equal(read_alias("{\"anonymous_id\":\"a\",\"external_id\":\"u\"}", &r),
                     DBK_OK);
    assert_slice(r.body.record.person.external_id, "u");
    dbk_body_finish(&r.body);
}

static void an_alias_is_of_one_person(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_alias("{\"anonymous_id\":\"a\"}", &r), DBK_INVALID);
    assert_field(&r.fields, "person_id", "required");
    assert_int_equal(read_alias("{\"anonymous_id\":\"a\",\"external_id\":\"u\","
                                "\"person_id\":"
                                "\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\"}",
                                &r),
                     DBK_INVALID);
    assert_field(&r.fields, "external_id", "either this or a person_id, not both");
    assert_int_equal(read_alias("{\"external_id\":\"u\",\"anonymous_id\":null}", &r),
                     DBK_INVALID);
    assert_field(&r.fields, "anonymous_id", "must not be null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_person_is_read),
        cmocka_unit_test(role_is_user_by_default),
        cmocka_unit_test(all_wrong_fields_are_named_at_once),
        cmocka_unit_test(wrong_types_say_what_was_expected),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(broken_json_has_a_place_and_no_fields),
        cmocka_unit_test(escapes_are_read_as_what_they_mean),
        cmocka_unit_test(complaints_are_bounded_and_all_are_counted),
        cmocka_unit_test(a_long_unknown_name_is_cut_between_characters),
        cmocka_unit_test(complaints_of_an_earlier_reading_are_forgotten),
        cmocka_unit_test(who_is_known_needs_no_email_and_no_names),
        cmocka_unit_test(who_is_not_known_is_refused_as_ever),
        cmocka_unit_test(a_person_may_bring_an_id_and_properties),
        cmocka_unit_test(an_alias_says_what_is_whose),
        cmocka_unit_test(an_alias_is_of_one_person),
        cmocka_unit_test(an_import_needs_id_and_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
