#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL_GROUPS 31U

struct place {
    char dotenv[64];
    struct config_sources sources;
    struct config *config;
    struct dbk_error err;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    int fd;

    for (int i = 0; i < SETTING_COUNT; i++)
        unsetenv(config_table[i].name);
    snprintf(place->dotenv, sizeof place->dotenv, "/tmp/daybook-config-XXXXXX");
    fd = mkstemp(place->dotenv);
    assert_true(fd >= 0);
    close(fd);
    place->sources.dotenv_path = place->dotenv;
    place->sources.groups = ALL_GROUPS;
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    config_destroy(place->config);
    unlink(place->dotenv);
    free(place);
    return 0;
}

static void write_dotenv(const struct place *place, const char *text)
{
    FILE *file = fopen(place->dotenv, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static enum dbk_code load(struct place *place)
{
    config_destroy(place->config);
    return config_load(&place->sources, &place->config, &place->err);
}

/* One value, given as a flag. */
static enum dbk_code load_flag(struct place *place, enum setting setting,
                               const char *value)
{
    enum dbk_code code;

    place->sources.flags[setting] = value;
    code = load(place);
    place->sources.flags[setting] = NULL;
    return code;
}

static void defaults_are_allowed_and_private(void **state)
{
    struct place *place = *state;
    struct dbk_database database;

    assert_int_equal(load(place), DBK_OK);
    assert_string_equal(config_text(place->config, SETTING_DATA_DIR), "./data");
    assert_string_equal(config_text(place->config, SETTING_HOST), "127.0.0.1");
    assert_int_equal(config_number(place->config, SETTING_PORT), 8080);
    assert_int_equal(config_number(place->config, SETTING_BODY_MAX), 1048576);
    assert_int_equal(config_number(place->config, SETTING_READ_WAIT), 5000);
    assert_null(config_list(place->config, SETTING_EVENT_TYPES));
    assert_false(config_error_details(place->config));
    assert_false(config_database(place->config, &database));
    assert_string_equal(config_origin(place->config, SETTING_PORT), "the default");
}

/* The names of the enum are made of the table's. */
static void each_setting_has_its_entry(void **state)
{
    (void)state;
    assert_string_equal(config_table[SETTING_DATA_DIR].name, "DATA_DIR");
    assert_string_equal(config_table[SETTING_PORT].name, "PORT");
    assert_string_equal(config_table[SETTING_DB_PASS].name, "DB_PASS");
}

static void flags_go_before_environment_before_dotenv(void **state)
{
    struct place *place = *state;

    write_dotenv(place, "\nPORT=1001\nDB_NAME=\"file\"\nDB_USER=file\n");
    setenv("PORT", "1002", 1);
    setenv("DB_NAME", "environment", 1);
    assert_int_equal(load_flag(place, SETTING_PORT, "1003"), DBK_OK);
    assert_int_equal(config_number(place->config, SETTING_PORT), 1003);
    assert_string_equal(config_origin(place->config, SETTING_PORT), "--port");
    assert_string_equal(config_text(place->config, SETTING_DB_NAME), "environment");
    assert_string_equal(config_origin(place->config, SETTING_DB_NAME),
                        "the environment");
    assert_string_equal(config_text(place->config, SETTING_DB_USER), "file");
    assert_string_equal(config_origin(place->config, SETTING_DB_USER), ".env line 4");
}

static void a_name_that_is_none_is_told(void **state)
{
    struct place *place = *state;

    write_dotenv(place, "PORTS=1\nOTHER_PORT=1\nDB_NAME_TEST=1\nREAD_HOSTS=\n");
    assert_int_equal(load(place), DBK_OK);
    assert_string_equal(config_mistyped(place->config), "");
    setenv("READ_HOST", "db2", 1);
    assert_int_equal(load(place), DBK_OK);
    assert_string_equal(
        config_mistyped(place->config),
        "READ_HOST from the environment is no setting; did you mean READ_HOSTS?");
    unsetenv("READ_HOST");
    write_dotenv(place, "DB_NAME=a\nDB_PASSWORD=secret\n");
    assert_int_equal(load(place), DBK_OK);
    assert_string_equal(
        config_mistyped(place->config),
        "DB_PASSWORD from .env line 2 is no setting; did you mean DB_PASS?");
}

static void an_empty_value_is_a_value(void **state)
{
    struct place *place = *state;
    struct dbk_database database;

    write_dotenv(place, "DB_HOST=localhost\n");
    assert_int_equal(load(place), DBK_OK);
    assert_true(config_database(place->config, &database));
    setenv("DB_HOST", "", 1);
    assert_int_equal(load(place), DBK_OK);
    assert_false(config_database(place->config, &database));
    setenv("PORT", "", 1);
    assert_int_equal(load(place), DBK_INVALID);
}

static void settings_of_other_groups_are_not_read(void **state)
{
    struct place *place = *state;

    setenv("PORT", "nonsense", 1);
    assert_int_equal(load(place), DBK_INVALID);
    place->sources.groups = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE;
    assert_int_equal(load(place), DBK_OK);
    assert_int_equal(config_number(place->config, SETTING_PORT), 8080);
}

static void a_refusal_names_setting_origin_and_bounds(void **state)
{
    struct place *place = *state;

    write_dotenv(place, "# first\nDB_PORT=99999\n");
    assert_int_equal(load(place), DBK_INVALID);
    assert_string_equal(place->err.text,
                        "DB_PORT from .env line 2 is \"99999\": a port "
                        "number from 1 to 65535 is allowed");
    write_dotenv(place, "");
    assert_int_equal(load_flag(place, SETTING_LOG_LEVEL, "loud"), DBK_INVALID);
    assert_string_equal(place->err.text,
                        "LOG_LEVEL from --log-level is \"loud\": allowed "
                        "are error, warn, info, debug");
}

static void a_secret_is_never_told(void **state)
{
    struct place *place = *state;
    char *password = malloc(2000);

    memset(password, 'x', 1999);
    password[1999] = '\0';
    setenv("DB_PASS", password, 1);
    assert_int_equal(load(place), DBK_INVALID);
    assert_null(strstr(place->err.text, "xxx"));
    assert_non_null(strstr(place->err.text, "DB_PASS from the environment"));
    assert_null(config_table[SETTING_DB_PASS].flag);
    free(password);
}

static void numbers_are_strict(void **state)
{
    static const char *const bad[] = {"",
                                      " 80",
                                      "80 ",
                                      "+80",
                                      "-1",
                                      "0x50",
                                      "8e1",
                                      "80.0",
                                      "65536",
                                      "8080,8081",
                                      "٨٠",
                                      "99999999999999999999",
                                      "127.0.0.1:80"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(load_flag(*state, SETTING_PORT, bad[i]), DBK_INVALID);
    assert_int_equal(load_flag(*state, SETTING_PORT, "0"), DBK_OK);
    assert_int_equal(load_flag(*state, SETTING_DB_PORT, "0"), DBK_INVALID);
    assert_int_equal(load_flag(*state, SETTING_BATCH_ITEMS_MAX, "0"), DBK_INVALID);
}

static void a_tls_port_is_told_about_the_proxy(void **state)
{
    struct place *place = *state;

    assert_int_equal(load_flag(place, SETTING_PORT, "443s"), DBK_INVALID);
    assert_non_null(strstr(place->err.text, "TLS is the part of a proxy"));
}

static void a_proxy_is_a_numeric_address_or_none(void **state)
{
    struct place *place = *state;

    assert_int_equal(load_flag(place, SETTING_TRUSTED_PROXY, ""), DBK_OK);
    assert_int_equal(load_flag(place, SETTING_TRUSTED_PROXY, "10.0.0.1"), DBK_OK);
    assert_string_equal(config_text(place->config, SETTING_TRUSTED_PROXY), "10.0.0.1");
    assert_int_equal(load_flag(place, SETTING_TRUSTED_PROXY, "10.0.0.1,10.0.0.22"),
                     DBK_OK);
    static const char *const bad[] = {"localhost",  "10.0.0.1,",          ",10.0.0.1",
                                      "10.0.0.1,x", "10.0.0.1, 10.0.0.2", ","};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(load_flag(place, SETTING_TRUSTED_PROXY, bad[i]), DBK_INVALID);
        assert_non_null(strstr(place->err.text, "numeric IPv4 addresses"));
    }
}

static void only_a_numeric_address_is_listened_on(void **state)
{
    static const char *const good[] = {"127.0.0.1", "127.9.9.9", "0.0.0.0",
                                       "192.168.1.1"};
    static const char *const bad[] = {"::",          "::1", "*",     "",
                                      "example.org", "127", "127.1", "1127.0.0.1"};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(load_flag(place, SETTING_HOST, good[i]), DBK_OK);
        assert_string_equal(config_text(place->config, SETTING_HOST), good[i]);
    }
    assert_int_equal(load_flag(place, SETTING_HOST, "localhost"), DBK_OK);
    assert_string_equal(config_text(place->config, SETTING_HOST), "127.0.0.1");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(load_flag(place, SETTING_HOST, bad[i]), DBK_INVALID);
        assert_non_null(strstr(place->err.text, "numeric IPv4 address"));
    }
}

