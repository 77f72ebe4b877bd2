#include "store/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(struct dbk_render *render, const char *expected)
{
    assert_int_equal(dbk_render_code(render), DBK_OK);
    assert_int_equal(render->length, strlen(expected));
    assert_memory_equal(render->text, expected, render->length);
    dbk_render_finish(render);
}

static void strings_are_escaped_and_bad_bytes_replaced(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\b\f\n\r\t\x01\x1F\x7F", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\""},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
         "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"a\xFF"
         "b",
         "\"a\xEF\xBF\xBD"
         "b\""},
        {"\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = strlen(cases[i].text);
        char *copy = malloc(length ? length : 1); /* of its very size, for ASan */
        struct dbk_render render;

        assert_non_null(copy);
        memcpy(copy, cases[i].text, length);
        dbk_render_init(&render, 4096);
        dbk_render_string(&render, (struct dbk_slice){copy, length});
        assert_text(&render, cases[i].json);
        free(copy);
    }
}

static void it_grows_up_to_its_limit_and_a_failure_sticks(void **state)
{
    struct dbk_render render;

    (void)state;
    dbk_render_init(&render, 1000);
    for (int i = 0; i < 100; i++)
        dbk_render_text(&render, "0123456789");
    assert_int_equal(dbk_render_code(&render), DBK_OK);
    assert_int_equal(render.length, 1000);
    dbk_render_text(&render, "x");
    assert_int_equal(dbk_render_code(&render), DBK_TOO_LARGE);
    dbk_render_clear(&render);
    dbk_render_text(&render, "fits");
    for (int i = 0; i < 100; i++)
        dbk_render_text(&render, "0123456789");
    assert_int_equal(render.length, 994); /* the next was too long */
    dbk_render_text(&render, "x");        /* fits, and comes too late */
    assert_int_equal(render.length, 994);
    assert_int_equal(dbk_render_code(&render), DBK_TOO_LARGE);
    dbk_render_clear(&render);
    dbk_render_number(&render, 7);
    assert_text(&render, "7");
}

static void trimmed_it_keeps_little(void **state)
{
    struct dbk_render render;

    (void)state;
    dbk_render_init(&render, 100000);
    dbk_render_text(&render, "small");
    dbk_render_trim(&render, 1000);
    assert_non_null(render.text);
    assert_int_equal(render.length, 0);
    for (int i = 0; i < 1000; i++)
        dbk_render_text(&render, "0123456789");
    dbk_render_clear(&render);
    dbk_render_text(&render, "small again, in much memory");
    dbk_render_trim(&render, 1000);
    assert_null(render.text);
    dbk_render_text(&render, "x");
    assert_text(&render, "x");
}

static void without_a_limit_it_holds_what_memory_does(void **state)
{
    struct dbk_render render = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        dbk_render_text(&render, "0123456789");
    assert_int_equal(dbk_render_code(&render), DBK_OK);
    assert_int_equal(render.length, 1000000);
    dbk_render_finish(&render);
}

static void line_breaks_between_values_become_spaces(void **state)
{
    struct dbk_render render = {0};

    (void)state;
    dbk_render_json(&render, dbk_slice("{\"a\":\r\n[1,\n2]}"));
    assert_text(&render, "{\"a\":  [1, 2]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_and_bad_bytes_replaced),
        cmocka_unit_test(it_grows_up_to_its_limit_and_a_failure_sticks),
        cmocka_unit_test(trimmed_it_keeps_little),
        cmocka_unit_test(without_a_limit_it_holds_what_memory_does),
        cmocka_unit_test(line_breaks_between_values_become_spaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
