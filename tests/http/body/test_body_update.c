#include "body_fields.h"
#include "check.h"

#define PERSON "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c"
#define OTHER "0fcf3634-9b0c-4ceb-ab53-7ba8edf3d5fa"
#define EVENT1 "11111111-0000-4000-8000-000000000001"
#define EVENT2 "11111111-0000-4000-8000-000000000002"
#define FOUR                                                                           \
    "\"email\":\"Scott.Summers@test.mock\",\"first_name\":\"Scott\","                  \
    "\"last_name\":\"Summers\",\"role\":\"admin\""
#define EVENT(id)                                                                      \
    "{\"id\":\"" id "\",\"datetime_created\":\"2023-10-08T06:03:33.334854\","          \
    "\"event_type\":\"signup\",\"person_id\":\"" PERSON "\"}"

struct reading {
    struct dbk_uuid id;
    bool known; /* by something else than e-mail and names */
    struct body_update update;
    struct dbk_field_errors fields;
    struct dbk_error err;
};

static enum dbk_code finish_reading(struct reading *r, char *copy, enum dbk_code code)
{
    free(copy);
    if (code != DBK_OK) {
        assert_null(r->update.memory);
        assert_null(r->update.events);
    }
    return code;
}

static enum dbk_code put_of(bool known, const char *text, struct reading *r)
{
    char *copy = exact(text, strlen(text));

    *r = (struct reading){.known = known};
    assert_true(dbk_uuid_parse(PERSON, DBK_UUID_TEXT, &r->id));
    return finish_reading(r, copy,
                          body_put_person(copy, strlen(text), &r->id, r->known, NULL,
                                          &r->update, &r->fields, &r->err));
}

static enum dbk_code put(const char *text, struct reading *r)
{
    return put_of(false, text, r);
}

/* By the external id "u"; whose it is, or NULL. */
static enum dbk_code put_by(const char *whose, const char *text, struct reading *r)
{
    char *copy = exact(text, strlen(text));

    *r = (struct reading){0};
    if (whose)
        assert_true(dbk_uuid_parse(whose, DBK_UUID_TEXT, &r->id));
    return finish_reading(r, copy,
                          body_put_person_by(copy, strlen(text), dbk_slice("u"),
                                             whose ? &r->id : NULL, NULL, &r->update,
                                             &r->fields, &r->err));
}

static enum dbk_code patch_of(bool known, const char *text, struct reading *r)
{
    char *copy = exact(text, strlen(text));

    *r = (struct reading){.known = known};
    assert_true(dbk_uuid_parse(PERSON, DBK_UUID_TEXT, &r->id));
    return finish_reading(r, copy,
                          body_patch_person(copy, strlen(text), &r->id, r->known,
                                            &r->update, &r->fields, &r->err));
}

static enum dbk_code patch(const char *text, struct reading *r)
{
    return patch_of(false, text, r);
}

static void a_put_takes_the_four_fields(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(put("{" FOUR "}", &r), DBK_OK);
    assert_int_equal(r.update.record.type, DBK_PERSON_UPDATED);
    assert_true(dbk_uuid_equal(&r.update.record.subject, &r.id));
    assert_int_equal(r.update.record.person.has, DBK_HAS_ALL);
    assert_slice(r.update.record.person.first_name, "Scott");
    assert_int_equal(r.update.record.person.role, DBK_ROLE_ADMIN);
    assert_int_equal(r.update.event_count, 0);
    body_update_finish(&r.update);
}

static void a_put_needs_all_four(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(put("{}", &r), DBK_INVALID);
    assert_int_equal(r.fields.count, 4);
    assert_field(&r.fields, "email", "required");
    assert_field(&r.fields, "first_name", "required");
    assert_field(&r.fields, "last_name", "required");
    assert_field(&r.fields, "role", "required");
}

