/* What is said of the civetweb that is loaded. */
#include "civetweb_settings.h"
#include "live.h"

#include <sys/resource.h>

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

/* Streams that must leave, and take their time, have files as well as those that came in
 * their place. */
static void files_are_left_for_all_streams_there_may_be(void **state)
{
    struct dbk_server_options options = live_options(NULL);
    struct rlimit before, files;
    struct told told = {0};
    unsigned streams;

    (void)state;
    version = "1.15";
    options.streams_max = 20;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    files = before;
    files.rlim_cur = 300;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(civetweb_settings_streams(&options), 20);
    assert_true(civetweb_settings_queue(&options) + options.threads + 2 * 20 < 300);
    options.streams_max = 4096; /* more than there may be files */
    options.report = hear;
    options.report_context = &told;
    civetweb_settings_check(&options);
    assert_int_equal(told.lines, 1);
    assert_non_null(strstr(told.last, "STREAMS_MAX (4096)"));
    assert_non_null(strstr(told.last, "ulimit -n"));
    assert_in_range(civetweb_settings_streams(&options), 20, 4095);
    assert_true(civetweb_settings_queue(&options) + options.threads +
                    2 * civetweb_settings_streams(&options) <
                300);
    streams = civetweb_settings_streams(&options);
    options.database_connections = 20; /* of replicas, say */
    assert_true(civetweb_settings_streams(&options) < streams);
    assert_true(civetweb_settings_queue(&options) + options.threads +
                    2 * civetweb_settings_streams(&options) + 2 * 20 <
                300);
    options.threads = 300;
    assert_int_equal(civetweb_settings_streams(&options), 0);
    assert_int_equal(civetweb_settings_queue(&options), 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_it_was_tested_with_are_not_worth_a_word),
        cmocka_unit_test(another_is_named_once_with_what_to_run),
        cmocka_unit_test(files_are_left_for_all_streams_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
