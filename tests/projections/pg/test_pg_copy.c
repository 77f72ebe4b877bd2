/* COPY from the client, and statements of several connections at once. */
#include "copy_rows.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { SOON_MS = 30000 };

static const char into[] =
    "copy rows (id, n, name, at, properties) from stdin with (format binary)";

struct scene {
    struct dbk_database database;
    struct pg *pg;
    struct copy_rows copy;
};

static int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    assert_non_null(scene);
    scene->database = scratch_database("copy_test");
    scratch_drop(&scene->database);
    scene->pg = scratch_open(&scene->database);
    scratch_script(scene->pg, "create schema copy_test; create table rows"
                              " (id uuid, n bigint, name text, at timestamp,"
                              " properties jsonb)");
    assert_int_equal(copy_rows_init(&scene->copy, scene->pg, into, NULL), DBK_OK);
    *state = scene;
    return 0;
}

static int end_scene(void **state)
{
    struct scene *scene = *state;

    copy_rows_finish(&scene->copy);
    pg_close(scene->pg);
    scratch_drop(&scene->database);
    free(scene);
    return 0;
}

static enum dbk_code add_row(struct copy_rows *copy, int64_t n, const char *json,
                             struct dbk_error *err)
{
    struct dbk_uuid id = {{(uint8_t)n}};

    copy_rows_begin(copy, 5);
    copy_rows_uuid(copy, &id);
    copy_rows_int8(copy, n);
    copy_rows_text(copy, dbk_slice(n % 2 ? "J\xc3\xb6rg" : ""));
    copy_rows_timestamp(copy, n * 1000000);
    if (json)
        copy_rows_jsonb(copy, dbk_slice(json));
    else
        copy_rows_null(copy);
    return copy_rows_end(copy, err);
}

static void rows_arrive_as_they_were_made(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(add_row(&scene->copy, -7, "{\"a\": [1, null]}", NULL), DBK_OK);
    assert_int_equal(add_row(&scene->copy, 8, NULL, NULL), DBK_OK);
    assert_int_equal(copy_rows_conclude(&scene->copy, NULL), DBK_OK);
    assert_int_equal(
        scratch_number(scene->pg,
                       "select count(*) from rows where"
                       " (n, name, at, properties::text) = (-7, 'J\xc3\xb6rg',"
                       " '1969-12-31T23:59:53', '{\"a\": [1, null]}')"
                       " or (n, name, at) = (8, '', '1970-01-01T00:00:08')"
                       " and properties is null"
                       " and id = '08000000-0000-0000-0000-000000000000'"),
        2);
}

static void no_rows_are_no_statement(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(copy_rows_conclude(&scene->copy, NULL), DBK_OK);
    assert_int_equal(scratch_number(scene->pg, "select count(*) from rows"), 0);
}

