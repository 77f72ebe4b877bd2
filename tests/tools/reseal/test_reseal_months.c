#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reseal_months.h"

#include <string.h>

static dbk_timestamp at(const char *day)
{
    char text[32] = "";
    dbk_timestamp out;

    strncat(text, day, 10);
    strcat(text, "T12:00:00");
    assert_true(dbk_timestamp_parse(text, strlen(text), &out));
    return out;
}

/* A log's events, and what they get. */
struct event {
    const char *day;
    uint64_t month;  /* the old number; 0: none */
    uint64_t number; /* the new one, expected */
    bool expired, gone;
};

static struct dbk_record record_of(const struct event *event, size_t i)
{
    return (struct dbk_record){.type = DBK_EVENT_RECORDED,
                               .sequence = i + 1,
                               .recorded_at = at(event->day),
                               .month = event->month,
                               .expired = event->expired};
}

/* Walks twice; `expired` of them are. gone: so many numbers are to be destroyed. */
static void walks(const struct event *events, size_t count, uint64_t expired,
                  uint64_t old, uint64_t gone)
{
    struct reseal_numbers numbers;
    struct reseal_months months;
    struct reseal_number got;
    struct dbk_error err;

    assert_int_equal(reseal_numbers_init(&numbers, old, &err), DBK_OK);
    reseal_months_begin(&months, expired);
    for (size_t i = 0; i < count; i++) {
        const struct dbk_record record = record_of(&events[i], i);

        assert_int_equal(reseal_months_look(&months, &numbers, &record, &err), DBK_OK);
    }
    assert_int_equal(numbers.gone, gone);
    reseal_numbers_begin(&numbers, 101);
    reseal_months_begin(&months, expired);
    for (size_t i = 0; i < count; i++) {
        const struct dbk_record record = record_of(&events[i], i);

        assert_int_equal(reseal_months_of(&months, &numbers, &record, &got, &err),
                         DBK_OK);
        assert_int_equal(got.number, events[i].number);
        assert_int_equal(got.gone, events[i].gone);
    }
    reseal_numbers_finish(&numbers);
}

static void each_month_has_a_key_and_one_that_comes_again_another(void **state)
{
    static const struct event events[] = {
        {"2026-01-31", 0, 101, false, false}, {"2026-01-31", 0, 101, false, false},
        {"2026-02-01", 0, 102, false, false}, {"2026-01-31", 0, 103, false, false},
        {"2026-02-01", 0, 104, false, false}, {"2027-02-01", 0, 105, false, false},
    };
    (void)state;

    walks(events, sizeof events / sizeof *events, 0, 0, 0);
}

static void what_has_expired_gets_keys_that_are_destroyed(void **state)
{
    static const struct event events[] = {
        {"2026-01-01", 0, 1, false, true},    {"2026-02-01", 7, 2, false, true},
        {"2026-02-02", 7, 2, true, true},     {"2026-03-01", 0, 3, false, true},
        {"2026-03-02", 0, 101, false, false}, {"2026-03-03", 8, 102, false, false},
        {"2026-03-04", 0, 103, false, false}, {"2026-04-01", 9, 4, true, true},
    };
    (void)state;

    walks(events, sizeof events / sizeof *events, 4, 9, 4);
}

static void a_number_that_the_old_ring_has_not_is_damage(void **state)
{
    struct reseal_numbers numbers;
    struct reseal_number got;
    struct dbk_error err;
    (void)state;

    assert_int_equal(reseal_numbers_init(&numbers, 3, &err), DBK_OK);
    assert_int_equal(reseal_numbers_destroy(&numbers, 4, &err), DBK_DAMAGED);
    assert_int_equal(reseal_numbers_destroy(&numbers, 0, &err), DBK_DAMAGED);
    assert_non_null(strstr(err.text, "not in the ring, which has 3"));
    assert_int_equal(reseal_numbers_destroy(&numbers, 3, &err), DBK_OK);
    assert_int_equal(reseal_numbers_destroy(&numbers, 3, &err), DBK_OK);
    assert_int_equal(numbers.gone, 1);
    reseal_numbers_begin(&numbers, 2);
    assert_int_equal(reseal_numbers_become(&numbers, 4, &got, &err), DBK_DAMAGED);
    assert_int_equal(reseal_numbers_become(&numbers, 1, &got, &err), DBK_OK);
    assert_int_equal(got.number, 2);
    assert_false(got.gone);
    assert_int_equal(reseal_numbers_become(&numbers, 3, &got, &err), DBK_OK);
    assert_int_equal(got.number, 1);
    assert_true(got.gone);
    assert_int_equal(reseal_numbers_become(&numbers, 1, &got, &err), DBK_OK);
    assert_int_equal(got.number, 2);
    reseal_numbers_finish(&numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_month_has_a_key_and_one_that_comes_again_another),
        cmocka_unit_test(what_has_expired_gets_keys_that_are_destroyed),
        cmocka_unit_test(a_number_that_the_old_ring_has_not_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
