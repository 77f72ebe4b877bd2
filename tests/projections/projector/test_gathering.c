/* When the projector gathers a fuller batch, and for whom it does not. */
#include "projector_wait.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ENOUGH = 512, LONG_MS = 60000, MAX_MS = 50 };

static uint64_t head_after; /* what the log has once it was gathered */

struct dbk_uuid __wrap_dbk_log_store_id(const struct dbk_log *log);
enum dbk_code __wrap_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *err);

struct dbk_uuid __wrap_dbk_log_store_id(const struct dbk_log *log)
{
    (void)log;
    return (struct dbk_uuid){{0}};
}

enum dbk_code __wrap_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *err)
{
    (void)log;
    (void)err;
    *head = head_after;
    return DBK_OK;
}

static int make(void **state)
{
    static struct dbk_projector projector;

    projector_init(&projector, NULL, NULL, NULL);
    projector_set_running(&projector, NULL);
    projector.gather_ms = LONG_MS;
    head_after = 1;
    *state = &projector;
    return 0;
}

static int end(void **state)
{
    projector_finish(*state);
    return 0;
}

static void where_nobody_waits_it_gathers_to_the_end(void **state)
{
    struct dbk_projector *projector = *state;

    projector->gather_ms = 1;
    assert_true(projector_gather(projector, 1));
    assert_int_equal(projector->gather_ms, MAX_MS); /* for none came */
}

static void the_faster_they_come_the_sooner_it_has_enough(void **state)
{
    struct dbk_projector *projector = *state;

    projector->gather_ms = 4;
    head_after = 1 + 2 * ENOUGH;
    assert_true(projector_gather(projector, 1));
    assert_int_equal(projector->gather_ms, 2);
    head_after = 1 + 100 * ENOUGH;
    assert_true(projector_gather(projector, 1));
    assert_int_equal(projector->gather_ms, 1);
    head_after = 2;
    assert_true(projector_gather(projector, 1));
    assert_int_equal(projector->gather_ms, MAX_MS);
}

static void where_there_is_enough_it_does_not(void **state)
{
    assert_false(projector_gather(*state, ENOUGH));
}

static void at_the_end_it_does_not(void **state)
{
    struct dbk_projector *projector = *state;

    projector->stopping = true;
    assert_false(projector_gather(projector, 1));
}

static void *wait_for_one(void *argument)
{
    dbk_projector_wait(argument, 1, 60000, NULL);
    return NULL;
}

static bool has_waiter(struct dbk_projector *projector)
{
    bool has;

    pthread_mutex_lock(&projector->lock);
    has = projector->waiters;
    pthread_mutex_unlock(&projector->lock);
    return has;
}

static void while_a_read_waits_it_does_not(void **state)
{
    struct dbk_projector *projector = *state;
    pthread_t reader;

    pthread_create(&reader, NULL, wait_for_one, projector);
    while (!has_waiter(projector))
        ;
    assert_false(projector_gather(projector, 1));
    assert_false(projector_gather(projector, 1));
    projector->poster.projected = 1;
    projector_publish(projector);
    pthread_join(reader, NULL);
}

static void a_read_that_begins_to_wait_ends_it(void **state)
{
    struct dbk_projector *projector = *state;
    pthread_t reader;

    pthread_create(&reader, NULL, wait_for_one, projector);
    assert_false(projector_gather(projector, 1));
    projector->poster.projected = 1;
    projector_publish(projector);
    pthread_join(reader, NULL);
}

static void after_a_read_had_to_wait_it_does_not_once(void **state)
{
    struct dbk_projector *projector = *state;

    assert_int_equal(dbk_projector_wait(projector, 1, 1, NULL), DBK_TIMEOUT);
    assert_false(projector_gather(projector, 1));
    projector->gather_ms = 1;
    assert_true(projector_gather(projector, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(where_nobody_waits_it_gathers_to_the_end, make,
                                        end),
        cmocka_unit_test_setup_teardown(the_faster_they_come_the_sooner_it_has_enough,
                                        make, end),
        cmocka_unit_test_setup_teardown(where_there_is_enough_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(at_the_end_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(while_a_read_waits_it_does_not, make, end),
        cmocka_unit_test_setup_teardown(a_read_that_begins_to_wait_ends_it, make, end),
        cmocka_unit_test_setup_teardown(after_a_read_had_to_wait_it_does_not_once, make,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
