/* What a stream is made of, and which records it shows. */
#include "sse.h"

#include "check.h"
#include "cloud_event.h"
#include "filter.h"

#define SOURCE "urn:uuid:00000000-0000-0000-0000-000000000001"

static const struct dbk_uuid kate = {{1}}, emma = {{2}}, nobody = {{0}};

static struct dbk_record recorded(void)
{
    return (struct dbk_record){
        .format = 1,
        .type = DBK_EVENT_RECORDED,
        .sequence = 7,
        .recorded_at = 1500000,
        .subject = emma,
        .person_id = kate,
        .event_type = dbk_slice("line\nbreak"),
        .properties = dbk_slice("{\n\r\"a\":\"\\n\"}"),
    };
}

static void assert_text(struct dbk_render *out, const char *expected)
{
    dbk_render_raw(out, "", 1);
    assert_int_equal(dbk_render_code(out), DBK_OK);
    assert_string_equal(out->text, expected);
    dbk_render_finish(out);
    *out = (struct dbk_render){0};
}

static void a_record_is_a_block_of_three_lines(void **state)
{
    struct dbk_record record = recorded();
    struct dbk_render out = {0};

    (void)state;
    sse_record(&out, &record, FORM_RECORD, SOURCE);
    assert_text(&out,
                "id: 7\nevent: event.recorded\ndata: {\"format\":1,\"type\":"
                "\"event.recorded\",\"sequence\":7,\"recorded_at\":"
                "\"1970-01-01T00:00:01.500000\",\"subject_id\":"
                "\"02000000-0000-0000-0000-000000000000\",\"data\":{\"person_id\":"
                "\"01000000-0000-0000-0000-000000000000\",\"event_type\":"
                "\"line\\nbreak\",\"properties\":{  \"a\":\"\\n\"}},\"meta\":{}}"
                "\n\n");
}

static void every_form_is_one_line_of_data(void **state)
{
    struct dbk_record record = recorded();

    (void)state;
    for (int form = 0; form < FORMS; form++) {
        struct dbk_render out = {0};
        bool zone = form == FORM_RECORD_ZONE || form == FORM_CLOUD_ZONE;
        bool cloud = form == FORM_CLOUD || form == FORM_CLOUD_ZONE;
        sse_record(&out, &record, (enum form)form, SOURCE);
        assert_int_equal(sse_block_rest(out.text, out.length), out.length);
        assert_null(memchr(out.text, '\r', out.length));
        assert_false(out.zone);
        dbk_render_raw(&out, "", 1);
        assert_int_equal(strstr(out.text, "01.500000Z\",\"subject_id") != NULL, zone);
        assert_int_equal(strstr(out.text, "\"time\":\"1970-01-01T00:00:01.500000Z\"") !=
                             NULL,
                         cloud);
        assert_int_equal(strstr(out.text, SOURCE) != NULL, cloud);
        dbk_render_finish(&out);
    }
}

static void what_else_there_is_ends_with_an_empty_line(void **state)
{
    struct dbk_render out = {0};

    (void)state;
    sse_begin(&out, 12);
    assert_text(&out, "retry: 3000\nid: 12\n\n");
    sse_heartbeat(&out, 18);
    assert_text(&out, ": heartbeat 18\nid: 18\n\n");
    sse_end(&out, "slow", "say \"it\"");
    assert_text(&out, "event: end\ndata: {\"reason\":\"slow\",\"details\":"
                      "\"say \\\"it\\\"\"}\n\n");
}

static void the_rest_of_a_block_ends_where_the_next_begins(void **state)
{
    (void)state;
    assert_int_equal(sse_block_rest("a\n\nid: 2\n\n", 10), 3);
    assert_int_equal(sse_block_rest("\n", 1), 1);
    assert_int_equal(sse_block_rest("\n\nid", 4), 2);
    assert_int_equal(sse_block_rest("abc", 3), 3);
    assert_int_equal(sse_block_rest(NULL, 0), 0);
}

static void read_filter(const char *query, struct filter *filter, size_t errors)
{
    static const char *const names[] = {"type", "person_id", "event_type", NULL};
    struct dbk_field_errors fields = {.count = 0};
    struct params params = {.count = 0};
    struct dbk_error err;
    char text[4096];

    snprintf(text, sizeof text, "%s", query);
    assert_int_equal(params_parse(text, names, &params, &fields, &err), DBK_OK);
    assert_int_equal(filter_read(&params, filter, &fields, &err), DBK_OK);
    memset(text, 'x', sizeof text); /* it keeps nothing of it */
    assert_int_equal(fields.count, errors);
}

static bool lets(const char *query, const struct seen *seen)
{
    struct filter filter;
    bool let;

    read_filter(query, &filter, 0);
    let = filter_lets(&filter, seen);
    filter_finish(&filter);
    return let;
}

static void all_filters_must_fit(void **state)
{
    const struct seen event = {
        .type = DBK_EVENT_RECORDED, .person = kate, .event_type = dbk_slice("click")};
    const struct seen anonymous = {
        .type = DBK_EVENT_RECORDED, .owner = emma, .event_type = dbk_slice("click")};
    const struct seen person = {.type = DBK_PERSON_CREATED, .person = kate};

    (void)state;
    assert_true(lets("", &event) && lets("", &person) && lets("", &anonymous));
    assert_true(lets("type=person.created,event.recorded", &event));
    assert_false(lets("type=person.created", &event));
    assert_true(lets("event_type=view,click", &event));
    assert_false(lets("event_type=clic", &event));
    assert_false(lets("event_type=click", &person));
    assert_true(lets("person_id=01000000-0000-0000-0000-000000000000", &event));
    assert_true(lets("person_id=02000000-0000-0000-0000-000000000000", &anonymous));
    assert_false(lets("person_id=02000000-0000-0000-0000-000000000000", &event));
    assert_false(lets("person_id=01000000-0000-0000-0000-000000000000&type="
                      "event.deleted",
                      &event));
    assert_true(dbk_uuid_is_nil(&nobody));
}

static void bad_filters_are_told(void **state)
{
    static const char *const bad[] = {"type=",
                                      "type=person",
                                      "type=person.created,",
                                      "event_type=",
                                      "event_type=a,,b",
                                      "person_id=1",
                                      "event_type=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,"
                                      "16,17,18,19,20,21"};
    struct filter filter;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        read_filter(bad[i], &filter, 1);
        filter_finish(&filter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_a_block_of_three_lines),
        cmocka_unit_test(every_form_is_one_line_of_data),
        cmocka_unit_test(what_else_there_is_ends_with_an_empty_line),
        cmocka_unit_test(the_rest_of_a_block_ends_where_the_next_begins),
        cmocka_unit_test(all_filters_must_fit),
        cmocka_unit_test(bad_filters_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
