#include "check.h"

#include "traceparent.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define RIGHT "00-" TRACE "-" SPAN "-01"

static const char *read_two(const char *first, const char *second)
{
    static char out[TRACEPARENT_TEXT + 1];
    const struct head head = {
        .count = second ? 2 : 1,
        .fields = {{"Traceparent", first}, {"traceparent", second}}};

    traceparent_read(&head, out);
    return out;
}

static void a_right_one_is_taken_as_it_is(void **state)
{
    (void)state;
    assert_string_equal(read_two(RIGHT, NULL), RIGHT);
    assert_string_equal(read_two("00-" TRACE "-" SPAN "-ff", NULL),
                        "00-" TRACE "-" SPAN "-ff");
}

static void of_a_version_to_come_what_is_known_is_taken(void **state)
{
    (void)state;
    assert_string_equal(read_two("fe-" TRACE "-" SPAN "-01", NULL),
                        "fe-" TRACE "-" SPAN "-01");
    assert_string_equal(read_two("01-" TRACE "-" SPAN "-01-what comes", NULL),
                        "01-" TRACE "-" SPAN "-01");
    assert_string_equal(read_two("01-" TRACE "-" SPAN "-01.what comes", NULL), "");
}

static void what_is_malformed_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "-",
        "00",
        "00-",
        "00-" TRACE,
        "00-" TRACE "-",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-",
        "00-" TRACE "-" SPAN "-1",
        RIGHT "0",
        RIGHT "-",
        RIGHT "-00",
        RIGHT " ",
        "ff-" TRACE "-" SPAN "-01",
        "0-" TRACE "-" SPAN "-011",
        "0x-" TRACE "-" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00-" TRACE "-" SPAN "-0A",
        "00-4bf92f3577b34da6a3ce929d0e0e473-000f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47g6-" SPAN "-01",
        "00--------------------------------------------------01",
        "00-\xC3\xA9"
        "92f3577b34da6a3ce929d0e0e47g6-" SPAN "-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_string_equal(read_two(wrong[i], NULL), "");
}

static void of_two_none_is_taken(void **state)
{
    (void)state;
    assert_string_equal(read_two(RIGHT, RIGHT), "");
}

static void the_trace_id_is_a_part_of_it(void **state)
{
    char out[TRACE_ID_TEXT + 1];

    (void)state;
    traceparent_trace_id(RIGHT, out);
    assert_string_equal(out, TRACE);
    traceparent_trace_id("", out);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_one_is_taken_as_it_is),
        cmocka_unit_test(of_a_version_to_come_what_is_known_is_taken),
        cmocka_unit_test(what_is_malformed_is_none),
        cmocka_unit_test(of_two_none_is_taken),
        cmocka_unit_test(the_trace_id_is_a_part_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
