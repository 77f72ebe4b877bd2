/* Statements that name their schema, and what makes sure of where they are run. */
#include "pg.h"
#include "pg_wire.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TIME = 10000 };

static struct dbk_error err;

static struct pg *open_schema(const char *schema)
{
    static struct dbk_database database; /* outlives the connection */

    database = scratch_database(schema);
    return scratch_open(&database);
}

static void a_statement_names_the_schema_whatever_that_is(void **state)
{
    static const char odd[] = "a \"b\"; drop table x, 'c'";
    static const struct pg_statement named = {
        "named", "select 1 as :\"schema\", :'schema', :'schema'"};
    const struct pg_statement nameless = {NULL, named.sql};
    const struct pg_statement *const both[] = {&named, &nameless, &named};
    struct pg *pg = open_schema(odd);
    struct pg_result *result;

    (void)state;
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        assert_int_equal(pg_run(pg, both[i], NULL, 0, TIME, &result, &err), DBK_OK);
        assert_string_equal(pg_value(result, 0, 1).data, odd);
        assert_string_equal(pg_value(result, 0, 2).data, odd);
        pg_clear(result);
    }
    scratch_script(pg, "drop schema if exists :\"schema\" cascade;"
                       "create schema :\"schema\"; create table :\"schema\".t (i int);"
                       "drop schema :\"schema\" cascade");
    pg_close(pg);
}

static void assert_misplaced(struct pg *pg)
{
    assert_int_equal(pg_check_place(pg, TIME, &err), DBK_UNAVAILABLE);
    assert_non_null(strstr(err.text, "another session"));
    assert_false(pg_alive(pg));
    pg_close(pg);
}

static void where_all_is_as_it_was_opened_it_may_go_on(void **state)
{
    struct pg *pg = open_schema("place");

    (void)state;
    assert_int_equal(pg_check_place(pg, TIME, &err), DBK_OK);
    assert_int_equal(pg_begin(pg, TIME, &err), DBK_OK);
    assert_int_equal(pg_check_place(pg, TIME, &err), DBK_OK);
    assert_true(pg_in_transaction(pg));
    pg_close(pg);
}

static void another_search_path_is_another_session(void **state)
{
    struct pg *pg = open_schema("place");

    (void)state;
    scratch_script(pg, "set search_path = public");
    assert_misplaced(pg);
}

static void another_process_is_another_session(void **state)
{
    struct pg *pg = open_schema("place");

    (void)state;
    strcpy(pg->process, "1");
    assert_misplaced(pg);
}

static void another_database_is_another_session(void **state)
{
    struct pg *pg = open_schema("place");

    (void)state;
    strcpy(pg->name, "daybook");
    assert_misplaced(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_names_the_schema_whatever_that_is),
        cmocka_unit_test(where_all_is_as_it_was_opened_it_may_go_on),
        cmocka_unit_test(another_search_path_is_another_session),
        cmocka_unit_test(another_process_is_another_session),
        cmocka_unit_test(another_database_is_another_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