static void what_get_gave_can_be_put_back(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(
        put("{\"id\":\"" PERSON "\","
            "\"datetime_created\":\"2023-10-06T02:41:08.307449\","
            "\"datetime_modified\":\"2023-10-05T21:56:47.467118\","
            "\"events\":[" EVENT(
                EVENT1) ", {\"id\":\"" EVENT2
                        "\",\"datetime_created\":\"2023-10-08 06:03:33.334854\","
                        "\"event_type\":\"click\",\"person_id\":\"" PERSON "\","
                        "\"properties\":{\"n\": 1.0}}]," FOUR "}",
            &r),
        DBK_OK);
    assert_false(r.update.record.has_datetime_created);
    assert_int_equal(r.update.event_count, 2);
    assert_int_equal(r.update.events[0].type, DBK_EVENT_RECORDED);
    assert_slice(r.update.events[0].event_type, "signup");
    assert_true(r.update.events[0].has_datetime_created);
    assert_int_equal(r.update.events[0].subject.bytes[15], 1);
    assert_int_equal(r.update.events[1].subject.bytes[15], 2);
    assert_slice(r.update.events[1].properties, "{\"n\": 1.0}");
    assert_true(dbk_uuid_equal(&r.update.events[1].person_id, &r.id));
    body_update_finish(&r.update);
}

static void the_deepest_properties_can_be_put_back(void **state)
{
    char text[1024], *at = text;
    struct reading r;

    (void)state;
    at = stpcpy(at, "{" FOUR ",\"events\":[{\"id\":\"" EVENT1 "\",\"event_type\":\"a\","
                    "\"person_id\":\"" PERSON "\",\"properties\":");
    for (int i = 0; i < 28; i++)
        at = stpcpy(at, "{\"a\":");
    at = stpcpy(at, "1");
    for (int i = 0; i < 28; i++)
        at = stpcpy(at, "}");
    strcpy(at, "}]}");
    assert_int_equal(put(text, &r), DBK_OK);
    body_update_finish(&r.update);
}

static void an_empty_list_of_events_is_fine(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(put("{\"events\":[ ]," FOUR "}", &r), DBK_OK);
    assert_int_equal(r.update.event_count, 0);
    body_update_finish(&r.update);
}

static void each_wrong_field_of_a_put_is_named(void **state)
{
    static const struct {
        const char *body, *field, *message;
    } cases[] = {
        {"{" FOUR ",\"id\":\"" OTHER "\"}", "id", "must be " PERSON ", as in the path"},
        {"{" FOUR ",\"id\":null}", "id", "must not be null"},
        {"{" FOUR ",\"datetime_created\":\"yesterday\"}", "datetime_created",
         "must be a time"},
        {"{" FOUR ",\"datetime_modified\":false}", "datetime_modified",
         "expected a string, or a number of milliseconds, not a boolean"},
        {"{" FOUR ",\"version\":7}", "version", "unknown field"},
        {"{" FOUR ",\"events\":{}}", "events", "expected an array, not an object"},
        {"{" FOUR ",\"events\":null}", "events", "expected an array, not null"},
        {"{" FOUR ",\"events\":[7]}", "events[0]", "expected an object, not a number"},
        {"{" FOUR ",\"events\":[{}]}", "events[0].id", "required"},
        {"{" FOUR ",\"events\":[{}]}", "events[0].person_id", "required"},
        {"{" FOUR ",\"events\":[{}]}", "events[0].event_type", "required"},
        {"{" FOUR ",\"events\":[{\"x\":1}]}", "events[0].x", "unknown field"},
        {"{" FOUR ",\"events\":[" EVENT(
             EVENT1) ",{\"id\":\"" EVENT2
                     "\",\"event_type\":\"a\",\"person_id\":\"" OTHER "\"}]}",
         "events[1].person_id", "must be " PERSON ", as in the path"},
        {"{" FOUR
         ",\"events\":[" EVENT(EVENT2) "," EVENT(EVENT1) "," EVENT(EVENT2) "]}",
         "events[2].id", "the same id as events[0]"},
        {"{" FOUR ",\"events\":[" EVENT(EVENT1) ",0]}", "events[1]",
         "expected an object, not a number"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        assert_int_equal(put(cases[i].body, &r), DBK_INVALID);
        assert_field(&r.fields, cases[i].field, cases[i].message);
    }
}

/* What is no JSON is told by its line and column, and by the event that it is in. */
static void an_event_that_cannot_be_read_is_named(void **state)
{
    static const struct {
        const char *body, *field, *message;
    } cases[] = {
        {"{" FOUR ",\"events\":[" EVENT(EVENT1) ",\n{\"x\":\"\\ud800\"}]}", "events[1]",
         "line 2, column 7: half of a surrogate pair"},
        {"{\"events\":[{\"a\":1,\"a\":2}]," FOUR "}", "events[0]",
         "line 1, column 19: duplicate key \"a\""},
        {"{" FOUR ",\"events\":[{\"a\":1e999}]}", "events[0]", "line 1, column "},
    };
    struct reading r;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(put(cases[i].body, &r), DBK_INVALID);
        assert_field(&r.fields, cases[i].field, cases[i].message);
        assert_int_equal(r.fields.count, 1);
        assert_non_null(strstr(r.err.text, cases[i].field));
    }
    assert_int_equal(put("{\"x\":\"\\ud800\",\"events\":[{}]}", &r), DBK_INVALID);
    assert_int_equal(r.fields.count, 0);
    assert_int_equal(put("{\"events\":[{}],\"x\":\"\\ud800\"}", &r), DBK_INVALID);
    assert_int_equal(r.fields.count, 0);
    assert_int_equal(put("{\"events\":[{\"a\":1}", &r), DBK_INVALID);
    assert_int_equal(r.fields.count, 0);
}