static void many_rows_go_in_several_statements(void **state)
{
    struct scene *scene = *state;
    struct dbk_error err = {0};

    for (int64_t n = 0; n < 600000; n++)
        if (add_row(&scene->copy, n, n % 3 ? NULL : "{}", &err) != DBK_OK)
            fail_msg("%s", err.text);
    if (copy_rows_conclude(&scene->copy, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(scene->copy.rows, 600000);
    assert_int_equal(scratch_number(scene->pg, "select count(distinct n) from rows"),
                     600000);
}

static void a_refused_row_is_told_and_none_stay(void **state)
{
    struct scene *scene = *state;
    struct dbk_error err = {0};

    assert_int_equal(add_row(&scene->copy, 1, "{}", &err), DBK_OK);
    assert_int_equal(add_row(&scene->copy, 2, "{", &err), DBK_OK);
    assert_int_equal(copy_rows_conclude(&scene->copy, &err), DBK_INVALID);
    assert_string_equal(pg_sqlstate(scene->pg), "22P02");
    assert_true(scene->copy.failed);
    assert_true(pg_alive(scene->pg));
    assert_int_equal(scratch_number(scene->pg, "select count(*) from rows"), 0);
}

static void a_refusal_is_noticed_before_the_end(void **state)
{
    struct scene *scene = *state;
    struct dbk_error err = {0};
    enum dbk_code code = add_row(&scene->copy, 1, "{", &err);
    int64_t n = 0;

    while (code == DBK_OK && n < 10000000)
        code = add_row(&scene->copy, n++, NULL, &err);
    assert_int_equal(code, DBK_INVALID);
}

static void a_row_longer_than_any_record_is_refused(void **state)
{
    struct scene *scene = *state;
    static char json[1 << 20];

    memset(json, ' ', sizeof json - 1);
    assert_int_equal(add_row(&scene->copy, 1, json, NULL), DBK_CONFLICT);
}

static void a_statement_that_takes_no_rows_is_told(void **state)
{
    struct scene *scene = *state;
    struct dbk_error err = {0};

    assert_int_equal(pg_copy_begin(scene->pg, "copy nowhere from stdin", SOON_MS, &err),
                     DBK_UNAVAILABLE);
    assert_string_equal(pg_sqlstate(scene->pg), "42P01");
    assert_int_equal(pg_copy_begin(scene->pg, "select 1", SOON_MS, &err), DBK_INTERNAL);
    assert_int_equal(scratch_number(scene->pg, "select 7"), 7);
}

static void a_connection_lost_in_between_is_told(void **state)
{
    struct scene *scene = *state;
    struct pg *other = scratch_open(&scene->database);
    struct dbk_error err = {0};
    enum dbk_code code = DBK_OK;
    char sql[96];

    snprintf(sql, sizeof sql, "select pg_terminate_backend(%llu)",
             (unsigned long long)scratch_number(scene->pg, "select pg_backend_pid()"));
    assert_int_equal(pg_copy_begin(scene->pg, into, SOON_MS, &err), DBK_OK);
    scratch_script(other, sql);
    for (int i = 0; i < 100000 && code == DBK_OK; i++)
        code = pg_copy_put(scene->pg, into, sizeof into, SOON_MS, &err);
    if (code == DBK_OK)
        code = pg_copy_end(scene->pg, SOON_MS, NULL, &err);
    assert_int_equal(code, DBK_UNAVAILABLE);
    assert_false(pg_alive(scene->pg));
    pg_close(other);
}

static void the_first_to_be_done_is_told_first(void **state)
{
    struct scene *scene = *state;
    struct pg *other = scratch_open(&scene->database);
    struct pg *both[] = {scene->pg, other};
    struct pg_result *result;
    struct dbk_error err = {0};
    size_t which;

    assert_int_equal(pg_launch(scene->pg, "select pg_advisory_lock(4711)", &err),
                     DBK_OK);
    assert_int_equal(pg_wait_any(both, 1, SOON_MS, &which, &err), DBK_OK);
    assert_int_equal(pg_conclude(scene->pg, NULL, &err), DBK_OK);
    assert_int_equal(pg_launch(other, "select 41 from pg_advisory_lock(4711)", &err),
                     DBK_OK);
    assert_int_equal(pg_wait_any(&both[1], 1, 50, &which, &err), DBK_TIMEOUT);
    assert_int_equal(pg_launch(scene->pg, "select 42", &err), DBK_OK);
    assert_int_equal(pg_wait_any(both, 2, SOON_MS, &which, &err), DBK_OK);
    assert_int_equal(which, 0);
    assert_int_equal(pg_conclude(scene->pg, NULL, &err), DBK_OK);
    scratch_script(scene->pg, "select pg_advisory_unlock(4711)");
    both[0] = NULL;
    assert_int_equal(pg_wait_any(both, 2, SOON_MS, &which, &err), DBK_OK);
    assert_int_equal(which, 1);
    assert_int_equal(pg_conclude(other, &result, &err), DBK_OK);
    assert_int_equal(pg_u64(result, 0, 0), 41);
    pg_clear(result);
    pg_close(other);
}

static void a_launched_statement_that_fails_is_told_by_its_end(void **state)
{
    struct scene *scene = *state;
    struct dbk_error err = {0};
    size_t which;

    assert_int_equal(pg_launch(scene->pg, "select 1 / 0", &err), DBK_OK);
    assert_int_equal(pg_wait_any(&scene->pg, 1, SOON_MS, &which, &err), DBK_OK);
    assert_int_equal(pg_conclude(scene->pg, NULL, &err), DBK_INVALID);
    assert_int_equal(scratch_number(scene->pg, "select 7"), 7);
}

#define IN_A_SCENE(test) cmocka_unit_test_setup_teardown(test, make_scene, end_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCENE(rows_arrive_as_they_were_made),
        IN_A_SCENE(no_rows_are_no_statement),
        IN_A_SCENE(many_rows_go_in_several_statements),
        IN_A_SCENE(a_refused_row_is_told_and_none_stay),
        IN_A_SCENE(a_refusal_is_noticed_before_the_end),
        IN_A_SCENE(a_row_longer_than_any_record_is_refused),
        IN_A_SCENE(a_statement_that_takes_no_rows_is_told),
        IN_A_SCENE(a_connection_lost_in_between_is_told),
        IN_A_SCENE(the_first_to_be_done_is_told_first),
        IN_A_SCENE(a_launched_statement_that_fails_is_told_by_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
