/* Few connections for many threads. */
#include "pool.h"
#include "scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct pg_options options = {.application = "test"};
static struct dbk_database database;
static struct dbk_error err;

static int open_two(void **state)
{
    struct pool *pool;

    if (pool_open(&database, &options, 2, &pool, &err) != DBK_OK)
        return -1;
    *state = pool;
    return 0;
}

static int close_pool(void **state)
{
    pool_close(*state);
    return 0;
}

static struct pg *take(struct pool *pool)
{
    struct pg *pg;

    assert_int_equal(pool_take(pool, NULL, dbk_deadline_in(20000), &pg, &err), DBK_OK);
    return pg;
}

static void the_one_given_back_last_is_taken_first(void **state)
{
    struct pg *a = take(*state), *b = take(*state);

    pool_give(*state, b);
    pool_give(*state, a);
    assert_ptr_equal(take(*state), a);
    assert_ptr_equal(take(*state), b);
    pool_give(*state, a);
    pool_give(*state, b);
}

static void what_is_retired_is_closed_when_it_comes_back(void **state)
{
    struct pg *a = take(*state), *b = take(*state);
    struct pool_use use;

    pool_give(*state, b);
    pool_retire(*state);
    pool_look(*state, &use);
    assert_int_equal(use.idle, 0);
    assert_int_equal(use.busy, 1);
    assert_true(pg_alive(a)); /* whoever has it goes on with it */
    pool_give(*state, a);
    pool_look(*state, &use);
    assert_int_equal(use.idle + use.busy, 0);
    a = take(*state);
    pool_give(*state, a);
    pool_look(*state, &use);
    assert_int_equal(use.idle, 1); /* one made since is kept */
}

static void with_all_taken_it_is_busy_at_the_deadline(void **state)
{
    struct pg *a = take(*state), *b = take(*state), *none;

    assert_int_equal(pool_take(*state, NULL, dbk_deadline_in(50), &none, &err),
                     DBK_BUSY);
    assert_null(none);
    pool_give(*state, a);
    assert_int_equal(pool_take(*state, NULL, dbk_deadline_in(0), &a, &err), DBK_OK);
    pool_give(*state, a);
    pool_give(*state, b);
}

struct waiter {
    struct pool *pool;
    struct pg *pg;
};

static void *wait_for_one(void *context)
{
    struct waiter *waiter = context;

    pool_take(waiter->pool, NULL, dbk_deadline_in(20000), &waiter->pg, NULL);
    return NULL;
}

static void whoever_waits_gets_the_one_given_back(void **state)
{
    struct pg *a = take(*state), *b = take(*state);
    struct waiter waiter = {.pool = *state};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wait_for_one, &waiter), 0);
    pool_give(*state, b);
    pthread_join(thread, NULL);
    assert_ptr_equal(waiter.pg, b);
    pool_give(*state, a);
    pool_give(*state, b);
}

static void a_dead_one_makes_room_for_a_new_one(void **state)
{
    struct pg *a = take(*state), *b = take(*state);
    const struct pg_statement die = {NULL,
                                     "select pg_terminate_backend(pg_backend_pid())"};

    assert_int_equal(pg_run(a, &die, NULL, 0, 20000, NULL, &err), DBK_UNAVAILABLE);
    pool_give(*state, a);
    a = take(*state);
    assert_true(pg_alive(a));
    pool_give(*state, a);
    pool_give(*state, b);
}

static void renewed_none_of_the_idle_ones_is_handed_out(void **state)
{
    struct pg *a = take(*state), *b = take(*state);
    uint64_t first = scratch_number(a, "select pg_backend_pid()");
    uint64_t second = scratch_number(b, "select pg_backend_pid()");

    pool_give(*state, a);
    pool_renew(*state);
    a = take(*state);
    assert_int_not_equal(scratch_number(a, "select pg_backend_pid()"), first);
    assert_int_equal(scratch_number(b, "select pg_backend_pid()"), second);
    pool_give(*state, a);
    pool_give(*state, b);
}

static const struct pool_asker seven = {.client = 7}, eight = {.client = 8};

static void one_client_has_its_share_and_no_more(void **state)
{
    struct pg *a, *b, *none;

    pool_share(*state, 1);
    assert_int_equal(pool_take(*state, &seven, dbk_deadline_in(20000), &a, &err),
                     DBK_OK);
    assert_int_equal(pool_take(*state, &seven, dbk_deadline_in(50), &none, &err),
                     DBK_BUSY);
    assert_non_null(strstr(err.text, "This client"));
    assert_int_equal(pool_take(*state, &eight, dbk_deadline_in(20000), &b, &err),
                     DBK_OK);
    pool_give(*state, a);
    assert_int_equal(pool_take(*state, &seven, dbk_deadline_in(0), &a, &err), DBK_OK);
    pool_give(*state, a);
    pool_give(*state, b);
}

static enum dbk_code stays(void *context, struct dbk_error *why)
{
    unsigned *asked = context;

    return ++*asked < 3 ? DBK_OK : dbk_fail(why, DBK_INTERRUPTED, "gone");
}

static void
whoever_is_gone_waits_neither_for_a_connection_nor_for_an_answer(void **state)
{
    const struct pg_statement sleep = {NULL, "select pg_sleep(60)"};
    struct pg *a = take(*state), *b = take(*state), *none;
    unsigned asked = 0;
    const struct pool_asker asker = {.go_on = stays, .context = &asked};

    assert_int_equal(pool_take(*state, &asker, dbk_deadline_in(20000), &none, &err),
                     DBK_INTERRUPTED);
    pool_give(*state, b);
    asked = 0;
    assert_int_equal(pool_take(*state, &asker, dbk_deadline_in(20000), &b, &err),
                     DBK_OK);
    assert_int_equal(pg_run(b, &sleep, NULL, 0, 20000, NULL, &err), DBK_INTERRUPTED);
    assert_false(pg_alive(b));
    pool_give(*state, b);
    b = take(*state); /* of which nobody is asked */
    assert_true(pg_alive(b));
    pool_give(*state, b);
    pool_give(*state, a);
}

static void one_that_cannot_connect_takes_no_room(void **state)
{
    struct dbk_database nowhere = {.host = "/nonexistent"};
    struct pool *pool;
    struct pg *pg;

    (void)state;
    assert_int_equal(pool_open(&nowhere, &options, 1, &pool, &err), DBK_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pool_take(pool, NULL, dbk_deadline_in(20000), &pg, &err),
                         DBK_UNAVAILABLE);
    pool_close(pool);
}

#define ON_TWO(name) cmocka_unit_test_setup_teardown(name, open_two, close_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TWO(the_one_given_back_last_is_taken_first),
        ON_TWO(what_is_retired_is_closed_when_it_comes_back),
        ON_TWO(with_all_taken_it_is_busy_at_the_deadline),
        ON_TWO(whoever_waits_gets_the_one_given_back),
        ON_TWO(a_dead_one_makes_room_for_a_new_one),
        ON_TWO(renewed_none_of_the_idle_ones_is_handed_out),
        ON_TWO(one_client_has_its_share_and_no_more),
        ON_TWO(whoever_is_gone_waits_neither_for_a_connection_nor_for_an_answer),
        cmocka_unit_test(one_that_cannot_connect_takes_no_room),
    };

    database = scratch_database("test_pool");
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
