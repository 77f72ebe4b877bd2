/* Which PostgreSQL is found: in PATH, else where Debian has it. */
#include "cluster_programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/dbk-programs-XXXXXX";
static struct dbk_error err;

static void write_program(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", text);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static void remove_program(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void set_path(const char *before, const char *behind)
{
    char path[256];

    snprintf(path, sizeof path, "%s%s%s", before, folder, behind);
    assert_int_equal(setenv("PATH", path, 1), 0);
}

static bool is_ours(const struct cluster_programs *programs)
{
    return strncmp(programs->postgres, folder, strlen(folder)) == 0;
}

/* Asked which version it is, such a program says so. */
static int version_of(const char *answer)
{
    struct cluster_programs programs;

    write_program("postgres", answer);
    write_program("initdb", "exit 0");
    set_path("relative:/nowhere:", ":/usr/bin:/bin");
    assert_int_equal(cluster_programs_find(0, &programs, &err), DBK_OK);
    assert_true(is_ours(&programs));
    return programs.major;
}

static void the_first_in_path_is_taken_and_asked_its_version(void **state)
{
    (void)state;
    assert_int_equal(version_of("echo 'postgres (PostgreSQL) 21.3 (Debian)'"), 21);
    assert_int_equal(version_of("echo 'postgres (PostgreSQL) 22devel'"), 22);
}

static void a_version_that_is_not_told_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(version_of("exit 1"), 0);
    assert_int_equal(version_of("echo 'what?'"), 0);
}

static void half_of_the_programs_is_none(void **state)
{
    struct cluster_programs programs;

    (void)state;
    write_program("postgres", "exit 0");
    remove_program("initdb");
    set_path("", "");
    assert_int_equal(cluster_programs_find(0, &programs, &err), DBK_OK);
    assert_false(is_ours(&programs)); /* but Debian's */
}

static void without_a_path_it_is_debian_s_newest(void **state)
{
    struct cluster_programs newest, same;

    (void)state;
    assert_int_equal(unsetenv("PATH"), 0);
    assert_int_equal(cluster_programs_find(0, &newest, &err), DBK_OK);
    assert_true(newest.major > 0);
    assert_int_equal(access(newest.initdb, X_OK), 0);
    set_path("", "");
    assert_int_equal(cluster_programs_find(newest.major, &same, &err), DBK_OK);
    assert_string_equal(same.postgres, newest.postgres);
}

static void a_version_that_is_not_there_is_replaced_by_what_is(void **state)
{
    struct cluster_programs programs;

    (void)state;
    assert_int_equal(version_of("echo 'postgres (PostgreSQL) 21.3'"), 21);
    assert_int_equal(cluster_programs_find(99, &programs, &err), DBK_OK);
    assert_true(is_ours(&programs));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    remove_program("postgres");
    remove_program("initdb");
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_in_path_is_taken_and_asked_its_version),
        cmocka_unit_test(a_version_that_is_not_told_is_unknown),
        cmocka_unit_test(half_of_the_programs_is_none),
        cmocka_unit_test(without_a_path_it_is_debian_s_newest),
        cmocka_unit_test(a_version_that_is_not_there_is_replaced_by_what_is),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder) != 0;
}
