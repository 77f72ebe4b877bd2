/* The files of a new migration. */
#include "projections/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct dbk_error err;

static int make_dir(void **state)
{
    char *dir = strdup("/tmp/daybook-test-new-XXXXXX");

    *state = dir;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[100];

    snprintf(command, sizeof command, "rm -r %s", (const char *)*state);
    free(*state);
    return system(command);
}

static bool exists(const char *dir, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void assert_new(const char *dir, const char *description, const char *stem)
{
    char path[300], expected[300];

    assert_int_equal(dbk_migrate_new(dir, description, path, sizeof path, &err),
                     DBK_OK);
    snprintf(expected, sizeof expected, "%s/%s.up.sql", dir, stem);
    assert_string_equal(path, expected);
    snprintf(expected, sizeof expected, "%s.up.sql", stem);
    assert_true(exists(dir, expected));
    snprintf(expected, sizeof expected, "%s.down.sql", stem);
    assert_true(exists(dir, expected));
}

static void numbers_go_up_by_one(void **state)
{
    assert_new(*state, "add country", "0001_add_country");
    assert_new(*state, "add country", "0002_add_country");
}

static void the_next_number_follows_the_highest(void **state)
{
    char path[300];

    snprintf(path, sizeof path, "%s/0041_old.down.sql", (const char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/9000-notes.txt", (const char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_new(*state, "x", "0042_x");
}

static void any_description_becomes_a_plain_file_name(void **state)
{
    assert_new(*state, "  ../../Drop `TABLE`; \"Köln\" 7!\n", "0001_drop_table_k_ln_7");
    assert_new(
        *state,
        "a description that goes on and on and on until it is cut at sixty letters",
        "0002_a_description_that_goes_on_and_on_and_on_until_it_is_cut_at");
}

static void a_description_without_letters_is_refused(void **state)
{
    char path[300];

    assert_int_equal(dbk_migrate_new(*state, "?!", path, sizeof path, &err),
                     DBK_INVALID);
    assert_int_equal(dbk_migrate_new(*state, "", path, sizeof path, &err), DBK_INVALID);
}

static void the_last_number_and_a_long_path_are_refused(void **state)
{
    char path[300];

    assert_int_equal(dbk_migrate_new(*state, "x", path, 20, &err), DBK_INVALID);
    snprintf(path, sizeof path, "%s/9999_last.up.sql", (const char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(dbk_migrate_new(*state, "x", path, sizeof path, &err),
                     DBK_INVALID);
}

static void a_directory_that_is_missing_is_named(void **state)
{
    char path[300];

    (void)state;
    assert_int_equal(dbk_migrate_new("/nonexistent", "x", path, sizeof path, &err),
                     DBK_IO);
    assert_non_null(strstr(err.text, "/nonexistent"));
}

#define IN_DIR(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(numbers_go_up_by_one),
        IN_DIR(the_next_number_follows_the_highest),
        IN_DIR(any_description_becomes_a_plain_file_name),
        IN_DIR(a_description_without_letters_is_refused),
        IN_DIR(the_last_number_and_a_long_path_are_refused),
        cmocka_unit_test(a_directory_that_is_missing_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
