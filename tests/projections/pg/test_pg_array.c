/* What PostgreSQL reads from the arrays built here. */
#include "pg_array.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dbk_database database;
static struct dbk_error err;

/* The array as PostgreSQL prints it. */
static void assert_reads(struct pg_array *array, const char *sql, const char *expected)
{
    const struct pg_statement statement = {NULL, sql};
    struct pg *pg = scratch_open(&database);
    struct pg_result *result = NULL;
    struct pg_param param;

    assert_int_equal(pg_array_param(array, &param, &err), DBK_OK);
    err.text[0] = '\0';
    pg_run(pg, &statement, &param, 1, 10000, &result, &err);
    assert_string_equal(err.text, "");
    assert_string_equal(pg_value(result, 0, 0).data, expected);
    pg_clear(result);
    pg_close(pg);
}

static void each_type_is_read_as_written(void **state)
{
    struct pg_array array;
    struct dbk_uuid id;
    dbk_timestamp at;

    (void)state;
    pg_array_init(&array, PG_INT8);
    pg_array_int8(&array, INT64_MAX);
    pg_array_int8(&array, -1);
    assert_reads(&array, "select $1::int8[]::text", "{9223372036854775807,-1}");
    pg_array_finish(&array);

    pg_array_init(&array, PG_INT4);
    pg_array_int4(&array, INT32_MAX);
    pg_array_int4(&array, -1);
    assert_reads(&array, "select $1::int4[]::text", "{2147483647,-1}");
    pg_array_finish(&array);

    pg_array_init(&array, PG_TEXT);
    pg_array_text(&array, dbk_slice(""));
    pg_array_text(&array, dbk_slice("a,{\"b\"}"));
    pg_array_null(&array);
    assert_reads(&array, "select $1::text[]::text", "{\"\",\"a,{\\\"b\\\"}\",NULL}");
    pg_array_finish(&array);

    pg_array_init(&array, PG_TIMESTAMP);
    assert_true(dbk_timestamp_parse("0001-01-01T00:00:00", 19, &at));
    pg_array_timestamp(&array, at);
    assert_true(dbk_timestamp_parse("9999-12-31T23:59:59.999999", 26, &at));
    pg_array_timestamp(&array, at);
    assert_reads(&array, "select $1::timestamp[]::text",
                 "{\"0001-01-01 00:00:00\",\"9999-12-31 23:59:59.999999\"}");
    pg_array_finish(&array);

    pg_array_init(&array, PG_UUID);
    assert_true(dbk_uuid_parse("3b027982-2fe9-4491-a5a2-b504b0e2bb8d", 36, &id));
    pg_array_uuid(&array, &id);
    assert_reads(&array, "select $1::uuid[]::text",
                 "{3b027982-2fe9-4491-a5a2-b504b0e2bb8d}");
    pg_array_finish(&array);

    pg_array_init(&array, PG_JSONB);
    pg_array_jsonb(&array, dbk_slice("{}"));
    pg_array_null(&array);
    assert_reads(&array, "select $1::jsonb[]::text", "{\"{}\",NULL}");
    pg_array_finish(&array);
}

static void an_empty_array_is_no_null(void **state)
{
    struct pg_array array;

    (void)state;
    pg_array_init(&array, PG_UUID);
    assert_reads(&array, "select $1::uuid[]::text", "{}");
    assert_reads(&array, "select count(*) from unnest($1::uuid[])", "0");
    pg_array_finish(&array);
}

static void a_cleared_array_forgets_its_elements(void **state)
{
    struct pg_array array;

    (void)state;
    pg_array_init(&array, PG_INT8);
    for (int64_t i = 0; i < 10000; i++)
        pg_array_int8(&array, i);
    pg_array_null(&array);
    assert_reads(&array, "select sum(i) || '/' || count(*) from unnest($1::int8[]) i",
                 "49995000/10001");
    pg_array_clear(&array);
    pg_array_int8(&array, 7);
    assert_reads(&array, "select $1::int8[]::text", "{7}");
    pg_array_finish(&array);
}

static void too_much_for_one_statement_is_told_at_the_end(void **state)
{
    struct pg_array array;
    struct pg_param param;

    (void)state;
    pg_array_init(&array, PG_TEXT);
    pg_array_text(&array, (struct dbk_slice){"x", (size_t)1 << 31});
    pg_array_text(&array, dbk_slice("small"));
    assert_int_equal(pg_array_param(&array, &param, &err), DBK_TOO_LARGE);
    pg_array_clear(&array);
    pg_array_text(&array, dbk_slice("small"));
    assert_int_equal(pg_array_param(&array, &param, &err), DBK_OK);
    pg_array_finish(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_read_as_written),
        cmocka_unit_test(an_empty_array_is_no_null),
        cmocka_unit_test(a_cleared_array_forgets_its_elements),
        cmocka_unit_test(too_much_for_one_statement_is_told_at_the_end),
    };

    database = scratch_database("test_pg_array");
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
