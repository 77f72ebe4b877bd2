/* Where settings come from, and what is told of a wrong one. */
#include "config_place.h"

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

static void write_dotenv(const struct place *place, const char *text)
{
    FILE *file = fopen(place->dotenv, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
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

static void a_tls_port_is_told_about_the_proxy(void **state)
{
    struct place *place = *state;

    assert_int_equal(load_flag(place, SETTING_PORT, "443s"), DBK_INVALID);
    assert_non_null(strstr(place->err.text, "TLS is the part of a proxy"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(defaults_are_allowed_and_private),
        cmocka_unit_test(each_setting_has_its_entry),
        IN_PLACE(a_machine_of_several_says_where_it_is),
        IN_PLACE(flags_go_before_environment_before_dotenv),
        IN_PLACE(a_name_that_is_none_is_told),
        IN_PLACE(an_empty_value_is_a_value),
        IN_PLACE(settings_of_other_groups_are_not_read),
        IN_PLACE(a_refusal_names_setting_origin_and_bounds),
        IN_PLACE(a_secret_is_never_told),
        IN_PLACE(a_tls_port_is_told_about_the_proxy),
        IN_PLACE(error_details_are_shown_only_where_local),
        IN_PLACE(what_libpq_reads_may_be_in_dotenv),
        IN_PLACE(a_broken_dotenv_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
