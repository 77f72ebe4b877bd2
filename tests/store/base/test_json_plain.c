#include "store/json_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each byte there is, at each place of texts of each length, against the definition. */
static void the_first_byte_that_is_not_plain_is_found(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 24; length++) {
        for (size_t place = 0; place < length; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[24], *copy;
                size_t expected =
                    dbk_json_is_plain((unsigned char)byte) ? length : place;
                memset(text, 'a', sizeof text);
                text[place] = (char)byte;
                copy = malloc(length); /* of its very size, for ASan */
                assert_non_null(copy);
                memcpy(copy, text, length);
                assert_int_equal(dbk_json_plain(copy, copy + length), expected);
                free(copy);
            }
        }
    }
}

static void what_follows_it_does_not_matter(void **state)
{
    static const char behind[] = {0,    0x1F,       0x20,       '!',       '"',
                                  '#',  '[',        '\\',       ']',       0x7E,
                                  0x7F, (char)0x80, (char)0xA2, (char)0xFF};

    (void)state;
    for (size_t first = 0; first < sizeof behind; first++) {
        for (size_t second = 0; second < sizeof behind; second++) {
            char text[8] = {'a', behind[first], behind[second], 'a', 'a', 'a', 'a',
                            'a'};
            size_t expected = !dbk_json_is_plain((unsigned char)behind[first])    ? 1
                              : !dbk_json_is_plain((unsigned char)behind[second]) ? 2
                                                                                  : 8;
            assert_int_equal(dbk_json_plain(text, text + 8), expected);
        }
    }
}

static void nothing_has_no_plain_bytes(void **state)
{
    const char *empty = "";

    (void)state;
    assert_int_equal(dbk_json_plain(empty, empty), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_byte_that_is_not_plain_is_found),
        cmocka_unit_test(what_follows_it_does_not_matter),
        cmocka_unit_test(nothing_has_no_plain_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
