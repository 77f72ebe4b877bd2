/* What the statistics take for types, steps, times and zones. */
#include "check.h"

#include "statistics_params.h"

static const char *const allowed[] = {"by",    "tz",    "within", "since",
                                      "until", "steps", "type",   NULL};

struct query {
    char text[2048];
    struct params params;
    struct dbk_field_errors fields;
    struct dbk_error err;
};

static struct query *parse(const char *text)
{
    static struct query query;

    memset(&query, 0, sizeof query);
    snprintf(query.text, sizeof query.text, "%s", text);
    assert_int_equal(
        params_parse(query.text, allowed, &query.params, &query.fields, &query.err),
        DBK_OK);
    return &query;
}

static int64_t within(const char *text)
{
    struct query *query = parse(text);
    int64_t us = -1;

    statistics_params_within(&query->params, &us, &query->fields);
    return query->fields.count ? -1 : us / 1000000;
}

static void a_time_is_a_number_and_a_unit(void **state)
{
    static const char *const bad[] = {"",   "7",   "d",     "0s",   "-1d", "%2B1d",
                                      "1y", "1.5", "3661d", "1dd",  "1 d", "1D",
                                      "d1", "1m0", "523w",  "0x10d"};

    (void)state;
    assert_int_equal(within(""), 7 * 86400);
    assert_int_equal(within("within=90s"), 90);
    assert_int_equal(within("within=30m"), 1800);
    assert_int_equal(within("within=12h"), 43200);
    assert_int_equal(within("within=007d"), 7 * 86400);
    assert_int_equal(within("within=2w"), 14 * 86400);
    assert_int_equal(within("within=3660d"), 3660 * 86400);
    assert_int_equal(within("within=999999999w"), -1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "within=%s", bad[i]);
        if (within(text) != -1)
            fail_msg("%s is taken", text);
    }
}

static bool zone(const char *text, char out[ZONE_MAX + 1])
{
    char query_text[256];
    struct query *query;

    snprintf(query_text, sizeof query_text, "tz=%s", text);
    query = parse(query_text);
    statistics_params_zone(&query->params, out, &query->fields);
    if (query->fields.count > 0) {
        assert_field(&query->fields, "tz", "the IANA name");
        assert_string_equal(out, "UTC");
    }
    return query->fields.count == 0;
}

static void a_zone_has_a_name_of_the_database(void **state)
{
    static const char *const good[] = {
        "UTC",        "GMT",          "Europe/Berlin", "America/Argentina/Buenos_Aires",
        "Etc/GMT-14", "Etc/GMT%2B12", "Etc/GMT-0",     "America/Port-au-Prince"};
    static const char *const bad[] = {"",
                                      "CET",
                                      "EST5EDT",
                                      "UTC%2B3",
                                      "Etc/GMT%2B13",
                                      "Etc/GMT-15",
                                      "Etc/GMT",
                                      "Etc/GMT3",
                                      "Foo/Bar%2B3",
                                      "Europe//Berlin",
                                      "/Europe",
                                      "Europe/",
                                      "Europe/Ber.lin",
                                      "../x",
                                      "A/%C3%BC",
                                      "A/B'",
                                      "Etc/GMT-1x",
                                      "Etc/GMT--1",
                                      "Etc/GMT- 1",
                                      "right/Europe/Berlin",
                                      "POSIX/UTC"};
    char out[ZONE_MAX + 1], longest[ZONE_MAX + 2] = "A/";

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!zone(good[i], out))
            fail_msg("%s is refused", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool plain = strcmp(bad[i], "Etc/GMT") == 0; /* a place as well as any */
        if (zone(bad[i], out) != plain)
            fail_msg("%s is taken", bad[i]);
    }
    memset(longest + 2, 'b', ZONE_MAX - 2);
    assert_true(zone(longest, out));
    assert_string_equal(out, longest);
    longest[ZONE_MAX] = 'b';
    assert_false(zone(longest, out));
    assert_true(zone("Etc/UTC", out));
    assert_string_equal(out, "UTC");
}

static void types_have_commas_between_them(void **state)
{
    static struct type_list list;
    char why[TYPE_LIST_WHY_MAX];

    (void)state;
    assert_true(type_list_read(dbk_slice("a,b c,\xC3\xBC"), 3, &list, why));
    assert_int_equal(list.count, 3);
    assert_slice(list.types[1], "b c");
    assert_slice(list.types[2], "\xC3\xBC");
    assert_true(type_list_read(dbk_slice("a\\,b,c\\\\,\\,"), 20, &list, why));
    assert_int_equal(list.count, 3);
    assert_slice(list.types[0], "a,b");
    assert_slice(list.types[1], "c\\");
    assert_slice(list.types[2], ",");
}

