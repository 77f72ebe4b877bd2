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

static const struct dbk_uuid store_id = {{1}};

#define OWN_SOCKET_DIR "/tmp/daybook-01000000-0000-0000-0000-000000000000"

static struct cluster_place *find(const char *data_dir)
{
    struct cluster_place *place = calloc(1, sizeof *place);
    struct dbk_error err;

    assert_non_null(place);
    if (cluster_place_find(data_dir, NULL, &store_id, place, &err) != DBK_OK)
        fail_msg("%s", err.text);
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
    struct cluster_place *place;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    place = find(dir);
    assert_string_equal(place->base, dir);
    snprintf(expected, sizeof expected, "%s/postgres", dir);
    assert_string_equal(place->dir, expected);
    assert_string_equal(place->socket_dir, expected);
    assert_false(place->own_socket_dir);
    snprintf(expected, sizeof expected, "%s/postgres.log", dir);
    assert_string_equal(place->log, expected);
    assert_int_equal(rmdir(dir), 0);
    free(place);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    const size_t room = PATH_MAX - 1 - sizeof "/postgres.log" + 1;
    struct cluster_place *place = calloc(1, sizeof *place);

    (void)state;
    assert_non_null(place);
    for (size_t over = 1; over < 10; over++) {
        char *path = long_path(room + over);
        struct dbk_error err;

        assert_int_equal(cluster_place_find(path, NULL, &store_id, place, &err),
                         DBK_TOO_LARGE);
        assert_non_null(strstr(err.text, "too long"));
        assert_int_equal(cluster_place_find(path, NULL, &store_id, place, NULL),
                         DBK_TOO_LARGE);
        free(path);
    }
    free(place);
}

static void assert_socket_dir(const char *data_dir, bool own)
{
    struct cluster_place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    assert_int_equal(cluster_place_find(data_dir, NULL, &store_id, place, NULL),
                     DBK_OK);
    assert_int_equal(place->own_socket_dir, own);
    if (own)
        assert_int_equal(
            strncmp(place->socket_dir, OWN_SOCKET_DIR "-", sizeof OWN_SOCKET_DIR), 0);
    else
        assert_string_equal(place->socket_dir, place->dir);
    free(place);
}

static char *make_dir(char *path)
{
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

/* A data directory whose name is so long. */
static void assert_socket_dir_at(size_t length, bool own)
{
    char path[128] = "/tmp/";

    memset(path + 5, 'a', length - 5);
    assert_socket_dir(make_dir(path), own);
    assert_int_equal(rmdir(path), 0);
}

static void what_a_socket_cannot_be_named_has_it_elsewhere(void **state)
{
    char comma[] = "/tmp/dbk-place,b", quote[] = "/tmp/dbk-place\"b";

    (void)state;
    assert_socket_dir_at(93 - (sizeof "/postgres" - 1), false);
    assert_socket_dir_at(94 - (sizeof "/postgres" - 1), true);
    assert_socket_dir(make_dir(comma), true);
    assert_socket_dir(make_dir(quote), true);
    assert_int_equal(rmdir(comma), 0);
    assert_int_equal(rmdir(quote), 0);
}

/* Members of one log, which has one id, on one machine. */
static void data_directories_of_one_log_have_places_of_their_own(void **state)
{
    char one_dir[] = "/tmp/dbk-place,XXXXXX", other_dir[] = "/tmp/dbk-place,XXXXXX";
    struct cluster_place *one, *other, *again;

    (void)state;
    assert_non_null(mkdtemp(one_dir)); /* for its owner alone */
    assert_non_null(mkdtemp(other_dir));
    one = find(one_dir);
    other = find(other_dir);
    again = find(one_dir);
    assert_string_not_equal(one->base, other->base);
    assert_string_not_equal(one->socket_dir, other->socket_dir);
    assert_string_equal(one->base, again->base);
    assert_string_equal(one->socket_dir, again->socket_dir);
    assert_int_equal(one->outside, geteuid() == 0);
    assert_int_equal(rmdir(one_dir), 0);
    assert_int_equal(rmdir(other_dir), 0);
    free(one);
    free(other);
    free(again);
}

/* One that has its socket elsewhere, of ourselves: nobody to become. */
static struct cluster_place far_place(void)
{
    return (struct cluster_place){.user = {.uid = geteuid(), .gid = getegid()},
                                  .socket_dir = OWN_SOCKET_DIR,
                                  .own_socket_dir = true};
}

static void the_directory_of_the_socket_is_made_and_taken_again(void **state)
{
    struct cluster_place place = far_place();
    struct stat made;

    (void)state;
    for (int times = 0; times < 2; times++) {
        assert_int_equal(cluster_place_make(&place, NULL), DBK_OK);
        assert_int_equal(stat(OWN_SOCKET_DIR, &made), 0);
        assert_int_equal(made.st_mode & 0777, 0700);
    }
    assert_int_equal(rmdir(OWN_SOCKET_DIR), 0);
}

static void assert_refused(const struct cluster_place *place)
{
    struct dbk_error err;

    assert_int_equal(cluster_place_make(place, &err), DBK_IO);
    assert_non_null(strstr(err.text, OWN_SOCKET_DIR));
}

/* In a folder where everybody may write, somebody may have put something in its place. */
static void what_is_not_ours_is_not_taken(void **state)
{
    struct cluster_place place = far_place();
    char elsewhere[] = "/tmp/another-XXXXXX";
    FILE *file;

    (void)state;
    assert_int_equal(mkdir(OWN_SOCKET_DIR, 0700), 0);
    assert_int_equal(chmod(OWN_SOCKET_DIR, 0750), 0); /* open to others */
    assert_refused(&place);
    assert_int_equal(chmod(OWN_SOCKET_DIR, 0700), 0);
    place.user.uid++; /* another's */
    assert_refused(&place);
    place.user.uid--;
    assert_int_equal(rmdir(OWN_SOCKET_DIR), 0);
    assert_non_null(mkdtemp(elsewhere));
    assert_int_equal(symlink(elsewhere, OWN_SOCKET_DIR), 0);
    assert_refused(&place);
    assert_int_equal(unlink(OWN_SOCKET_DIR), 0);
    file = fopen(OWN_SOCKET_DIR, "w");
    assert_non_null(file);
    fclose(file);
    assert_refused(&place);
    assert_int_equal(unlink(OWN_SOCKET_DIR), 0);
    assert_int_equal(rmdir(elsewhere), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lies_in_the_data_directory),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(what_a_socket_cannot_be_named_has_it_elsewhere),
        cmocka_unit_test(data_directories_of_one_log_have_places_of_their_own),
        cmocka_unit_test(the_directory_of_the_socket_is_made_and_taken_again),
        cmocka_unit_test(what_is_not_ours_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
