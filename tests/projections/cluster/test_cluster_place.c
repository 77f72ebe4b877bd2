/* Where a cluster and its socket lie; no cluster is started. */
#include "cluster_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct cluster_caller nobody = {0};
static const struct dbk_uuid store_id = {{1}};

/* Ourselves, whoever we are: nobody to become. */
static struct cluster_place *new_place(const char *dir)
{
    struct cluster_place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    snprintf(place->dir, sizeof place->dir, "%s", dir);
    place->user.uid = geteuid();
    place->user.gid = getegid();
    return place;
}

/* "/a/a/a...", so long. */
static char *long_path(size_t length)
{
    char *path = malloc(length + 1);

    assert_non_null(path);
    for (size_t i = 0; i < length; i++)
        path[i] = i % 2 ? 'a' : '/';
    path[length] = '\0';
    return path;
}

static void it_lies_in_the_data_directory(void **state)
{
    char dir[] = "/tmp/dbk-place-XXXXXX", expected[64];
    struct cluster_place *place = new_place("");
    struct dbk_error err;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(cluster_place_find(dir, &store_id, &nobody, place, &err), DBK_OK);
    assert_string_equal(place->base, dir);
    snprintf(expected, sizeof expected, "%s/postgres", dir);
    assert_string_equal(place->dir, expected);
    snprintf(expected, sizeof expected, "%s/postgres.log", dir);
    assert_string_equal(place->log, expected);
    assert_int_equal(rmdir(dir), 0);
    free(place);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    const size_t room = PATH_MAX - 1 - sizeof "/postgres.log" + 1;
    struct cluster_place *place = new_place("");

    (void)state;
    for (size_t over = 1; over < 10; over++) {
        char *path = long_path(room + over);
        struct dbk_error err;

        assert_int_equal(cluster_place_find(path, &store_id, &nobody, place, &err),
                         DBK_TOO_LARGE);
        assert_non_null(strstr(err.text, "too long"));
        assert_int_equal(cluster_place_find(path, &store_id, &nobody, place, NULL),
                         DBK_TOO_LARGE);
        free(path);
    }
    free(place);
}

static void a_short_path_holds_the_socket(void **state)
{
    char *longest = long_path(93);
    struct cluster_place *place = new_place(longest);

    (void)state;
    assert_int_equal(cluster_place_socket(place, "", NULL), DBK_OK);
    assert_string_equal(place->socket_dir, longest);
    assert_false(place->own_socket_dir);
    free(place);
    free(longest);
}

/* The socket's directory of a cluster here, which is removed again. */
static void assert_own_directory(const char *dir, const char *last, bool same)
{
    struct cluster_place *place = new_place(dir);
    struct dbk_error err;
    struct stat made;

    if (cluster_place_socket(place, last, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_true(place->own_socket_dir);
    assert_int_equal(strncmp(place->socket_dir, "/tmp/daybook-", 13), 0);
    assert_int_equal(!strcmp(place->socket_dir, last), same);
    assert_int_equal(stat(place->socket_dir, &made), 0);
    assert_int_equal(made.st_mode & 0777, 0700);
    assert_int_equal(rmdir(place->socket_dir), 0);
    free(place);
}

static void what_a_socket_cannot_be_named_has_it_elsewhere(void **state)
{
    char *path = long_path(94);

    (void)state;
    assert_own_directory(path, "", false); /* one more than there is room for */
    assert_own_directory("/srv/a,b/postgres", "", false);
    assert_own_directory("/srv/\"a\"/postgres", "", false);
    free(path);
}

static void the_one_of_the_last_time_is_taken_again(void **state)
{
    char last[] = "/tmp/daybook-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(last));
    assert_own_directory("/srv/a,b/postgres", last, true);
}

/* In a folder where everybody may write, somebody may have put something in its place. */
static void what_is_not_ours_is_not_taken_again(void **state)
{
    char last[] = "/tmp/daybook-XXXXXX", file[] = "/tmp/daybook-XXXXXX";
    char elsewhere[] = "/tmp/another-XXXXXX";
    int fd = mkstemp(file);

    (void)state;
    assert_non_null(mkdtemp(last));
    assert_non_null(mkdtemp(elsewhere));
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(chmod(last, 0750), 0); /* open to others */
    assert_own_directory("/srv/a,b/postgres", last, false);
    assert_int_equal(rmdir(last), 0); /* gone */
    assert_own_directory("/srv/a,b/postgres", last, false);
    assert_int_equal(symlink(elsewhere, last), 0);
    assert_own_directory("/srv/a,b/postgres", last, false);
    assert_own_directory("/srv/a,b/postgres", file, false);
    assert_own_directory("/srv/a,b/postgres", elsewhere, false);
    assert_own_directory("/srv/a,b/postgres", "/tmp/daybook-a/../x", false);
    assert_own_directory("/srv/a,b/postgres", "/tmp/daybook-12345678", false);
    assert_int_equal(unlink(last), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(elsewhere), 0);
}

static void keep_line(void *context, const char *line)
{
    snprintf(context, 64, "%s", line);
}

static void who_wants_to_be_told_is(void **state)
{
    char line[64] = "";
    const struct cluster_caller caller = {.line = keep_line, .context = line};

    (void)state;
    cluster_say(&nobody, "%d", 1);
    cluster_say(&caller, "made in %s", "/srv");
    assert_string_equal(line, "made in /srv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lies_in_the_data_directory),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(a_short_path_holds_the_socket),
        cmocka_unit_test(what_a_socket_cannot_be_named_has_it_elsewhere),
        cmocka_unit_test(the_one_of_the_last_time_is_taken_again),
        cmocka_unit_test(what_is_not_ours_is_not_taken_again),
        cmocka_unit_test(who_wants_to_be_told_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