static void sizes_take_units(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes; /* 0: refused */
    } cases[] = {
        {"2048", 2048},
        {"2k", 2048},
        {"2 KiB", 2048},
        {"1MiB", 1048576},
        {"1 GB", 1073741824},
        {"1025", 1025},
        {"1023", 0},
        {"2 GiB", 0},
        {"1048577K", 0},
        {"1  MiB", 0},
        {"1.5M", 0},
        {"1MiBs", 0},
        {"9223372036854775807G", 0},
        {"MiB", 0},
        {"", 0},
        {"-1K", 0},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum dbk_code code = load_flag(place, SETTING_BODY_MAX, cases[i].text);

        assert_int_equal(code, cases[i].bytes ? DBK_OK : DBK_INVALID);
        if (cases[i].bytes)
            assert_int_equal(config_number(place->config, SETTING_BODY_MAX),
                             cases[i].bytes);
    }
}

static void seconds_are_kept_in_milliseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t milliseconds; /* -1: refused */
    } cases[] = {{"5", 5000},   {"0.25", 250},  {"0", 0},       {"0.001", 1},
                 {"60", 60000}, {"60.001", -1}, {"0.0001", -1}, {"1.", -1},
                 {".5", -1},    {"5s", -1},     {"-1", -1},     {"99999999999999", -1}};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum dbk_code code = load_flag(place, SETTING_READ_WAIT, cases[i].text);

        assert_int_equal(code, cases[i].milliseconds < 0 ? DBK_INVALID : DBK_OK);
        if (code == DBK_OK)
            assert_int_equal(config_number(place->config, SETTING_READ_WAIT),
                             cases[i].milliseconds);
    }
}

