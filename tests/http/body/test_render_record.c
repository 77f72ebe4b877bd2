#include "check.h"
#include "render_logged.h"
#include "render_record.h"

#define PERSON "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c"
#define EVENT "0fcf3634-9b0c-4ceb-ab53-7ba8edf3d5fa"
#define AT "2023-10-08T06:03:33.330037"
#define LATER "2023-10-08T06:03:34.000000"

static struct dbk_uuid uuid(const char *text)
{
    struct dbk_uuid id;

    assert_true(dbk_uuid_parse(text, DBK_UUID_TEXT, &id));
    return id;
}

static dbk_timestamp timestamp(const char *text)
{
    dbk_timestamp at;

    assert_true(dbk_timestamp_parse(text, strlen(text), &at));
    return at;
}

static void assert_text(struct dbk_render *render, const char *expected)
{
    assert_int_equal(dbk_render_code(render), DBK_OK);
    assert_slice((struct dbk_slice){render->text, render->length}, expected);
    dbk_render_finish(render);
}

static struct dbk_record event_record(void)
{
    return (struct dbk_record){.format = 1,
                               .type = DBK_EVENT_RECORDED,
                               .sequence = 42,
                               .recorded_at = timestamp(LATER),
                               .subject = uuid(EVENT),
                               .person_id = uuid(PERSON),
                               .event_type = dbk_slice("click")};
}

static void an_event_has_the_seeds_shape(void **state)
{
    struct dbk_record event = event_record();
    struct dbk_render render;

    (void)state;
    dbk_render_init(&render, 4096);
    render_logged_event(&render, &event, timestamp(AT), 0);
    assert_text(&render, "{\"id\":\"" EVENT "\",\"datetime_created\":\"" AT
                         "\",\"event_type\":\"click\",\"person_id\":\"" PERSON "\"}");
}

static void an_event_shows_its_own_time_and_properties(void **state)
{
    struct dbk_record event = event_record();
    struct dbk_render render;

    (void)state;
    event.has_datetime_created = true;
    event.datetime_created = timestamp(AT);
    event.properties = dbk_slice("{\"a\":\n\r1.0}");
    dbk_render_init(&render, 4096);
    render_logged_event(&render, &event, timestamp(LATER), 0);
    assert_text(&render, "{\"id\":\"" EVENT "\",\"datetime_created\":\"" AT
                         "\",\"event_type\":\"click\",\"person_id\":\"" PERSON
                         "\",\"properties\":{\"a\":  1.0}}");
}

static void a_person_has_the_seeds_shape(void **state)
{
    struct dbk_person_state person = {.id = uuid(PERSON),
                                      .version = 3,
                                      .datetime_created = timestamp(AT),
                                      .datetime_modified = timestamp(LATER),
                                      .role = DBK_ROLE_ADMIN,
                                      .email = "kate.pryde@marauders.mock",
                                      .first_name = "K\"te",
                                      .last_name = "Pr\xC3\xBF"};
    struct dbk_render render;

    (void)state;
    dbk_render_init(&render, 4096);
    render_logged_person(&render, &person, (struct dbk_slice){NULL, 0},
                         dbk_slice("[{},{}]"));
    assert_text(&render,
                "{\"id\":\"" PERSON "\",\"datetime_created\":\"" AT
                "\",\"datetime_modified\":\"" LATER
                "\",\"email\":\"kate.pryde@marauders.mock\",\"events\":[{},{}],"
                "\"first_name\":\"K\\\"te\",\"last_name\":\"Pr\xC3\xBF\","
                "\"role\":\"admin\"}");
}

