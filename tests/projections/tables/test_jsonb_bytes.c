/* How long jsonb is as text, held against PostgreSQL itself. */
#include "jsonb_bytes.h"
#include "pg.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dbk_database database;
static struct pg *pg;

static void assert_as_postgres(const char *json)
{
    static const struct pg_statement statement = {
        "bytes", "select octet_length($1::text::jsonb::text)"};
    const struct pg_param param = pg_text(json);
    struct pg_result *result = NULL;
    struct dbk_error err = {0};
    int64_t told = jsonb_bytes(dbk_slice(json));

    pg_run(pg, &statement, &param, 1, 10000, &result, &err);
    assert_string_equal(err.text, "");
    if (told != (int64_t)pg_u64(result, 0, 0))
        fail_msg("%s: told %lld, PostgreSQL has %s", json, (long long)told,
                 pg_value(result, 0, 0).data);
    pg_clear(result);
}

static void it_is_what_postgresql_counts(void **state)
{
    static const char *const texts[] = {
        "{}",
        " { } ",
        "[]",
        "{\"page\":\"/articles/10482\",\"rank\":17,\"referrer\":\"https://example.org/"
        "\"}",
        "\t{ \"b\" : [ 1 , 2,3 ],\n\"a\":{\"c\":null , \"d\":[true,false]} }\r\n",
        "\"\\b\\f\\n\\r\\t\\\"\\\\\\/\"",
        "\"\\u0001\\u001f\\u0008\\u000C\\u000a\\u000D\\u0009\\u0022\\u005c\\u002F\"",
        "\"\\u0041\\u007f\\u0080\\u07ff\\u0800\\uFFFD\\uD83D\\uDE00\\ud7ff\\ue000\"",
        "\"J\xc3\xb6rg \xf0\x9f\x98\x80 \x7f\"",
        "{\"\\u00fcber\":\"\",\"\":\"\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_as_postgres(texts[i]);
}

static void numbers_are_written_out(void **state)
{
    static const char *const signs[] = {"", "-"},
                             *const wholes[] = {"0", "7", "10", "9876543210"},
                             *const behinds[] = {"", ".0", ".5", ".00", ".050", ".123"},
                             *const powers[] = {"",   "e0",  "E+1",  "e-1", "e2",
                                                "e7", "e-3", "E-12", "e300"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < 2 * 4 * 6 * 9; i++) {
        snprintf(text, sizeof text, "[%s%s%s%s]", signs[i % 2], wholes[i / 2 % 4],
                 behinds[i / 8 % 6], powers[i / 48]);
        assert_as_postgres(text);
    }
}

static void of_what_is_no_json_it_tells_nothing(void **state)
{
    static const char *const texts[] = {
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "nul",
        "-",
        "\"\\ud800\"",
        "\"\\ud800\\n\"",
        "{\"a\":?}",
        "tru",
        "1e99999999999",
        "\"\\ud800\\u12\"",
        "\"\\u",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i]);
        char *exactly = malloc(length); /* so that a byte too many is noticed */

        assert_non_null(exactly);
        memcpy(exactly, texts[i], length);
        assert_int_equal(jsonb_bytes((struct dbk_slice){exactly, length}), -1);
        free(exactly);
    }
    assert_int_equal(jsonb_bytes((struct dbk_slice){NULL, 0}), 0);
}

static int open_database(void **state)
{
    (void)state;
    database = scratch_database("test_jsonb_bytes");
    pg = scratch_open(&database);
    return 0;
}

static int close_database(void **state)
{
    (void)state;
    pg_close(pg);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_postgresql_counts),
        cmocka_unit_test(numbers_are_written_out),
        cmocka_unit_test(of_what_is_no_json_it_tells_nothing),
    };

    return cmocka_run_group_tests(tests, open_database, close_database) != 0;
}
