#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_log.h"
#include "position.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static struct position read_one(const char *text)
{
    struct dbk_error err;
    struct position position;

    if (position_parse(text, &position, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return position;
}

static void a_position_is_a_sequence_or_a_time(void **state)
{
    (void)state;
    assert_int_equal(read_one("1").sequence, 1);
    assert_int_equal(read_one("18446744073709551609").sequence, UINT64_MAX - 6);
    assert_false(read_one("2026").is_time);
    assert_true(read_one("1970-01-02").is_time);
    assert_int_equal(read_one("1970-01-02").time, DAY);
    assert_int_equal(read_one("1970-01-02T00:00:01").time, DAY + SECOND);
    assert_int_equal(read_one("1970-01-02 00:00:01.5Z").time, DAY + SECOND * 3 / 2);
    assert_int_equal(read_one("1970-01-02T02:00:00+02:00").time, DAY);
}

static void anything_else_is_refused_with_what_is_expected(void **state)
{
    static const char *const wrong[] = {"",
                                        "0",
                                        "-1",
                                        "+1",
                                        "1 ",
                                        " 1",
                                        "1x",
                                        "99999999999999999999",
                                        "184467440737095516160",
                                        "2026-02-30",
                                        "2026-11-23T",
                                        "2026-11-23T25:00:00",
                                        "now"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct dbk_error err = {0};
        struct position position;

        assert_int_equal(position_parse(wrong[i], &position, &err), DBK_INVALID);
        assert_non_null(strstr(err.text, "2026-11-23T17:00:00"));
    }
}

/* A log of `count` records, the first a person's, at these times. */
static struct dbk_log *log_at(struct made *made, const dbk_timestamp *times,
                              size_t count)
{
    struct dbk_record *records = calloc(count, sizeof *records);

    records[0] = made_person(1, "kate@x.mock", times[0]);
    for (size_t i = 1; i < count; i++)
        records[i] = made_event((unsigned)i, 1, times[i]);
    made_fill(made, records, count);
    free(records);
    return made_open(made);
}

static uint64_t to(struct made *made, struct dbk_log *log, uint64_t head,
                   dbk_timestamp time)
{
    struct position position = {.is_time = true, .time = time};
    uint64_t sequence;

    assert_int_equal(position_to(&position, log, head, &sequence, &made->err), DBK_OK);
    return sequence;
}

static uint64_t from(struct made *made, struct dbk_log *log, uint64_t head,
                     dbk_timestamp time)
{
    struct position position = {.is_time = true, .time = time};
    uint64_t sequence;

    assert_int_equal(position_from(&position, log, head, &sequence, &made->err),
                     DBK_OK);
    return sequence;
}

static void a_time_is_the_last_record_at_or_before_it(void **state)
{
    static const dbk_timestamp times[] = {10, 20, 20, 30};
    struct made *made = *state;
    struct dbk_log *log = log_at(made, times, 4);

    assert_int_equal(to(made, log, 4, 9), 0);
    assert_int_equal(to(made, log, 4, 10), 1);
    assert_int_equal(to(made, log, 4, 19), 1);
    assert_int_equal(to(made, log, 4, 20), 3);
    assert_int_equal(to(made, log, 4, 30), 4);
    assert_int_equal(to(made, log, 4, DAY), 4);
    assert_int_equal(to(made, log, 2, DAY), 2);
    assert_int_equal(from(made, log, 4, 9), 1);
    assert_int_equal(from(made, log, 4, 10), 1);
    assert_int_equal(from(made, log, 4, 11), 2);
    assert_int_equal(from(made, log, 4, 20), 2);
    assert_int_equal(from(made, log, 4, 21), 4);
    assert_int_equal(from(made, log, 4, 31), 5);
    dbk_log_close(log);
}

static void a_day_is_the_whole_of_it(void **state)
{
    static const dbk_timestamp times[] = {DAY - 1, DAY, DAY + 5, 2 * DAY - 1, 2 * DAY};
    struct made *made = *state;
    struct dbk_log *log = log_at(made, times, 5);
    struct position_range range;
    uint64_t first, last;

    assert_int_equal(position_range_parse("1970-01-02", "1970-01-02", &range, NULL),
                     DBK_OK);
    assert_int_equal(position_range_find(&range, log, false, &first, &last, &made->err),
                     DBK_OK);
    assert_int_equal(first, 2);
    assert_int_equal(last, 4);
    assert_int_equal(
        position_range_parse("1970-01-02T23:59:59", "1970-01-02", &range, NULL),
        DBK_OK);
    assert_int_equal(
        position_range_parse("1970-01-03", "1970-01-02", &range, &made->err),
        DBK_INVALID);
    assert_int_equal(
        position_range_parse(NULL, "1970-01-02T00:00:00", &range, &made->err), DBK_OK);
    assert_int_equal(position_range_find(&range, log, false, &first, &last, &made->err),
                     DBK_OK);
    assert_int_equal(last, 2);
    dbk_log_close(log);
}

static void a_clock_set_back_leaves_the_order_of_the_log(void **state)
{
    static const dbk_timestamp times[] = {10, 50, 20, 30};
    struct made *made = *state;
    struct dbk_log *log = log_at(made, times, 4);

    assert_int_equal(to(made, log, 4, 25), 3);
    assert_int_equal(from(made, log, 4, 26), 4);
    assert_int_equal(to(made, log, 4, 40), 4);
    for (dbk_timestamp time = 5; time < 60; time++) /* no overlap, nothing left out */
        assert_int_equal(to(made, log, 4, time) + 1, from(made, log, 4, time + 1));
    dbk_log_close(log);
}

static void a_long_log_is_read_piece_by_piece(void **state)
{
    struct made *made = *state;
    struct dbk_log *log;
    dbk_timestamp times[1000];

    for (int i = 0; i < 1000; i++)
        times[i] = i + 1;
    log = log_at(made, times, 1000);
    assert_int_equal(to(made, log, 1000, 0), 0);
    for (dbk_timestamp time = 1; time <= 1000; time += 37)
        assert_int_equal(to(made, log, 1000, time), time);
    dbk_log_close(log);
}

static void a_sequence_stands_for_itself(void **state)
{
    static const dbk_timestamp times[] = {10, 20};
    struct made *made = *state;
    struct dbk_log *log = log_at(made, times, 2);
    struct position position = {.sequence = 7};
    uint64_t sequence;

    assert_int_equal(position_to(&position, log, 2, &sequence, &made->err), DBK_OK);
    assert_int_equal(sequence, 7);
    assert_int_equal(position_from(&position, log, 2, &sequence, &made->err), DBK_OK);
    assert_int_equal(sequence, 7);
    dbk_log_close(log);
}

/* What a range of these texts is in the log: "from to", or the refusal. */
static const char *range(struct made *made, struct dbk_log *log, const char *from_text,
                         const char *to_text, bool coming)
{
    static char told[512];
    struct position_range range;
    uint64_t first, last;

    if (position_range_parse(from_text, to_text, &range, &made->err) == DBK_OK &&
        position_range_find(&range, log, coming, &first, &last, &made->err) == DBK_OK) {
        snprintf(told, sizeof told, "%llu %llu", (unsigned long long)first,
                 (unsigned long long)last);
        return told;
    }
    assert_int_equal(made->err.code, DBK_INVALID);
    return made->err.text;
}

#define NEVER "18446744073709551615"

static void one_rule_says_what_a_range_is(void **state)
{
    static const dbk_timestamp times[] = {DAY, DAY + 1, 3 * DAY, 3 * DAY + 1};
    static const struct {
        const char *from, *to;
        bool coming;
        const char *is; /* its beginning */
    } cases[] = {
        {NULL, NULL, false, "1 4"},
        {NULL, NULL, true, "1 " NEVER},
        {"2", "3", false, "2 3"},
        {"4", NULL, false, "4 4"},
        {"5", NULL, false, "--from: there is no record 5, the log ends with 4"},
        {"5", NULL, true, "5 " NEVER},
        {NULL, "5", false, "--to: there is no record 5, the log ends with 4"},
        {NULL, "20240101", false, "--to: there is no record 20240101"},
        {NULL, "9", true, "1 9"},
        {"3", "2", false, "--from is behind --to"},
        {"9", "8", false, "--from is behind --to"},
        {"1970-01-05", "1970-01-04", false, "--from is behind --to"},
        {"4", "1970-01-03", false, "--from is record 4, behind --to, record 2"},
        {"3", "1970-01-03", false, "3 2"},
        {"1970-01-03", "1970-01-03T01:00:00", false, "3 2"}, /* nothing then */
        {"2000-01-01", NULL, false, "5 4"},                  /* nor since */
        {NULL, "2000-01-01", false, "1 4"},
        {NULL, "1970-01-01", false, "--to: all records, 1 to 4, are later"},
        {"now", NULL, false, "--from: "},
        {NULL, "0", false, "--to: "},
    };
    struct made *made = *state;
    struct dbk_log *log = log_at(made, times, 4);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *is = range(made, log, cases[i].from, cases[i].to, cases[i].coming);
        if (strncmp(is, cases[i].is, strlen(cases[i].is)) != 0)
            fail_msg("case %zu is \"%s\"", i, is);
    }
    dbk_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_is_a_sequence_or_a_time),
        cmocka_unit_test(anything_else_is_refused_with_what_is_expected),
        cmocka_unit_test_setup_teardown(a_time_is_the_last_record_at_or_before_it,
                                        made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(a_day_is_the_whole_of_it, made_setup,
                                        made_teardown),
        cmocka_unit_test_setup_teardown(a_clock_set_back_leaves_the_order_of_the_log,
                                        made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(a_long_log_is_read_piece_by_piece, made_setup,
                                        made_teardown),
        cmocka_unit_test_setup_teardown(a_sequence_stands_for_itself, made_setup,
                                        made_teardown),
        cmocka_unit_test_setup_teardown(one_rule_says_what_a_range_is, made_setup,
                                        made_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
