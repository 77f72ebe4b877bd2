/* Who is waited for before a commit that is shipped, without one being made. */
#include "gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SLOW_US                                                                        \
    3000000 /* what the commit took: they are waited for as long as for any */

static struct dbk_log *leading;

static int setup(void **state)
{
    leading = log_create("/nowhere", NULL);
    assert_non_null(leading);
    pthread_mutex_lock(&leading->mutex);
    atomic_store(&leading->role, DBK_LOG_LEADS);
    *state = leading;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pthread_mutex_unlock(&leading->mutex);
    log_destroy(leading);
    return 0;
}

static void those_who_were_answered_are_waited_for_until_all_are_back(void **state)
{
    struct dbk_log *log = *state;

    log->queued = 3; /* came meanwhile */
    gather_begin(log, 5, SLOW_US);
    log->awaited_until = dbk_deadline_in(60000);
    assert_true(gather_waits(log));
    log->queued = 7;
    assert_true(gather_waits(log));
    log->queued = 8;
    assert_false(gather_waits(log));
}

static void but_not_for_ever(void **state)
{
    const dbk_deadline late = dbk_deadline_in(60000);
    struct dbk_log *log = *state;

    gather_begin(log, 5, SLOW_US);
    assert_true(gather_until(log, late) < late);
    while (gather_waits(log))
        dbk_sleep_ms(1);
    assert_int_equal(gather_until(log, late), late);
}

static void who_comes_has_the_others_waited_for_but_not_for_ever(void **state)
{
    struct dbk_log *log = *state;
    dbk_deadline until;

    do { /* until none comes too late */
        gather_begin(log, 5, SLOW_US);
        until = log->awaited_until = dbk_deadline_in(1);
        gather_came(log);
    } while (log->awaited_until == until);
    assert_true(log->awaited_until > until);
    assert_true(log->awaited_until <= log->awaited_last);
    gather_begin(log, 5, SLOW_US);
    until = log->awaited_until = log->awaited_last = dbk_deadline_in(1);
    gather_came(log);
    assert_int_equal(log->awaited_until, until);
}

static void nobody_waits_for_who_wrote_alone(void **state)
{
    struct dbk_log *log = *state;

    gather_begin(log, 5, SLOW_US);
    gather_begin(log, 1, SLOW_US);
    assert_false(gather_waits(log));
}

static void nor_where_the_log_is_no_leader_or_closes(void **state)
{
    struct dbk_log *log = *state;

    atomic_store(&log->role, DBK_LOG_ALONE);
    gather_begin(log, 5, SLOW_US);
    assert_false(gather_waits(log));

    atomic_store(&log->role, DBK_LOG_LEADS);
    gather_begin(log, 5, SLOW_US);
    log->awaited_until = dbk_deadline_in(60000);
    log->closing = true;
    assert_false(gather_waits(log));
    log->closing = false;
    assert_true(gather_waits(log));
    atomic_store(&log->role, DBK_LOG_FOLLOWS);
    assert_false(gather_waits(log));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            those_who_were_answered_are_waited_for_until_all_are_back, setup, teardown),
        cmocka_unit_test_setup_teardown(but_not_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(
            who_comes_has_the_others_waited_for_but_not_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_waits_for_who_wrote_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nor_where_the_log_is_no_leader_or_closes, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