static void what_is_no_type_is_told_by_its_place(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "type 1 must not be empty"},
        {"a,", "type 2 must not be empty"},
        {"a,,b", "type 2"},
        {"a,b,c", "more than 2"},
        {"a,\n", "control characters"},
        {"\xFF", "type 1 not UTF-8"},
        {"a\\b", "before a comma"},
        {"a\\", "before a comma"},
    };
    static struct type_list list;
    char why[TYPE_LIST_WHY_MAX], longest[202];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(type_list_read(dbk_slice(cases[i].text), 2, &list, why));
        if (!strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].text, why);
    }
    memset(longest, 'x', 201);
    longest[201] = '\0';
    assert_false(type_list_read(dbk_slice(longest), 2, &list, why));
    longest[200] = '\0';
    assert_true(type_list_read(dbk_slice(longest), 2, &list, why));
}

static void a_range_does_not_end_before_it_begins(void **state)
{
    struct query *query = parse("since=2023-10-08T00:00:00&until=2023-10-07T23:59:59");
    struct dbk_range range = {0};

    (void)state;
    statistics_params_range(&query->params, "UTC", &range, &query->fields);
    assert_field(&query->fields, "until", "must not be earlier");
    query = parse("since=2023-10-08T00:00:00&until=2023-10-08T00:00:00");
    statistics_params_range(&query->params, "UTC", &range, &query->fields);
    assert_int_equal(query->fields.count, 0);
    query = parse("until=2023-10-08T00:00:00");
    statistics_params_range(&query->params, "UTC", &range, &query->fields);
    assert_false(range.has_since);
    assert_true(range.has_until);
    assert_false(range.until_is_day);
}

static size_t wrong_range(const char *text, const char *zone, struct dbk_range *range)
{
    struct query *query = parse(text);

    statistics_params_range(&query->params, zone, range, &query->fields);
    return query->fields.count;
}

static void a_range_may_be_of_days(void **state)
{
    struct dbk_range range = {0};
    dbk_timestamp day;

    (void)state;
    assert_true(dbk_timestamp_parse("2024-02-29T00:00:00", 19, &day));
    assert_int_equal(wrong_range("since=2024-02-29&until=2024-02-29", NULL, &range), 0);
    assert_true(range.since_is_day && range.until_is_day);
    assert_int_equal(range.since, day);
    assert_int_equal(range.until, day);
    assert_int_equal(wrong_range("since=2023-02-29", NULL, &range), 1);
    assert_int_equal(wrong_range("since=2024-2-29", NULL, &range), 1);
    assert_int_equal(wrong_range("since=2024-02-29T", NULL, &range), 1);
    assert_int_equal(
        wrong_range("since=2024-03-01&until=2024-02-29", "Europe/Berlin", &range), 1);
    assert_int_equal(
        wrong_range("since=2024-02-29&until=2024-02-28T23:30:00", "UTC", &range), 1);
    assert_int_equal(wrong_range("since=2024-02-29&until=2024-02-28T23:30:00",
                                 "Europe/Berlin", &range),
                     0);
    assert_false(range.until_is_day);
}

static void cohorts_are_not_of_hours(void **state)
{
    struct query *query = parse("by=hour");
    enum dbk_bucket by = DBK_BY_MONTH;

    (void)state;
    statistics_params_by(&query->params, true, &by, &query->fields);
    assert_int_equal(by, DBK_BY_HOUR);
    statistics_params_by(&query->params, false, &by, &query->fields);
    assert_field(&query->fields, "by", "day or week or month");
    query = parse("by=week");
    statistics_params_by(&query->params, false, &by, &query->fields);
    assert_int_equal(by, DBK_BY_WEEK);
    statistics_params_by(&query->params, true, &by, &query->fields);
    assert_int_equal(by, DBK_BY_WEEK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_a_number_and_a_unit),
        cmocka_unit_test(a_zone_has_a_name_of_the_database),
        cmocka_unit_test(types_have_commas_between_them),
        cmocka_unit_test(what_is_no_type_is_told_by_its_place),
        cmocka_unit_test(a_range_does_not_end_before_it_begins),
        cmocka_unit_test(a_range_may_be_of_days),
        cmocka_unit_test(cohorts_are_not_of_hours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
