#include "directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64];
    char inner[80]; /* dir/one */
    char path[96];  /* dir/one/two */
};

static ino_t synced[8];
static size_t sync_count;
static int sync_error;

int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    struct stat stat;

    assert_int_equal(fstat(fd, &stat), 0);
    synced[sync_count++] = stat.st_ino;
    errno = sync_error;
    return sync_error ? -1 : 0;
}

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->dir, sizeof place->dir, "/tmp/daybook-directory-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->inner, sizeof place->inner, "%s/one", place->dir);
    snprintf(place->path, sizeof place->path, "%s/two", place->inner);
    sync_count = 0;
    sync_error = 0;
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    rmdir(place->path);
    rmdir(place->inner);
    rmdir(place->dir);
    free(place);
    return 0;
}

static ino_t inode(const char *path)
{
    struct stat stat_of;

    assert_int_equal(stat(path, &stat_of), 0);
    return stat_of.st_ino;
}

static void each_name_that_is_made_is_synced(void **state)
{
    const struct place *place = *state;
    struct dbk_error err = {0};

    assert_int_equal(directory_make(place->path, &err), DBK_OK);
    assert_int_equal(sync_count, 2);
    assert_int_equal(synced[0], inode(place->dir));
    assert_int_equal(synced[1], inode(place->inner));
    assert_int_equal(directory_make(place->path, &err), DBK_OK);
    assert_int_equal(sync_count, 2);
}

static void a_relative_path_lies_where_we_are(void **state)
{
    const struct place *place = *state;
    char before[PATH_MAX];
    struct dbk_error err = {0};

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(place->dir), 0);
    assert_int_equal(directory_make("one", &err), DBK_OK);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(sync_count, 1);
    assert_int_equal(synced[0], inode(place->dir));
}

static void a_sync_that_fails_is_told(void **state)
{
    const struct place *place = *state;
    struct dbk_error err = {0};

    sync_error = EIO;
    assert_int_equal(directory_make(place->path, &err), DBK_IO);
    assert_int_equal(sync_count, 1);
}

static void only_its_owner_may_look_inside(void **state)
{
    const struct place *place = *state;
    struct stat stat_of;
    struct dbk_error err = {0};

    assert_int_equal(directory_make(place->path, &err), DBK_OK);
    assert_int_equal(stat(place->path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, geteuid() == 0 ? 0711 : 0700);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_PLACE(each_name_that_is_made_is_synced),
        IN_PLACE(a_relative_path_lies_where_we_are),
        IN_PLACE(a_sync_that_fails_is_told),
        IN_PLACE(only_its_owner_may_look_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
