#include "store/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_decimal(uint64_t number, const char *text)
{
    char out[DECIMAL_MAX + 1];

    assert_int_equal(decimal_format(number, out), strlen(text));
    assert_string_equal(out, text);
}

static void numbers_have_no_leading_zeros(void **state)
{
    (void)state;
    assert_decimal(0, "0");
    assert_decimal(7, "7");
    assert_decimal(10, "10");
    assert_decimal(1234567890, "1234567890");
}

static void the_largest_number_fits(void **state)
{
    (void)state;
    assert_decimal(UINT64_MAX, "18446744073709551615");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_no_leading_zeros),
        cmocka_unit_test(the_largest_number_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
