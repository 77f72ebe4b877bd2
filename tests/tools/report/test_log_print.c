#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/record_json.h"
#include "log_print.h"
#include "made_export.h"

#define PERSON "aa000000-0000-4000-8000-000000000001"

/* What is printed of the made records, one after the other. */
static char *printed(void (*print)(FILE *out, const struct dbk_record *record,
                                   struct log_before *before))
{
    struct dbk_record records[MADE_RECORDS];
    struct log_before before = {0};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    made_records(records);
    assert_non_null(out);
    for (size_t i = 0; i < MADE_RECORDS; i++) {
        records[i].format = 1;
        records[i].sequence = i + 1;
        print(out, &records[i], &before);
        log_before_take(&before, &records[i]);
    }
    fclose(out);
    return text;
}

static void print_block(FILE *out, const struct dbk_record *record,
                        struct log_before *before)
{
    log_print_block(out, record, before);
}

static void print_line(FILE *out, const struct dbk_record *record,
                       struct log_before *before)
{
    (void)before;
    log_print_line(out, record);
}

static void a_block_tells_all_of_a_record(void **state)
{
    char *text = printed(print_block);

    (void)state;
    assert_string_equal(text,
                        "record 1 person.created\n"
                        "Time:     1970-01-01T00:00:00.001000\n"
                        "Person:   " PERSON "\n"
                        "Source:   test\n"
                        "\n"
                        "    email             kate@x.mock\n"
                        "    first_name        Kate\n"
                        "    last_name         Pryde\n"
                        "    role              user\n"
                        "\n"
                        "record 2 event.recorded\n"
                        "Time:     1970-01-01T00:00:00.001001\n"
                        "Person:   " PERSON "\n"
                        "Event:    bb000000-0000-4000-8000-000000000001\n"
                        "Source:   test\n"
                        "\n"
                        "    event_type        click\n"
                        "\n"
                        "record 3 event.recorded\n"
                        "Time:     1970-01-01T00:00:00.001002\n"
                        "Person:   " PERSON "\n"
                        "Event:    bb000000-0000-4000-8000-000000000002\n"
                        "Source:   test\n"
                        "\n"
                        "    event_type        click\n"
                        "    datetime_created  1970-01-01T00:00:00.000005\n"
                        "    properties        {\\r\\n \"a,\": [1, \"x\\\"\"]}\n"
                        "\n"
                        "record 4 person.updated\n"
                        "Time:     1970-01-01T00:00:00.001003\n"
                        "Person:   " PERSON "\n"
                        "\n"
                        "    last_name         Pryde \xE2\x86\x92 O'N\xC3\xA9\"il\n"
                        "\n"
                        "record 5 event.deleted\n"
                        "Time:     1970-01-01T00:00:00.001004\n"
                        "Person:   " PERSON "\n"
                        "Event:    bb000000-0000-4000-8000-000000000001\n"
                        "Source:   rest\n"
                        "Actor:    support\n"
                        "Request:  r1\n"
                        "\n"
                        "    deleted\n"
                        "\n"
                        "record 6 person.deleted\n"
                        "Time:     1970-01-01T00:00:00.001005\n"
                        "Person:   " PERSON "\n"
                        "\n"
                        "    deleted, with all events\n"
                        "\n"
                        "record 7 person.created\n"
                        "Time:     1970-01-01T00:00:00.000900\n"
                        "Person:   aa000000-0000-4000-8000-000000000002\n"
                        "Source:   test\n"
                        "\n"
                        "    email             ororo@x.mock\n"
                        "    first_name        Kate\n"
                        "    last_name         Pryde\n"
                        "    role              user\n"
                        "\n");
    free(text);
}

static void a_line_tells_it_in_brief(void **state)
{
    char *text = printed(print_line);

    (void)state;
    assert_string_equal(
        text,
        "1  1970-01-01T00:00:00.001000  person.created  person " PERSON
        " email=kate@x.mock first_name=Kate last_name=Pryde role=user\n"
        "2  1970-01-01T00:00:00.001001  event.recorded  person " PERSON " click\n"
        "3  1970-01-01T00:00:00.001002  event.recorded  person " PERSON
        " click {\\r\\n \"a,\": [1, \"x\\\"\"]}\n"
        "4  1970-01-01T00:00:00.001003  person.updated  person " PERSON
        " last_name=O'N\xC3\xA9\"il\n"
        "5  1970-01-01T00:00:00.001004  event.deleted  person " PERSON "\n"
        "6  1970-01-01T00:00:00.001005  person.deleted  person " PERSON "\n"
        "7  1970-01-01T00:00:00.000900  person.created  person aa000000-0000-4000-8000-"
        "000000000002 email=ororo@x.mock first_name=Kate last_name=Pryde role=user\n");
    free(text);
}