static void events_without_ids_are_not_called_twins(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(put("{" FOUR ",\"events\":[{},{}]}", &r), DBK_INVALID);
    assert_int_equal(r.fields.count, 6);
}

static void a_patch_takes_any_of_the_four(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(patch("{\"last_name\":\" Grey \",\"id\":\"" PERSON "\"}", &r),
                     DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_LAST_NAME);
    assert_slice(r.update.record.person.last_name, "Grey");
    assert_true(dbk_uuid_equal(&r.update.record.subject, &r.id));
    body_update_finish(&r.update);

    assert_int_equal(patch("{}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, 0);
    body_update_finish(&r.update);
}

static void each_wrong_field_of_a_patch_is_named(void **state)
{
    static const struct {
        const char *body, *field, *message;
    } cases[] = {
        {"{\"email\":null}", "email", "must not be null"},
        {"{\"role\":null}", "role", "must not be null"},
        {"{\"first_name\":\"\"}", "first_name", "must not be empty"},
        {"{\"id\":\"" OTHER "\"}", "id", "must be " PERSON ", as in the path"},
        {"{\"events\":[]}", "events", "read-only: the server sets it"},
        {"{\"datetime_modified\":\"2023-10-08T06:03:33\"}", "datetime_modified",
         "read-only: the server sets it"},
        {"{\"nick\":null}", "nick", "unknown field"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        assert_int_equal(patch(cases[i].body, &r), DBK_INVALID);
        assert_int_equal(r.fields.count, 1);
        assert_field(&r.fields, cases[i].field, cases[i].message);
    }
}

static void a_delete_may_name_what_it_deletes(void **state)
{
    static const struct {
        const char *body;
        enum dbk_code code;
    } cases[] = {
        {"", DBK_OK},
        {" \r\n", DBK_OK},
        {"{}", DBK_OK},
        {"{\"id\":\"" PERSON "\"}", DBK_OK},
        {"{\"id\":\"9C65AF1A-C109-4C17-9BF1-5F4BCAC95E3C\"}", DBK_OK},
        {"{\"id\":\"" OTHER "\"}", DBK_INVALID},
        {"{\"id\":1}", DBK_INVALID},
        {"{\"person_id\":\"" PERSON "\"}", DBK_INVALID},
        {"[]", DBK_INVALID},
        {"null", DBK_OK},
        {" null\n", DBK_OK},
        {"nul", DBK_INVALID},
        {"null null", DBK_INVALID},
        {"{", DBK_INVALID},
    };
    struct dbk_uuid id;

    (void)state;
    assert_true(dbk_uuid_parse(PERSON, DBK_UUID_TEXT, &id));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_field_errors fields = {0};
        struct dbk_error err = {0};
        assert_int_equal(body_delete_person(cases[i].body, strlen(cases[i].body), &id,
                                            &fields, &err),
                         cases[i].code);
    }
}

static void a_delete_of_an_event_may_name_its_person(void **state)
{
    const char *with = "{\"id\":\"" PERSON "\",\"person_id\":\"" OTHER "\"}";
    struct body_delete deleted;
    struct dbk_field_errors fields = {0};
    struct dbk_error err = {0};
    struct dbk_uuid id;
    char text[DBK_UUID_TEXT + 1];

    (void)state;
    assert_true(dbk_uuid_parse(PERSON, DBK_UUID_TEXT, &id));
    assert_int_equal(body_delete_event(NULL, 0, &id, &deleted, &fields, &err), DBK_OK);
    assert_false(deleted.has_person_id);
    assert_int_equal(
        body_delete_event(with, strlen(with), &id, &deleted, &fields, &err), DBK_OK);
    assert_true(deleted.has_person_id);
    dbk_uuid_format(&deleted.person_id, text);
    assert_string_equal(text, OTHER);
    assert_int_equal(body_delete_event("{\"x\":1}", 7, &id, &deleted, &fields, &err),
                     DBK_INVALID);
    assert_false(deleted.has_person_id);
    assert_field(&fields, "x", "unknown field");
    assert_int_equal(body_delete_event(" ", 1, &id, &deleted, &fields, &err), DBK_OK);
    assert_int_equal(fields.count, 0);
}

#define THREE (DBK_HAS_EMAIL | DBK_HAS_FIRST_NAME | DBK_HAS_LAST_NAME)

static void a_put_of_who_is_known_takes_away_what_it_does_not_say(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(put_of(true, "{\"role\":\"user\",\"first_name\":null}", &r),
                     DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_ALL);
    assert_int_equal(r.update.record.person.first_name.length, 0);
    assert_int_equal(r.update.record.person.email.length, 0);
    body_update_finish(&r.update);
    assert_int_equal(put("{\"role\":\"user\",\"external_id\":\"u\"}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_ALL | DBK_HAS_EXTERNAL_ID);
    body_update_finish(&r.update);
    assert_int_equal(put("{\"role\":\"user\",\"external_id\":null}", &r), DBK_INVALID);
    assert_field(&r.fields, "email", "required");
}

static void a_put_leaves_external_id_and_properties_or_replaces_them(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(put("{" FOUR "}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_ALL);
    body_update_finish(&r.update);
    assert_int_equal(put("{" FOUR ",\"external_id\":null,\"properties\":null}", &r),
                     DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_PERSON);
    assert_int_equal(r.update.record.person.properties.length, 0);
    assert_int_equal(r.update.record.person.external_id.length, 0);
    body_update_finish(&r.update);
    assert_int_equal(put("{" FOUR ",\"properties\":{}}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_ALL | DBK_HAS_PROPERTIES);
    assert_int_equal(r.update.record.person.properties.length, 0);
    body_update_finish(&r.update);
}

static void a_patch_of_who_is_known_takes_away(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(patch_of(true, "{\"email\":null,\"last_name\":null}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_EMAIL | DBK_HAS_LAST_NAME);
    body_update_finish(&r.update);
    assert_int_equal(patch("{\"email\":null,\"external_id\":\"u\"}", &r), DBK_OK);
    body_update_finish(&r.update);
    assert_int_equal(patch("{\"email\":null}", &r), DBK_INVALID);
    assert_field(&r.fields, "email", "must not be null");
}

static void a_patch_of_properties_without_members_changes_nothing(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(patch("{\"properties\":{}}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, 0);
    body_update_finish(&r.update);
    assert_int_equal(patch("{\"properties\":{\"a\":null}}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_PROPERTIES);
    assert_slice(r.update.record.person.properties, "{\"a\":null}");
    body_update_finish(&r.update);
    assert_int_equal(patch("{\"properties\":null}", &r), DBK_OK);
    assert_int_equal(r.update.record.person.has, DBK_HAS_PROPERTIES);
    assert_int_equal(r.update.record.person.properties.length, 0);
    body_update_finish(&r.update);
}

static void a_put_by_external_id_is_of_who_is_there_or_of_who_is_new(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(
        put_by(PERSON, "{\"external_id\":\"u\",\"events\":[" EVENT(EVENT1) "]}", &r),
        DBK_OK);
    assert_true(dbk_uuid_equal(&r.update.record.subject, &r.id));
    assert_int_equal(r.update.record.person.has, THREE);
    assert_int_equal(r.update.event_count, 1);
    body_update_finish(&r.update);
    assert_int_equal(put_by(NULL,
                            "{\"id\":\"" OTHER "\",\"anonymous_id\":\"a\",\"role\":"
                            "\"admin\",\"events\":[]}",
                            &r),
                     DBK_OK);
    assert_int_equal(r.update.record.subject.bytes[0], 0x0f);
    assert_slice(r.update.record.anonymous_id, "a");
    assert_int_equal(r.update.record.person.has, DBK_HAS_ALL);
    body_update_finish(&r.update);
    assert_int_equal(put_by(NULL, "{}", &r), DBK_OK);
    assert_int_equal(r.update.record.subject.bytes[6] >> 4, 7);
    body_update_finish(&r.update);
}

static void a_put_by_external_id_contradicts_neither_path_nor_log(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(put_by(PERSON, "{\"external_id\":\"v\",\"id\":\"" OTHER "\"}", &r),
                     DBK_INVALID);
    assert_field(&r.fields, "external_id", "must be as in the path");
    assert_field(&r.fields, "id", "must be " PERSON ", who has this external_id");
    assert_int_equal(
        put_by(NULL, "{\"external_id\":null,\"events\":[" EVENT(EVENT1) "]}", &r),
        DBK_INVALID);
    assert_field(&r.fields, "external_id", "must not be null");
    assert_field(&r.fields, "events",
                 "nobody has this external id yet: a new person has none");
}

/* As of a request without a body: there is no text at all. */
static void nothing_is_no_body(void **state)
{
    struct reading r = {0};

    (void)state;
    assert_true(dbk_uuid_parse(PERSON, DBK_UUID_TEXT, &r.id));
    assert_int_equal(
        body_put_person(NULL, 0, &r.id, true, NULL, &r.update, &r.fields, &r.err),
        DBK_INVALID);
    assert_int_equal(
        body_patch_person(NULL, 0, &r.id, true, &r.update, &r.fields, &r.err),
        DBK_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_of_who_is_known_takes_away_what_it_does_not_say),
        cmocka_unit_test(a_put_leaves_external_id_and_properties_or_replaces_them),
        cmocka_unit_test(a_patch_of_who_is_known_takes_away),
        cmocka_unit_test(a_patch_of_properties_without_members_changes_nothing),
        cmocka_unit_test(a_put_by_external_id_is_of_who_is_there_or_of_who_is_new),
        cmocka_unit_test(a_put_by_external_id_contradicts_neither_path_nor_log),
        cmocka_unit_test(a_put_takes_the_four_fields),
        cmocka_unit_test(a_put_needs_all_four),
        cmocka_unit_test(what_get_gave_can_be_put_back),
        cmocka_unit_test(the_deepest_properties_can_be_put_back),
        cmocka_unit_test(an_empty_list_of_events_is_fine),
        cmocka_unit_test(each_wrong_field_of_a_put_is_named),
        cmocka_unit_test(an_event_that_cannot_be_read_is_named),
        cmocka_unit_test(events_without_ids_are_not_called_twins),
        cmocka_unit_test(a_patch_takes_any_of_the_four),
        cmocka_unit_test(each_wrong_field_of_a_patch_is_named),
        cmocka_unit_test(a_delete_may_name_what_it_deletes),
        cmocka_unit_test(a_delete_of_an_event_may_name_its_person),
        cmocka_unit_test(nothing_is_no_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
