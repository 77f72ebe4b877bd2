#include "export_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
    char dir[64];
    char path[80], partial[96];
    struct export_output output;
    struct dbk_error err;
};

static int link_error; /* what link fails with; 0: it does its work */

int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);

int __wrap_link(const char *from, const char *to)
{
    if (link_error == 0)
        return __real_link(from, to);
    errno = link_error;
    return -1;
}

static const char *ends_from, *ends_to; /* an export that ends just before we lock */

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_flock(int fd, int operation)
{
    if (ends_from)
        assert_int_equal(rename(ends_from, ends_to), 0);
    ends_from = NULL;
    return __real_flock(fd, operation);
}

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->dir, sizeof place->dir, "/tmp/daybook-output-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/file", place->dir);
    snprintf(place->partial, sizeof place->partial, "%s.partial", place->path);
    link_error = 0;
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    assert_int_equal(rmdir(place->dir), 0); /* nothing else is left */
    free(place);
    return 0;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_non_null(fgets(got, sizeof got, file));
    fclose(file);
    assert_string_equal(got, text);
}

static void open_and_write(struct place *place, bool force)
{
    assert_int_equal(
        export_output_open(place->path, force, &place->output, &place->err), DBK_OK);
    assert_int_equal(write(place->output.fd, "export", 6), 6);
}

static void it_appears_under_its_name_when_it_is_whole(void **state)
{
    struct place *place = *state;

    open_and_write(place, false);
    assert_int_not_equal(access(place->path, F_OK), 0);
    assert_int_equal(export_output_keep(&place->output, &place->err), DBK_OK);
    assert_holds(place->path, "export");
}

static void what_came_meanwhile_is_kept(void **state)
{
    struct place *place = *state;

    open_and_write(place, false);
    put(place->path, "mine");
    assert_int_equal(export_output_keep(&place->output, &place->err), DBK_EXISTS);
    assert_holds(place->path, "mine");
}

static void a_file_system_without_links_will_do(void **state)
{
    struct place *place = *state;

    link_error = EPERM; /* what FAT says */
    open_and_write(place, false);
    assert_int_equal(export_output_keep(&place->output, &place->err), DBK_OK);
    assert_holds(place->path, "export");
}

static void without_links_too_what_came_meanwhile_is_kept(void **state)
{
    struct place *place = *state;

    link_error = EOPNOTSUPP;
    open_and_write(place, false);
    put(place->path, "mine");
    assert_int_equal(export_output_keep(&place->output, &place->err), DBK_EXISTS);
    assert_holds(place->path, "mine");
}

static void a_link_that_fails_is_told_and_leaves_nothing(void **state)
{
    struct place *place = *state;

    link_error = ENOSPC;
    open_and_write(place, false);
    assert_int_equal(export_output_keep(&place->output, &place->err), DBK_NO_ROOM);
    assert_int_not_equal(access(place->path, F_OK), 0);
}

static void with_force_it_is_replaced(void **state)
{
    struct place *place = *state;

    put(place->path, "old");
    open_and_write(place, true);
    assert_holds(place->path, "old");
    assert_int_equal(export_output_keep(&place->output, &place->err), DBK_OK);
    assert_holds(place->path, "export");
}

static void two_do_not_write_one_file(void **state)
{
    struct place *place = *state;
    struct export_output other;

    open_and_write(place, false);
    assert_int_equal(export_output_open(place->path, false, &other, &place->err),
                     DBK_CONFLICT);
    export_output_discard(&place->output);
    assert_int_not_equal(access(place->partial, F_OK), 0);
}

static void an_export_that_just_ended_is_not_emptied(void **state)
{
    struct place *place = *state;

    put(place->partial, "whole");
    ends_from = place->partial;
    ends_to = place->path;
    assert_int_equal(
        export_output_open(place->path, false, &place->output, &place->err),
        DBK_CONFLICT);
    assert_holds(place->path, "whole");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_PLACE(it_appears_under_its_name_when_it_is_whole),
        IN_PLACE(what_came_meanwhile_is_kept),
        IN_PLACE(a_file_system_without_links_will_do),
        IN_PLACE(without_links_too_what_came_meanwhile_is_kept),
        IN_PLACE(a_link_that_fails_is_told_and_leaves_nothing),
        IN_PLACE(with_force_it_is_replaced),
        IN_PLACE(two_do_not_write_one_file),
        IN_PLACE(an_export_that_just_ended_is_not_emptied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