static void an_age_of_events_is_in_days(void **state)
{
    static const struct {
        const char *text;
        int64_t days; /* -1: refused */
    } cases[] = {{"events:off", 0},  {"events:400d", 400},
                 {"events:31d", 31}, {"events:30d", -1},
                 {"events:0d", -1},  {"events:36501d", -1},
                 {"events:400", -1}, {"events:13m", -1},
                 {"events:", -1},    {"persons:40d", -1},
                 {"400d", -1},       {"off", -1},
                 {"", -1},           {"events:400d,", -1}};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum dbk_code code = load_flag(place, SETTING_RETENTION, cases[i].text);

        assert_int_equal(code, cases[i].days < 0 ? DBK_INVALID : DBK_OK);
        if (code == DBK_OK)
            assert_int_equal(config_number(place->config, SETTING_RETENTION),
                             cases[i].days);
        else
            assert_non_null(strstr(place->err.text, "as in events:400d"));
    }
}

static void lists_are_cut_at_commas(void **state)
{
    static const char *const bad[] = {",",    "a,",        "a,,b", "a\tb",
                                      "\x7F", "a\xC2\x85", "\xFF"};
    struct place *place = *state;
    const char *const *list;

    assert_int_equal(
        load_flag(place, SETTING_EVENT_TYPES, "click, Order Completed ,$päge;1"),
        DBK_OK);
    list = config_list(place->config, SETTING_EVENT_TYPES);
    assert_string_equal(list[0], "click");
    assert_string_equal(list[1], "Order Completed");
    assert_string_equal(list[2], "$päge;1");
    assert_null(list[3]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(load_flag(place, SETTING_EVENT_TYPES, bad[i]), DBK_INVALID);
}

static void origins_are_taken_as_browsers_write_them(void **state)
{
    static const char *const bad[] = {"*",
                                      "null",
                                      "shop.example.org",
                                      "https://",
                                      "https://shop.example.org/",
                                      "http://a:",
                                      "ftp://a",
                                      "https://Shop.example.org",
                                      "https://*.example.org",
                                      "https://a:443",
                                      "http://a:80",
                                      "http://a:080",
                                      "http://a:123456",
                                      "http://a b",
                                      "http://a,",
                                      "http://u@a",
                                      "http://a:1\r\nX: y"};
    struct place *place = *state;
    const char *const *list;

    assert_int_equal(load(place), DBK_OK);
    assert_null(config_list(place->config, SETTING_CORS_ORIGINS));
    assert_int_equal(load_flag(place, SETTING_CORS_ORIGINS,
                               "https://shop.example.org, http://localhost:3000"),
                     DBK_OK);
    list = config_list(place->config, SETTING_CORS_ORIGINS);
    assert_string_equal(list[0], "https://shop.example.org");
    assert_string_equal(list[1], "http://localhost:3000");
    assert_null(list[2]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(load_flag(place, SETTING_CORS_ORIGINS, bad[i]), DBK_INVALID);
}

static void error_details_are_shown_only_where_local(void **state)
{
    struct place *place = *state;

    setenv("SHOW_ERROR_DETAILS", "true", 1);
    assert_int_equal(load(place), DBK_OK);
    assert_true(config_error_details(place->config));
    setenv("ENVIRONMENT", "production", 1);
    assert_int_equal(load(place), DBK_OK);
    assert_false(config_error_details(place->config));
    setenv("SHOW_ERROR_DETAILS", "maybe", 1);
    assert_int_equal(load(place), DBK_INVALID);
}

static void what_libpq_reads_may_be_in_dotenv(void **state)
{
    struct place *place = *state;

    unsetenv("PGSSLMODE");
    setenv("PGKRBSRVNAME", "environment", 1);
    write_dotenv(place, "PGSSLMODE=prefer\nPGKRBSRVNAME=file\nPGSSLMODE='require'\n");
    place->sources.groups = CONFIG_GROUP_DATA;
    assert_int_equal(load(place), DBK_OK);
    assert_null(getenv("PGSSLMODE"));
    place->sources.groups = ALL_GROUPS;
    assert_int_equal(load(place), DBK_OK);
    assert_string_equal(getenv("PGSSLMODE"), "require");
    assert_string_equal(getenv("PGKRBSRVNAME"), "environment");
    unsetenv("PGSSLMODE");
    unsetenv("PGKRBSRVNAME");
}

static void a_broken_dotenv_is_refused(void **state)
{
    struct place *place = *state;

    write_dotenv(place, "PORT=1\nDB_PASS=\"x\n");
    assert_int_equal(load(place), DBK_INVALID);
    assert_non_null(strstr(place->err.text, "line 2"));
    assert_null(place->config);
}

/* Brokers are named as librdkafka takes them, and nothing else is. */
static void brokers_are_named_by_host_and_port(void **state)
{
    static const char *const right[] = {"k1:9092", "k1.example.org:9092,10.0.0.2:9093",
                                        "[::1]:9092"};
    static const char *const wrong[] = {
        "k1",       ":9092",   "k1:",      "k1:9092,",        "k1:0",       "k1:65536",
        "k1:9092 ", "k1:9o92", "::1:9092", "kafka://k1:9092", "k1:9092,k2", "k1: 9092"};
    struct place *place = *state;

    place->sources.groups = CONFIG_GROUP_CLUSTER;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_int_equal(load_flag(place, SETTING_CLUSTER_BROKERS, right[i]), DBK_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (load_flag(place, SETTING_CLUSTER_BROKERS, wrong[i]) != DBK_INVALID)
            fail_msg("\"%s\" was taken", wrong[i]);
        assert_non_null(strstr(place->err.text, "--cluster-brokers"));
    }
}

/* Clients are told it, and put a path behind it. */
static void a_machine_of_several_says_where_it_is(void **state)
{
    static const char *const wrong[] = {"db1.example.org", "https://db1.example.org/",
                                        "https://DB1.example.org", "ftp://db1",
                                        "https://u:secret@db1.example.org"};
    struct place *place = *state;

    setenv("CLUSTER_BROKERS", "k1:9092", 1);
    assert_int_equal(load(place), DBK_INVALID);
    assert_non_null(strstr(place->err.text, "CLUSTER_URL"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (load_flag(place, SETTING_CLUSTER_URL, wrong[i]) != DBK_INVALID)
            fail_msg("\"%s\" was taken", wrong[i]);
        assert_null(strstr(place->err.text, "secret"));
    }
    assert_int_equal(load_flag(place, SETTING_CLUSTER_URL, "https://db1.example.org"),
                     DBK_OK);
    assert_int_equal(load_flag(place, SETTING_CLUSTER_URL, "http://10.0.0.1:8080"),
                     DBK_OK);
    /* Those that only look need none. */
    place->sources.groups = CONFIG_GROUP_DATA | CONFIG_GROUP_CLUSTER;
    assert_int_equal(load(place), DBK_OK);
    unsetenv("CLUSTER_BROKERS");
}

static void names_of_machines_and_topics_are_plain(void **state)
{
    struct place *place = *state;

    assert_int_equal(load_flag(place, SETTING_CLUSTER_NODE, "db-1.a_b"), DBK_OK);
    assert_int_equal(load_flag(place, SETTING_CLUSTER_NODE, "db 1"), DBK_INVALID);
    assert_int_equal(load_flag(place, SETTING_CLUSTER_NODE, "d\"b"), DBK_INVALID);
    assert_int_equal(load_flag(place, SETTING_CLUSTER_TOPIC, ".."), DBK_INVALID);
    assert_int_equal(load_flag(place, SETTING_CLUSTER_TOPIC, "a/b"), DBK_INVALID);
    assert_int_equal(load_flag(place, SETTING_CLUSTER_FORWARD, "true"), DBK_INVALID);
    assert_non_null(strstr(place->err.text, "CLUSTER_BROKERS"));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(defaults_are_allowed_and_private),
        cmocka_unit_test(each_setting_has_its_entry),
        IN_PLACE(brokers_are_named_by_host_and_port),
        IN_PLACE(a_machine_of_several_says_where_it_is),
        IN_PLACE(names_of_machines_and_topics_are_plain),
        IN_PLACE(flags_go_before_environment_before_dotenv),
        IN_PLACE(a_name_that_is_none_is_told),
        IN_PLACE(an_empty_value_is_a_value),
        IN_PLACE(settings_of_other_groups_are_not_read),
        IN_PLACE(a_refusal_names_setting_origin_and_bounds),
        IN_PLACE(a_secret_is_never_told),
        IN_PLACE(numbers_are_strict),
        IN_PLACE(a_tls_port_is_told_about_the_proxy),
        IN_PLACE(a_proxy_is_a_numeric_address_or_none),
        IN_PLACE(only_a_numeric_address_is_listened_on),
        IN_PLACE(sizes_take_units),
        IN_PLACE(seconds_are_kept_in_milliseconds),
        IN_PLACE(an_age_of_events_is_in_days),
        IN_PLACE(lists_are_cut_at_commas),
        IN_PLACE(origins_are_taken_as_browsers_write_them),
        IN_PLACE(error_details_are_shown_only_where_local),
        IN_PLACE(what_libpq_reads_may_be_in_dotenv),
        IN_PLACE(a_broken_dotenv_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