static void print_hostile(FILE *out, const struct dbk_record *record,
                          struct log_before *before)
{
    struct dbk_record hostile = *record;

    (void)before;
    hostile.actor = dbk_slice("x\x1B[2J\nrecord 9 person.created\xFF");
    hostile.person.last_name = dbk_slice("\r\x9B"
                                         "2J\xE2\x80\xAE");
    log_print_block(out, &hostile, NULL);
    log_print_line(out, &hostile);
}

static void what_could_move_the_cursor_is_escaped(void **state)
{
    char *text = printed(print_hostile);

    (void)state;
    for (const char *at = text; *at; at++)
        assert_true(*at == '\n' || (unsigned char)*at >= 0x20);
    assert_null(strstr(text, "\nrecord 9"));
    assert_null(strstr(text, "\xE2\x80\xAE"));
    free(text);
}

static void long_properties_are_cut_on_a_line_and_whole_in_a_block(void **state)
{
    char properties[DBK_PROPERTIES_MAX], *text;
    struct dbk_record record = made_event(1, 1, 5);
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    for (size_t i = 0; i < sizeof properties; i++)
        properties[i] = "\xC3\xA9"[i % 2];
    record.properties = (struct dbk_slice){properties, sizeof properties};
    log_print_line(out, &record);
    fflush(out);
    assert_true(size < 250);
    assert_non_null(strstr(text, "\xC3\xA9\xE2\x80\xA6\n"));
    log_print_block(out, &record, NULL);
    fflush(out);
    assert_true(size > sizeof properties);
    fclose(out);
    free(text);
}

static void json_says_the_same_and_moves_no_cursor(void **state)
{
    static char properties[] = "{\"a\": \"\xC3\xA9\xC2\x9B"
                               "31m\xE2\x80\xAE\x7F\"}";
    struct dbk_record record = {.format = 1,
                                .type = DBK_EVENT_RECORDED,
                                .sequence = 1,
                                .event_type = dbk_slice("click"),
                                .properties = dbk_slice(properties)};
    static char room[DBK_RECORD_JSON_MAX];
    struct dbk_error err;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_int_equal(log_print_json(out, &record, room, &err), DBK_OK);
    fclose(out);
    assert_non_null(strstr(text, "{\"a\": \"\xC3\xA9\\u009b31m\\u202e\\u007f\"}"));
    free(text);
}

#define TEXT(literal)                                                                  \
    {                                                                                  \
        literal, sizeof literal - 1                                                    \
    }

static void what_is_nobodys_yet_and_what_is_taken_away_is_told(void **state)
{
    static const struct dbk_record records[] = {
        {.format = 3,
         .type = DBK_EVENT_RECORDED,
         .event_type = TEXT("Order Completed"),
         .anonymous_id = TEXT("d1"),
         .clock_offset = TEXT("-5"),
         .traceparent =
             TEXT("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")},
        {.format = 2, .type = DBK_PERSON_ALIASED, .anonymous_id = TEXT("d1")},
        {.format = 2,
         .type = DBK_PERSON_UPDATED,
         .person = {.has = DBK_HAS_EMAIL | DBK_HAS_EXTERNAL_ID | DBK_HAS_PROPERTIES,
                    .external_id = TEXT("crm|1")}},
    };
    static const char *const expected[] = {
        "Person:   nobody\n",
        "Anon. id: d1\n",
        "Clock:    -5\n",
        "Trace:    00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
        "is the person's from here on",
        "email             a@b \xE2\x86\x92 (none)\n",
        "external_id       crm|1\n",
        "properties        (none)\n",
        "person nobody anonymous_id=d1 Order Completed\n",
        "external_id=crm|1"};
    struct log_before before = {.has = DBK_HAS_EMAIL, .email = "a@b"};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        log_print_block(out, &records[i], &before);
        log_print_line(out, &records[i]);
    }
    fclose(out);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(text, expected[i]))
            fail_msg("no \"%s\" in %s", expected[i], text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_tells_all_of_a_record),
        cmocka_unit_test(a_line_tells_it_in_brief),
        cmocka_unit_test(what_could_move_the_cursor_is_escaped),
        cmocka_unit_test(json_says_the_same_and_moves_no_cursor),
        cmocka_unit_test(long_properties_are_cut_on_a_line_and_whole_in_a_block),
        cmocka_unit_test(what_is_nobodys_yet_and_what_is_taken_away_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
