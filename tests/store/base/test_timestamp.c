#include "store/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void reads_as(const char *text, const char *expected)
{
    char back[DBK_TIMESTAMP_TEXT + 1];
    dbk_timestamp at;

    if (!dbk_timestamp_parse(text, strlen(text), &at))
        fail_msg("%s was refused", text);
    dbk_timestamp_format(at, back);
    assert_string_equal(back, expected);
}

static void every_form_is_read_to_the_microsecond(void **state)
{
    (void)state;
    reads_as("2023-10-08T06:03:33.330037", "2023-10-08T06:03:33.330037");
    reads_as("2023-10-08 06:03:33.330037", "2023-10-08T06:03:33.330037");
    reads_as("2023-10-08t06:03:33z", "2023-10-08T06:03:33.000000");
    reads_as("2023-10-08T06:03:33.5Z", "2023-10-08T06:03:33.500000");
    reads_as("2023-10-08T06:03:33.1234567Z", "2023-10-08T06:03:33.123456");
    reads_as("2023-10-08T06:03:33.999999999", "2023-10-08T06:03:33.999999");
    reads_as("1969-12-31T23:59:59.9999999", "1969-12-31T23:59:59.999999");
    reads_as("2023-10-08T06:03:33.00000000000000000000000000000000000001+00:00",
             "2023-10-08T06:03:33.000000");
    reads_as("2023-10-08T01:03:33+02:00", "2023-10-07T23:03:33.000000");
    reads_as("2023-12-31T23:30:00-01:15", "2024-01-01T00:45:00.000000");
    reads_as("0001-01-01T00:00:00", "0001-01-01T00:00:00.000000");
    reads_as("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999");
    reads_as("1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999");
}

static void days_that_are_not_are_refused(void **state)
{
    static const char *const bad[] = {
        "2023-02-29T00:00:00",
        "1900-02-29T00:00:00",
        "2023-04-31T00:00:00",
        "2023-13-01T00:00:00",
        "2023-00-01T00:00:00",
        "2023-01-00T00:00:00",
        "0000-01-01T00:00:00",
        "2023-01-01T24:00:00",
        "2023-01-01T00:60:00",
        "2016-12-31T23:59:60",
        "2023-01-01",
        "2023-01-01T00:00",
        "2023-01-01T00:00:00.",
        "2023-01-01T00:00:00.1234567x",
        "2023-01-01T00:00:00.123456789.1",
        "2023-01-01T00:00:00+2:00",
        "2023-01-01T00:00:00+0200",
        "2023-01-01T00:00:00Zulu",
        "2023-1-1T00:00:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "",
        " 2023-01-01T00:00:00",
    };
    dbk_timestamp at;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (dbk_timestamp_parse(bad[i], strlen(bad[i]), &at))
            fail_msg("%s was taken", bad[i]);
    }
}

static void leap_days_are_days(void **state)
{
    (void)state;
    reads_as("2024-02-29T12:00:00", "2024-02-29T12:00:00.000000");
    reads_as("2000-02-29T12:00:00", "2000-02-29T12:00:00.000000");
}

static void every_day_agrees_with_the_system_calendar(void **state)
{
    (void)state;
    for (int64_t day = -719162; day < 2932897; day += 17) {
        char ours[DBK_TIMESTAMP_TEXT + 1], theirs[32];
        time_t seconds = (time_t)(day * 86400);
        dbk_timestamp back;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.000000", &tm);
        while (strlen(theirs) < DBK_TIMESTAMP_TEXT) /* strftime does not pad years */
            memmove(theirs + 1, theirs, strlen(theirs) + 1), theirs[0] = '0';
        dbk_timestamp_format(day * 86400 * 1000000, ours);
        assert_string_equal(ours, theirs);
        assert_true(dbk_timestamp_parse(ours, DBK_TIMESTAMP_TEXT, &back));
        assert_int_equal(back, day * 86400 * 1000000);
        memcpy(ours + 8, "01", 2);
        assert_true(dbk_timestamp_parse(ours, DBK_TIMESTAMP_TEXT, &back));
        assert_int_equal(dbk_timestamp_month(day * 86400 * 1000000 + 86399999999),
                         back);
    }
}

static void a_month_is_its_first_moment(void **state)
{
    static const char *const bad[] = {"",       "2024",       "2024-13",
                                      "2024-2", "2024-02-01", "x"};
    char text[DBK_MONTH_TEXT + 1];
    dbk_timestamp at;
    (void)state;

    assert_true(dbk_month_parse("2024-02", &at));
    dbk_month_format(at, text);
    assert_string_equal(text, "2024-02");
    dbk_month_format(at - 1, text);
    assert_string_equal(text, "2024-01");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dbk_month_parse(bad[i], &at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read_to_the_microsecond),
        cmocka_unit_test(days_that_are_not_are_refused),
        cmocka_unit_test(leap_days_are_days),
        cmocka_unit_test(a_month_is_its_first_moment),
        cmocka_unit_test(every_day_agrees_with_the_system_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