static void every_type_of_record_has_its_seven_names(void **state)
{
    struct dbk_record record = {.format = 1,
                                .sequence = 7,
                                .recorded_at = timestamp(LATER),
                                .subject = uuid(EVENT),
                                .person_id = uuid(PERSON),
                                .event_type = dbk_slice("click"),
                                .properties = dbk_slice("{\"a\":1}"),
                                .has_datetime_created = true,
                                .datetime_created = timestamp(AT),
                                .keys = {"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\x01\x02", 16},
                                .size = 258,
                                .root = dbk_slice("the root"),
                                .checkpoint = dbk_slice("a\n"),
                                .through = 70000,
                                .before = timestamp(AT),
                                .person = {.has = DBK_HAS_ALL,
                                           .email = dbk_slice("a@b"),
                                           .first_name = dbk_slice("A"),
                                           .last_name = dbk_slice("B"),
                                           .role = DBK_ROLE_USER},
                                .source = dbk_slice("rest")};
    static const struct {
        enum dbk_type type;
        const char *name, *data;
    } cases[] = {
        {DBK_PERSON_CREATED, "person.created",
         "{\"email\":\"a@b\",\"first_name\":\"A\",\"last_name\":\"B\",\"role\":"
         "\"user\","
         "\"datetime_created\":\"" AT "\"}"},
        {DBK_PERSON_UPDATED, "person.updated",
         "{\"email\":\"a@b\",\"first_name\":\"A\",\"last_name\":\"B\",\"role\":"
         "\"user\"}"},
        {DBK_PERSON_DELETED, "person.deleted", "{}"},
        {DBK_EVENT_RECORDED, "event.recorded",
         "{\"person_id\":\"" PERSON
         "\",\"event_type\":\"click\",\"properties\":{\"a\":1},"
         "\"datetime_created\":\"" AT "\"}"},
        {DBK_EVENT_DELETED, "event.deleted", "{\"person_id\":\"" PERSON "\"}"},
        {DBK_PERSON_ALIASED, "person.aliased", "{\"anonymous_id\":\"d 1\"}"},
        {DBK_PERSON_UNALIASED, "person.unaliased", "{\"anonymous_id\":\"d 1\"}"},
        {DBK_PERSON_ERASED, "person.erased", "{\"keys\":[7,258]}"},
        {DBK_PERSON_RESTRICTED, "person.restricted", "{}"},
        {DBK_PERSON_UNRESTRICTED, "person.unrestricted", "{}"},
        {DBK_LOG_RESEALED, "log.resealed",
         "{\"size\":258,\"root\":\"dGhlIHJvb3Q=\",\"checkpoint\":\"a\\n\"}"},
        {DBK_EVENTS_EXPIRED, "events.expired",
         "{\"keys\":[7,258],\"through\":70000,\"before\":\"" AT "\"}"},
    };

    (void)state;
    assert_int_equal(sizeof cases / sizeof *cases, DBK_TYPE_COUNT - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[600];
        struct dbk_render render;
        record.type = cases[i].type;
        if (strstr(cases[i].data, "anonymous_id"))
            record.anonymous_id = dbk_slice("d 1");
        snprintf(expected, sizeof expected,
                 "{\"format\":1,\"type\":\"%s\",\"sequence\":7,\"recorded_at\":\"" LATER
                 "\",\"subject_id\":\"" EVENT "\",\"data\":%s,"
                 "\"meta\":{\"source\":\"rest\"}}",
                 cases[i].name, cases[i].data);
        dbk_render_init(&render, 4096);
        render_record_shown(&render, &record);
        assert_text(&render, expected);
    }
}

static void of_one_that_is_withheld_only_whose_it_is_is_shown(void **state)
{
    struct dbk_record record = {.format = 2,
                                .type = DBK_EVENT_RECORDED,
                                .sequence = 7,
                                .event_type = dbk_slice("secret"),
                                .properties = dbk_slice("{\"secret\":1}"),
                                .anonymous_id = dbk_slice("secret"),
                                .has_datetime_created = true,
                                .withheld = true};
    struct dbk_render render;

    (void)state;
    for (int i = 0; i < 2; i++) {
        dbk_render_init(&render, 4096);
        render_record_shown(&render, &record);
        dbk_render_raw(&render, "", 1);
        assert_null(strstr(render.text, "secret"));
        assert_non_null(strstr(
            render.text, i == 0 ? "\"data\":{\"person_id\":null,\"restricted\":true}"
                                : "\"data\":{\"restricted\":true}"));
        dbk_render_finish(&render);
        record.type = DBK_PERSON_ALIASED;
    }
}

static void a_record_shows_only_what_it_has(void **state)
{
    struct dbk_record record = {
        .format = 1,
        .type = DBK_PERSON_UPDATED,
        .sequence = 18446744073709551615U,
        .recorded_at = timestamp(LATER),
        .subject = uuid(PERSON),
        .person = {.has = DBK_HAS_LAST_NAME, .last_name = dbk_slice("B")},
        .request_id = dbk_slice("r\"1"),
        .actor = dbk_slice("me")};
    struct dbk_render render;

    (void)state;
    dbk_render_init(&render, 4096);
    render_record_shown(&render, &record);
    assert_text(&render,
                "{\"format\":1,\"type\":\"person.updated\",\"sequence\":"
                "18446744073709551615,\"recorded_at\":\"" LATER
                "\",\"subject_id\":\"" PERSON "\",\"data\":{\"last_name\":\"B\"},"
                "\"meta\":{\"request_id\":\"r\\\"1\",\"actor\":\"me\"}}");
}

static void an_event_without_time_or_properties_shows_neither(void **state)
{
    struct dbk_record record = event_record();
    struct dbk_render render;

    (void)state;
    dbk_render_init(&render, 4096);
    render_record_shown(&render, &record);
    assert_text(&render, "{\"format\":1,\"type\":\"event.recorded\",\"sequence\":42,"
                         "\"recorded_at\":\"" LATER "\",\"subject_id\":\"" EVENT
                         "\",\"data\":{\"person_id\":\"" PERSON
                         "\",\"event_type\":\"click\"},\"meta\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_the_seeds_shape),
        cmocka_unit_test(an_event_shows_its_own_time_and_properties),
        cmocka_unit_test(a_person_has_the_seeds_shape),
        cmocka_unit_test(every_type_of_record_has_its_seven_names),
        cmocka_unit_test(of_one_that_is_withheld_only_whose_it_is_is_shown),
        cmocka_unit_test(a_record_shows_only_what_it_has),
        cmocka_unit_test(an_event_without_time_or_properties_shows_neither),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
