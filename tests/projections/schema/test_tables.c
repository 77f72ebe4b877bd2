/* Whatever is taken out of the read tables is noticed, and told from other failures. */
#include "tables.h"

#include "projections/migrate.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LOOK_MS = 60000 };

static struct dbk_database database;
static struct pg *pg;

/* With this done, looking fails, and not because PostgreSQL is away; then undone. */
static void assert_noticed(const char *sql)
{
    struct dbk_error err = {0};

    scratch_script(pg, "begin");
    scratch_script(pg, sql);
    if (tables_look(pg, LOOK_MS, &err) == DBK_OK)
        fail_msg("not noticed: %s", sql);
    if (!tables_broken(pg))
        fail_msg("%s: %s", sql, err.text);
    scratch_script(pg, "rollback");
    assert_int_equal(tables_look(pg, LOOK_MS, &err), DBK_OK);
}

/* Of checkpoint, only_row is there for its constraint. */
static void each_column_is_looked_for(void **state)
{
    const struct pg_statement columns = {
        NULL, "select format('alter table %I drop column %I cascade', table_name,"
              " column_name) from information_schema.columns where table_schema ="
              " 'test_tables' and table_name in ('person', 'event', 'event_hour',"
              " 'event_day', 'restricted', 'checkpoint', 'quarantine') and column_name "
              "<> 'only_row'"};
    struct pg_result *result;
    struct dbk_error err = {0};

    (void)state;
    assert_int_equal(pg_run(pg, &columns, NULL, 0, LOOK_MS, &result, &err), DBK_OK);
    assert_true(pg_rows(result) > 20);
    for (size_t i = 0; i < pg_rows(result); i++)
        assert_noticed(pg_value(result, i, 0).data);
    pg_clear(result);
}

static void each_table_and_function_is_looked_for(void **state)
{
    (void)state;
    assert_noticed("drop table person cascade");
    assert_noticed("drop table event cascade");
    assert_noticed("drop table event_hour");
    assert_noticed("drop table event_day");
    assert_noticed("drop table restricted cascade");
    assert_noticed("drop table checkpoint");
    assert_noticed("drop table quarantine");
    assert_noticed("drop function person_json cascade");
    assert_noticed("drop function newest_events cascade");
    assert_noticed("drop function event_counts cascade");
}

static void each_trigger_is_looked_for(void **state)
{
    (void)state;
    assert_noticed("drop trigger event_counts_came on event");
    assert_noticed("drop trigger event_counts_went on event");
    assert_noticed("drop trigger event_counts_emptied on event");
    assert_noticed("alter table event disable trigger event_counts_went");
}

static void another_type_is_noticed(void **state)
{
    (void)state;
    assert_noticed("alter table event drop column sequence cascade,"
                   " add column sequence text");
    assert_noticed("alter table checkpoint alter column store_id type text");
}

static void what_is_added_does_no_harm(void **state)
{
    struct dbk_error err = {0};

    (void)state;
    scratch_script(pg, "begin; alter table person add column note text;"
                       "create index on person (note)");
    assert_int_equal(tables_look(pg, LOOK_MS, &err), DBK_OK);
    scratch_script(pg, "rollback");
}

static void other_failures_are_no_broken_tables(void **state)
{
    struct dbk_error err = {0};

    (void)state;
    assert_int_equal(pg_script(pg, "select 1 / 0", LOOK_MS, &err), DBK_INVALID);
    assert_false(tables_broken(pg));
    pg_break(pg);
    assert_int_equal(tables_look(pg, LOOK_MS, &err), DBK_UNAVAILABLE);
    assert_false(tables_broken(pg));
}

static void advice_comes_behind_the_reason(void **state)
{
    struct dbk_error err = {0};

    (void)state;
    dbk_fail(&err, DBK_UNAVAILABLE, "no column role");
    assert_int_equal(tables_advise(DBK_INVALID, &err), DBK_INVALID);
    assert_int_equal(err.code, DBK_INVALID);
    assert_int_equal(strncmp(err.text, "no column role: run daybook rebuild", 35), 0);
}

static int start(void **state)
{
    struct dbk_error err = {0};

    (void)state;
    scratch_drop(&database);
    if (dbk_migrate_up(&database, NULL, NULL, &err) != DBK_OK)
        return -1;
    pg = scratch_open(&database);
    scratch_script(pg, "set client_min_messages = warning");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pg_close(pg);
    scratch_drop(&database);
    return 0;
}

#define WITH_TABLES(test) cmocka_unit_test_setup_teardown(test, start, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TABLES(each_column_is_looked_for),
        WITH_TABLES(each_table_and_function_is_looked_for),
        WITH_TABLES(each_trigger_is_looked_for),
        WITH_TABLES(another_type_is_noticed),
        WITH_TABLES(what_is_added_does_no_harm),
        WITH_TABLES(other_failures_are_no_broken_tables),
        WITH_TABLES(advice_comes_behind_the_reason),
    };

    database = scratch_database("test_tables");
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
