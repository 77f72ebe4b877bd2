/* What is said of the civetweb that is loaded. */
#include "live.h"

static const char *version; /* that civetweb says it is */

const char *__wrap_mg_version(void);

const char *__wrap_mg_version(void)
{
    return version;
}

struct told {
    unsigned lines;
    char last[512];
};

static void hear(void *context, const char *line)
{
    struct told *told = context;

    told->lines++;
    snprintf(told->last, sizeof told->last, "%s", line);
}

static struct told told_at_start(const char *loaded)
{
    struct dbk_server_options options = live_options(NULL);
    struct told told = {0};
    struct live *live;

    version = loaded;
    options.report = hear;
    options.report_context = &told;
    live = live_start(&options, NULL, NULL);
    live_stop(live);
    return told;
}

static void those_it_was_tested_with_are_not_worth_a_word(void **state)
{
    (void)state;
    assert_int_equal(told_at_start("1.15").lines, 0);
    assert_int_equal(told_at_start("1.16").lines, 0);
}

static void another_is_named_once_with_what_to_run(void **state)
{
    static const char *const others[] = {"1.14", "1.17", "1.150", "2.0"};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct told told = told_at_start(others[i]);

        assert_int_equal(told.lines, 1);
        assert_non_null(strstr(told.last, others[i]));
        assert_non_null(strstr(told.last, "make test"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_it_was_tested_with_are_not_worth_a_word),
        cmocka_unit_test(another_is_named_once_with_what_to_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
