#include "store/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_failure_may_quote_the_one_before(void **state)
{
    struct dbk_error err;

    (void)state;
    dbk_fail(&err, DBK_IO, "the disk failed");
    assert_int_equal(dbk_fail(&err, DBK_UNAVAILABLE, "not known: %s", err.text),
                     DBK_UNAVAILABLE);
    assert_int_equal(err.code, DBK_UNAVAILABLE);
    assert_string_equal(err.text, "not known: the disk failed");
}

static void context_goes_before_the_text_and_keeps_the_code(void **state)
{
    struct dbk_error err;

    (void)state;
    dbk_fail(&err, DBK_IO, "the disk failed");
    assert_int_equal(dbk_wrap(&err, "append to %s", "a log"), DBK_IO);
    assert_string_equal(err.text, "append to a log: the disk failed");
}

static void a_text_is_one_line(void **state)
{
    struct dbk_error err;

    (void)state;
    dbk_fail(&err, DBK_INVALID, "a\nb\r\x7f%s", "\t");
    assert_string_equal(err.text, "a b   ");
}

/* Each character in turn is the one that the end of the text goes through. */
static void assert_cut_between(const char *character)
{
    size_t length = strlen(character), room = sizeof((struct dbk_error *)0)->text - 1;

    for (size_t before = room - length; before <= room; before++) {
        char ascii[1024] = "";
        struct dbk_error err;
        size_t kept = before + length <= room ? before + length : before;

        memset(ascii, 'a', before);
        dbk_fail(&err, DBK_INVALID, "%s%s", ascii, character);
        assert_int_equal(strlen(err.text), kept);
        dbk_fail(&err, DBK_INVALID, "%s%s and more", ascii, character);
        if (before + length >= room)
            assert_int_equal(strlen(err.text), kept);
    }
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    assert_cut_between("a");
    assert_cut_between("\xc3\xbc");
    assert_cut_between("\xe2\x82\xac");
    assert_cut_between("\xf0\x9f\x98\x80");
}

static void long_context_is_cut_between_characters_too(void **state)
{
    struct dbk_error err;
    char euros[600] = "";

    (void)state;
    for (size_t i = 0; i < 190; i++)
        strcat(euros, "\xe2\x82\xac");
    dbk_fail(&err, DBK_IO, "why");
    assert_int_equal(dbk_wrap(&err, "%s", euros), DBK_IO);
    assert_int_equal(strlen(err.text), 510);
    dbk_fail(&err, DBK_IO, "%s", euros);
    dbk_wrap(&err, "ab");
    assert_int_equal(strlen(err.text), 4 + 507);
}

static void nobody_need_take_the_error(void **state)
{
    (void)state;
    assert_int_equal(dbk_fail(NULL, DBK_BUSY, "unheard"), DBK_BUSY);
    assert_int_equal(dbk_wrap(NULL, "unheard"), DBK_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_may_quote_the_one_before),
        cmocka_unit_test(context_goes_before_the_text_and_keeps_the_code),
        cmocka_unit_test(a_text_is_one_line),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(long_context_is_cut_between_characters_too),
        cmocka_unit_test(nobody_need_take_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
