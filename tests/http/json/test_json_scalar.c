/* Whether there is anything in JSON but objects and arrays. */
#include "json_scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void values_are_told_from_keys(void **state)
{
    static const char *const has[] = {"{\"a\":\"\"}",         "{\"a\":1}",
                                      "{\"a\":{\"b\":null}}", "[{},[\"\"]]",
                                      "{\"a\":[false]}",      "{\"\\\"\" : \"b\"}",
                                      "{\"a\":{}, \"b\":-1}", "{\"a\\\\\":\"x\"}"};
    static const char *const has_not[] = {"{}",
                                          "[]",
                                          "{\"a\":{}}",
                                          "{\"1\" : [ [], {} ]}",
                                          "{\"\\\"\":[]}",
                                          "{\"a\\\\\" : {\"b:\":{}}}"};

    (void)state;
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        assert_true(json_has_scalar(dbk_slice(has[i])));
    for (size_t i = 0; i < sizeof has_not / sizeof *has_not; i++)
        assert_false(json_has_scalar(dbk_slice(has_not[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_told_from_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
