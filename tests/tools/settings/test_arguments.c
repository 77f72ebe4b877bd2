#include "arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct command sample = {
    .name = "sample",
    .operands = "FILE",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_SERVE,
    .operands_min = 1,
    .operands_max = 2,
    .options = {{"--limit", "N", "", false},
                {"--json", NULL, "", false},
                {"--scope", "S", "", true}},
};

struct result {
    struct arguments arguments;
    struct dbk_error err;
    enum dbk_code code;
};

static struct result read_words(char **words)
{
    struct result result = {0};
    int count = 0;

    while (words[count])
        count++;
    result.code = arguments_read(&sample, count, words, &result.arguments, &result.err);
    return result;
}

#define READ(...) read_words((char *[]){__VA_ARGS__, NULL})

static void flags_and_operands_mix_in_any_order(void **state)
{
    struct result r =
        READ("one", "--port", "80", "--json", "--limit=", "--data-dir=/x=y", "two");

    (void)state;
    assert_int_equal(r.code, DBK_OK);
    assert_string_equal(r.arguments.settings[SETTING_PORT], "80");
    assert_string_equal(r.arguments.settings[SETTING_DATA_DIR], "/x=y");
    assert_null(r.arguments.settings[SETTING_HOST]);
    assert_string_equal(r.arguments.values[0], "");
    assert_non_null(r.arguments.values[1]);
    assert_string_equal(r.arguments.operands[0], "one");
    assert_string_equal(r.arguments.operands[1], "two");
    assert_null(r.arguments.operands[2]);
    arguments_finish(&r.arguments);
}

static void one_that_may_come_again_keeps_all_its_values(void **state)
{
    struct result r = READ("one", "--scope", "a", "--limit=1", "--scope=b,c", "--scope",
                           "d", "--limit=2");

    (void)state;
    assert_int_equal(r.code, DBK_OK);
    assert_string_equal(r.arguments.values[2], "a,b,c,d");
    assert_string_equal(r.arguments.values[0], "2");
    arguments_finish(&r.arguments);
}

static void a_boolean_setting_takes_no_next_word(void **state)
{
    struct result r = READ("--show-error-details", "one");

    (void)state;
    assert_int_equal(r.code, DBK_OK);
    assert_string_equal(r.arguments.settings[SETTING_SHOW_ERROR_DETAILS], "true");
    assert_int_equal(r.arguments.operand_count, 1);
    arguments_finish(&r.arguments);
    r = READ("--show-error-details=false", "one");
    assert_string_equal(r.arguments.settings[SETTING_SHOW_ERROR_DETAILS], "false");
    arguments_finish(&r.arguments);
}

static void two_dashes_end_the_flags(void **state)
{
    struct result r = READ("--", "--port", "-");

    (void)state;
    assert_int_equal(r.code, DBK_OK);
    assert_string_equal(r.arguments.operands[0], "--port");
    assert_string_equal(r.arguments.operands[1], "-");
    arguments_finish(&r.arguments);
}

static void help_needs_nothing_else(void **state)
{
    struct result r = READ("--help");

    (void)state;
    assert_int_equal(r.code, DBK_OK);
    assert_true(r.arguments.help);
    arguments_finish(&r.arguments);
}

static void wrong_words_are_refused_with_what_was_meant(void **state)
{
    struct {
        struct result result;
        const char *message;
    } cases[] = {
        {READ("one", "--prot", "80"), "unknown flag --prot; did you mean --port?"},
        {READ("one", "--jsno"), "did you mean --json?"},
        {READ("one", "--data_dir=x"), "did you mean --data-dir?"},
        {READ("one", "--quux"), "unknown flag --quux"},
        {READ("one", "-x"), "unknown flag -x"},
        {READ("one", "--db-host", "h"), "--db-host is not a flag of this subcommand"},
        {READ("one", "--db-pass", "h"), "unknown flag --db-pass"},
        {READ("one", "--port"), "--port needs a value"},
        {READ("one", "--port", "--json"), "--port needs a value"},
        {READ("one", "--limit"), "--limit needs a value"},
        {READ("one", "--json=yes"), "--json takes no value"},
        {READ("--json"), "expected FILE"},
        {READ("one", "two", "three"), "unexpected \"three\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(cases[i].result.code, DBK_INVALID);
        assert_non_null(strstr(cases[i].result.err.text, cases[i].message));
        assert_null(cases[i].result.arguments.operands);
    }
}

static void a_password_is_no_flag(void **state)
{
    (void)state;
    assert_int_equal(config_find_flag("--db-pass", 9), SETTING_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_operands_mix_in_any_order),
        cmocka_unit_test(one_that_may_come_again_keeps_all_its_values),
        cmocka_unit_test(a_boolean_setting_takes_no_next_word),
        cmocka_unit_test(two_dashes_end_the_flags),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(wrong_words_are_refused_with_what_was_meant),
        cmocka_unit_test(a_password_is_no_flag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
