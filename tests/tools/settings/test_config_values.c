/* What each kind of value may be. */
#include "config_place.h"

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

static void a_month_is_its_first_moment(void **state)
{
    static const char *const bad[] = {"2026",       "2026-13", "2026-1",
                                      "2026-01-01", "events",  " "};
    struct place *place = *state;

    assert_int_equal(load_flag(place, SETTING_RETENTION_AGREED, "1970-02"), DBK_OK);
    assert_int_equal(config_number(place->config, SETTING_RETENTION_AGREED),
                     INT64_C(31) * 86400 * 1000000);
    assert_int_equal(load_flag(place, SETTING_RETENTION_AGREED, ""), DBK_OK);
    assert_int_equal(config_number(place->config, SETTING_RETENTION_AGREED), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(load_flag(place, SETTING_RETENTION_AGREED, bad[i]),
                         DBK_INVALID);
        assert_non_null(strstr(place->err.text, "as 2026-01"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(brokers_are_named_by_host_and_port),
        IN_PLACE(names_of_machines_and_topics_are_plain),
        IN_PLACE(numbers_are_strict),
        IN_PLACE(a_proxy_is_a_numeric_address_or_none),
        IN_PLACE(only_a_numeric_address_is_listened_on),
        IN_PLACE(sizes_take_units),
        IN_PLACE(seconds_are_kept_in_milliseconds),
        IN_PLACE(an_age_of_events_is_in_days),
        IN_PLACE(a_month_is_its_first_moment),
        IN_PLACE(lists_are_cut_at_commas),
        IN_PLACE(origins_are_taken_as_browsers_write_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
