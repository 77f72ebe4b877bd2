/* Migrations up and down, on a real PostgreSQL. */
#include "migration.h"
#include "scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dbk_database database;
static struct dbk_error err;

static const struct migration three[] = {
    {1, "one", "create table one (i int)", "drop table one"},
    {2, "two", "create table two (i int); insert into one values (1)",
     "drop table two"},
    {5, "five", "", ""},
};
static const struct migration_list upto_two = {three, 2}, all = {three, 3};

static int drop(void **state)
{
    (void)state;
    scratch_drop(&database);
    return 0;
}

/* "1+ 2! " for: 1 is applied, 2 was changed; ? is unknown, - is pending. */
static void note(void *context, const struct dbk_migration_state *state)
{
    char *text = context;

    assert_int_equal(strlen(state->applied_at), state->applied ? 26 : 0);
    snprintf(text + strlen(text), 100 - strlen(text), "%d%s ", state->version,
             !state->known    ? "?"
             : state->changed ? "!"
             : state->applied ? "+"
                              : "-");
}

static void assert_status(const struct migration_list *list, const char *expected)
{
    char text[100] = "";

    assert_int_equal(migrate_list_status(list, &database, note, text, &err), DBK_OK);
    assert_string_equal(text, expected);
}

static uint64_t tables(const char *name)
{
    struct pg *pg = scratch_open(&database);
    char sql[160];
    uint64_t count;

    snprintf(
        sql, sizeof sql,
        "select count(*) from pg_tables where schemaname = '%s' and tablename = '%s'",
        database.schema, name);
    count = scratch_number(pg, sql);
    pg_close(pg);
    return count;
}

static void from_nothing_all_are_applied_in_order(void **state)
{
    char text[100] = "";

    (void)state;
    assert_status(&all, "1- 2- 5- ");
    assert_int_equal(tables("schema_migration"), 0);
    assert_int_equal(migrate_list_up(&all, &database, note, text, &err), DBK_OK);
    assert_string_equal(text, "1+ 2+ 5+ ");
    assert_status(&all, "1+ 2+ 5+ ");
}

static void a_second_run_has_nothing_to_do(void **state)
{
    char text[100] = "";

    (void)state;
    assert_int_equal(migrate_list_up(&upto_two, &database, NULL, NULL, &err), DBK_OK);
    assert_int_equal(migrate_list_up(&upto_two, &database, note, text, &err), DBK_OK);
    assert_string_equal(text, "");
    assert_int_equal(migrate_list_up(&all, &database, note, text, &err), DBK_OK);
    assert_string_equal(text, "5+ ");
}

static void down_takes_back_the_newest_and_up_brings_it_again(void **state)
{
    char text[100] = "";

    (void)state;
    assert_int_equal(migrate_list_up(&upto_two, &database, NULL, NULL, &err), DBK_OK);
    assert_int_equal(migrate_list_down(&upto_two, &database, 1, note, text, &err),
                     DBK_OK);
    assert_string_equal(text, "2- ");
    assert_status(&upto_two, "1+ 2- ");
    assert_int_equal(tables("one"), 1);
    assert_int_equal(tables("two"), 0);
    assert_int_equal(migrate_list_up(&upto_two, &database, note, text, &err), DBK_OK);
    assert_string_equal(text, "2- 2+ ");
    assert_int_equal(migrate_list_down(&upto_two, &database, 99, NULL, NULL, &err),
                     DBK_OK);
    assert_status(&upto_two, "1- 2- ");
}

static void a_changed_text_is_refused(void **state)
{
    static const struct migration items[] = {{1, "one", "create table uno ()", ""}};
    const struct migration_list changed = {items, 1};

    (void)state;
    assert_int_equal(migrate_list_up(&upto_two, &database, NULL, NULL, &err), DBK_OK);
    assert_status(&changed, "1! 2? ");
    assert_int_equal(migrate_list_up(&changed, &database, NULL, NULL, &err),
                     DBK_CONFLICT);
    assert_non_null(strstr(err.text, "0001_one"));
    assert_int_equal(migrate_list_down(&changed, &database, 2, NULL, NULL, &err),
                     DBK_CONFLICT);
    assert_int_equal(tables("two"), 1);
}

