/* Funnels, event by event. */
#include "funnel_fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "a3 b5 | c7": events at these seconds, persons between bars. Step k is the letter's place
 * in steps. */
static void assert_funnel(const char *steps, int within_s, const char *events,
                          const char *expected)
{
    struct dbk_uuid person = {{1}};
    struct funnel_fold fold;
    char found[64] = "";

    funnel_fold_init(&fold, strlen(steps), within_s);
    for (const char *at = events; *at; at++) {
        unsigned mask = 0;
        if (*at == '|')
            person.bytes[0]++;
        if (*at < 'a' || *at > 'z')
            continue;
        for (size_t k = 0; steps[k]; k++)
            mask |= (unsigned)(steps[k] == *at) << k;
        funnel_fold_event(&fold, &person, strtol(at + 1, NULL, 10), mask);
    }
    funnel_fold_end(&fold);
    for (size_t k = 0; steps[k]; k++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%llu",
                 k ? " " : "", (unsigned long long)fold.persons[k]);
    assert_string_equal(found, expected);
}

static void steps_count_in_their_order_only(void **state)
{
    (void)state;
    assert_funnel("abc", 100, "a1 b2 c3", "1 1 1");
    assert_funnel("abc", 100, "c1 b2 a3", "1 0 0");
    assert_funnel("abc", 100, "b1 c2", "0 0 0");
    assert_funnel("abc", 100, "a1 c2 b3", "1 1 0");
    assert_funnel("abc", 100, "", "0 0 0");
}

static void the_last_step_is_within_the_time_from_the_first(void **state)
{
    (void)state;
    assert_funnel("abc", 10, "a1 b6 c11", "1 1 1");
    assert_funnel("abc", 10, "a1 b6 c12", "1 1 0");
    assert_funnel("abc", 10, "a1 b12 c12", "1 0 0");
    assert_funnel("ab", 10, "a1 b1", "1 1");
}

static void any_first_step_may_be_it(void **state)
{
    (void)state;
    assert_funnel("abc", 10, "a1 a5 b9 c14", "1 1 1");
    assert_funnel("abc", 10, "a1 b3 a8 b9 c15", "1 1 1");
    assert_funnel("abc", 10, "a1 b3 a8 c11", "1 1 1"); /* the later one is not needed */
    assert_funnel("abc", 10, "a1 b3 a8 c12 b13", "1 1 0");
}

static void one_event_is_one_step(void **state)
{
    (void)state;
    assert_funnel("aa", 10, "a1", "1 0");
    assert_funnel("aa", 10, "a1 a2", "1 1");
    assert_funnel("aaa", 10, "a1 a2", "1 1 0");
    assert_funnel("aba", 10, "a1 b2 a3", "1 1 1");
    assert_funnel("aab", 10, "a1 b2 a3 b4", "1 1 1");
}

static void persons_are_counted_each_by_its_own_events(void **state)
{
    (void)state;
    assert_funnel("ab", 10, "a1 | b2 | a3 b4 a5 b6", "2 1");
    assert_funnel("abc", 10, "a1 b2 | c3 | a1 b2 c3 | a9", "3 2 1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_count_in_their_order_only),
        cmocka_unit_test(the_last_step_is_within_the_time_from_the_first),
        cmocka_unit_test(any_first_step_may_be_it),
        cmocka_unit_test(one_event_is_one_step),
        cmocka_unit_test(persons_are_counted_each_by_its_own_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
