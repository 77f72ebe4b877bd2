/* The documents tell what the table of settings has, and the table has what they tell. */
#include "config.h"
#include "dotenv.h"
#include "help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 18);

    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
    fclose(file);
    return text;
}

/* A setting as the table of docs/settings.md must have it. */
static void page_row(const struct config_entry *entry, char *row, size_t size)
{
    char flag[64] = "-", fallback[64] = "-", choices[64] = "";

    if (entry->flag)
        snprintf(flag, sizeof flag, "`%s`", entry->flag);
    if (*entry->fallback)
        snprintf(fallback, sizeof fallback, "`%s`", entry->fallback);
    if (entry->choices)
        snprintf(choices, sizeof choices, " (%s)", entry->choices);
    snprintf(row, size, "| `%s` | %s | %s | %s%s |\n", entry->name, flag, fallback,
             entry->help, choices);
}

static void the_page_has_each_setting_as_the_table_does(void **state)
{
    char *page = read_file(SOURCE_DIR "/docs/settings.md");
    int missing = 0;

    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        char row[512];

        page_row(&config_table[i], row, sizeof row);
        if (!strstr(page, row)) {
            print_error("docs/settings.md lacks: %s", row);
            missing++;
        }
    }
    free(page);
    assert_int_equal(missing, 0);
}

static void the_page_has_no_setting_that_is_none(void **state)
{
    char *page = read_file(SOURCE_DIR "/docs/settings.md");
    const char *table = strstr(page, "| Setting |"), *row = table;
    int rows = 0;

    (void)state;
    assert_non_null(table);
    while ((row = strstr(row, "\n| `")) && row[4] >= 'A' && row[4] <= 'Z') {
        rows++;
        row += 4;
    }
    free(page);
    assert_int_equal(rows, SETTING_COUNT);
}

static bool seeds(enum setting setting)
{
    return setting == SETTING_ENVIRONMENT || setting == SETTING_SHOW_ERROR_DETAILS ||
           setting == SETTING_DB_HOST || setting == SETTING_DB_PORT ||
           setting == SETTING_DB_NAME || setting == SETTING_DB_USER ||
           setting == SETTING_DB_PASS;
}

static void the_sample_has_the_seeds_values(void **state)
{
    struct config_sources sources = {.dotenv_path = SOURCE_DIR "/.env.sample",
                                     .groups = 31};
    struct config *config;
    struct dbk_error err;

    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++)
        unsetenv(config_table[i].name);
    assert_int_equal(config_load(&sources, &config, &err), DBK_OK);
    assert_string_equal(config_text(config, SETTING_DB_HOST), "localhost");
    assert_string_equal(config_text(config, SETTING_DB_NAME), "postgres");
    assert_string_equal(config_text(config, SETTING_DB_PASS), "password");
    assert_int_equal(config_number(config, SETTING_DB_PORT), 6543);
    assert_string_equal(config_text(config, SETTING_DB_USER), "dev");
    assert_string_equal(config_text(config, SETTING_ENVIRONMENT), "local");
    assert_false(config_boolean(config, SETTING_SHOW_ERROR_DETAILS));
    config_destroy(config);
}

/* So that a shell can read it, too. */
static const char *quote_of(const char *value)
{
    return strchr(value, ' ') ? "'" : "";
}

static void the_sample_shows_every_other_setting_with_its_default(void **state)
{
    char *sample = read_file(SOURCE_DIR "/.env.sample");

    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *value = config_table[i].fallback, *quote = quote_of(value);
        char line[128];

        snprintf(line, sizeof line, "\n# %s=%s%s%s\n", config_table[i].name, quote,
                 value, quote);
        if (!strstr(sample, line) && !seeds((enum setting)i)) {
            print_error(".env.sample lacks:%s", line);
            fail();
        }
    }
    free(sample);
}

static int find_name(const char *name)
{
    int i = 0;

    while (i < SETTING_COUNT && strcmp(config_table[i].name, name) != 0)
        i++;
    return i;
}

static void the_sample_names_only_settings(void **state)
{
    struct dotenv dotenv;
    struct dbk_error err;

    (void)state;
    assert_int_equal(dotenv_read(SOURCE_DIR "/.env.sample", &dotenv, &err), DBK_OK);
    for (size_t i = 0; i < dotenv.count; i++)
        assert_true(find_name(dotenv.entries[i].name) < SETTING_COUNT);
    assert_int_equal(dotenv.count, 7);
    dotenv_finish(&dotenv);
}

static void help_shows_each_setting_of_its_subcommand_and_no_other(void **state)
{
    static const struct command sample = {
        .name = "sample",
        .operands = "",
        .details = "Details.\n",
        .example = "  daybook sample\n",
        .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE,
        .options = {{"--json", NULL, "Print JSON"}},
    };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    help_command(out, &sample);
    fclose(out);
    assert_non_null(strstr(text, "--json"));
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct config_entry *entry = &config_table[i];
        bool expected = (entry->group & sample.settings) != 0;

        assert_int_equal(strstr(text, entry->help) != NULL, expected);
        if (entry->flag)
            assert_int_equal(strstr(text, entry->flag) != NULL, expected);
    }
    free(text);
}

static void every_default_is_allowed(void **state)
{
    struct config_sources sources = {.groups = 0};
    struct config *config;
    struct dbk_error err;

    (void)state;
    assert_int_equal(config_load(&sources, &config, &err), DBK_OK);
    config_destroy(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_each_setting_as_the_table_does),
        cmocka_unit_test(the_page_has_no_setting_that_is_none),
        cmocka_unit_test(the_sample_has_the_seeds_values),
        cmocka_unit_test(the_sample_shows_every_other_setting_with_its_default),
        cmocka_unit_test(the_sample_names_only_settings),
        cmocka_unit_test(help_shows_each_setting_of_its_subcommand_and_no_other),
        cmocka_unit_test(every_default_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