static void a_newer_schema_is_refused(void **state)
{
    (void)state;
    assert_int_equal(migrate_list_up(&all, &database, NULL, NULL, &err), DBK_OK);
    assert_status(&upto_two, "1+ 2+ 5? ");
    assert_int_equal(migrate_list_up(&upto_two, &database, NULL, NULL, &err),
                     DBK_UNSUPPORTED);
    assert_int_equal(migrate_list_down(&upto_two, &database, 1, NULL, NULL, &err),
                     DBK_UNSUPPORTED);
}

static void one_that_fails_leaves_nothing_of_itself(void **state)
{
    static const struct migration items[] = {
        {1, "good", "create table good ()", "drop table good"},
        {2, "bad", "create table bad (); select 1 / 0; create table worse ()", ""}};
    const struct migration_list list = {items, 2};

    (void)state;
    assert_int_equal(migrate_list_up(&list, &database, NULL, NULL, &err), DBK_INVALID);
    assert_non_null(strstr(err.text, "0002_bad"));
    assert_non_null(strstr(err.text, "division by zero"));
    assert_status(&list, "1+ 2- ");
    assert_int_equal(tables("good"), 1);
    assert_int_equal(tables("bad"), 0);
}

static void one_that_ends_its_transaction_is_refused(void **state)
{
    static const struct migration items[] = {
        {1, "sly", "create table sly (); commit", ""}};
    const struct migration_list list = {items, 1};

    (void)state;
    assert_int_equal(migrate_list_up(&list, &database, NULL, NULL, &err), DBK_INVALID);
    assert_non_null(strstr(err.text, "COMMIT"));
    assert_status(&list, "1- ");
}

struct run {
    pthread_t thread;
    enum dbk_code code;
    int applied;
};

static void count(void *context, const struct dbk_migration_state *state)
{
    (void)state;
    ++*(int *)context;
}

static void *run_up(void *context)
{
    struct run *run = context;

    run->code = migrate_list_up(&all, &database, count, &run->applied, NULL);
    return NULL;
}

static void of_several_at_once_each_migration_runs_once(void **state)
{
    struct run runs[8] = {0};
    int applied = 0;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&runs[i].thread, NULL, run_up, &runs[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(runs[i].thread, NULL);
        assert_int_equal(runs[i].code, DBK_OK);
        applied += runs[i].applied;
    }
    assert_int_equal(applied, 3);
}

static void those_of_this_program_go_up_down_and_up(void **state)
{
    (void)state;
    assert_int_equal(dbk_migrate_up(&database, NULL, NULL, &err), DBK_OK);
    assert_int_equal(tables("event"), 1);
    assert_int_equal(dbk_migrate_down(&database, 99, NULL, NULL, &err), DBK_OK);
    assert_int_equal(tables("event"), 0);
    assert_int_equal(dbk_migrate_up(&database, NULL, NULL, &err), DBK_OK);
    assert_status(&embedded_migrations, "1+ 2+ 3+ 4+ 5+ 6+ 7+ 8+ ");
}

static void without_postgres_it_is_unavailable(void **state)
{
    struct dbk_database nowhere = database;

    (void)state;
    nowhere.host = "/nonexistent";
    assert_int_equal(dbk_migrate_up(&nowhere, NULL, NULL, &err), DBK_UNAVAILABLE);
    assert_int_equal(dbk_migrate_status(&nowhere, note, NULL, &err), DBK_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(from_nothing_all_are_applied_in_order, drop),
        cmocka_unit_test_setup(a_second_run_has_nothing_to_do, drop),
        cmocka_unit_test_setup(down_takes_back_the_newest_and_up_brings_it_again, drop),
        cmocka_unit_test_setup(a_changed_text_is_refused, drop),
        cmocka_unit_test_setup(a_newer_schema_is_refused, drop),
        cmocka_unit_test_setup(one_that_fails_leaves_nothing_of_itself, drop),
        cmocka_unit_test_setup(one_that_ends_its_transaction_is_refused, drop),
        cmocka_unit_test_setup(of_several_at_once_each_migration_runs_once, drop),
        cmocka_unit_test_setup(those_of_this_program_go_up_down_and_up, drop),
        cmocka_unit_test(without_postgres_it_is_unavailable),
    };

    database = scratch_database("test_migrate");
    return cmocka_run_group_tests(tests, NULL, drop) != 0;
}
