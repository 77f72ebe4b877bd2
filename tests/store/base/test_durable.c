/* What lasts, in which order it is made to, and what is said where there is no room. */
#include "store/durable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum call { NONE, READ, WRITE, SYNC_FILE, SYNC_FOLDER, RENAME };

/* Which call fails, and with what; and what was done, in order: 'f' a file was synced, 'd'
 * a folder, 'r' a name given. */
static enum call broken;
static int broken_with;
static char steps[8];
static ino_t synced[8];
static size_t step_count;
static size_t
    write_most; /* bytes a call takes, and every other is interrupted; 0: all */

static size_t read_most; /* as write_most */

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __real_read(int fd, void *bytes, size_t length);
ssize_t __wrap_read(int fd, void *bytes, size_t length);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

static bool fails(enum call call)
{
    if (broken == call)
        errno = broken_with;
    return broken == call;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    static bool interrupted;

    if (fd <= STDERR_FILENO)
        return __real_write(fd, bytes, length);
    if (fails(WRITE))
        return -1;
    interrupted = write_most > 0 && !interrupted;
    errno = EINTR;
    if (interrupted)
        return -1;
    return __real_write(fd, bytes,
                        write_most > 0 && write_most < length ? write_most : length);
}

ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    static bool interrupted;

    if (fails(READ))
        return -1;
    interrupted = read_most > 0 && !interrupted;
    errno = EINTR;
    if (interrupted)
        return -1;
    return __real_read(fd, bytes,
                       read_most > 0 && read_most < length ? read_most : length);
}

int __wrap_fsync(int fd)
{
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    synced[step_count] = status.st_ino;
    steps[step_count++] = S_ISDIR(status.st_mode) ? 'd' : 'f';
    return fails(S_ISDIR(status.st_mode) ? SYNC_FOLDER : SYNC_FILE) ? -1 : 0;
}

int __wrap_rename(const char *from, const char *to)
{
    if (fails(RENAME))
        return -1;
    steps[step_count++] = 'r';
    return __real_rename(from, to);
}

struct place {
    char dir[64], path[80], tmp[80];
    int fd; /* of tmp */
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    broken = NONE;
    write_most = 0;
    read_most = 0;
    memset(steps, 0, sizeof steps);
    step_count = 0;
    snprintf(place->dir, sizeof place->dir, "/tmp/daybook-durable-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/it", place->dir);
    snprintf(place->tmp, sizeof place->tmp, "%s/it.tmp", place->dir);
    place->fd = open(place->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(place->fd >= 0);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    close(place->fd);
    unlink(place->tmp);
    unlink(place->path);
    rmdir(place->dir);
    free(place);
    return 0;
}

static ino_t inode(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static void assert_holds(const char *path, const char *text)
{
    char found[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(read(fd, found, sizeof found - 1) >= 0);
    close(fd);
    assert_string_equal(found, text);
}

static void bytes_are_on_disk_before_their_name_and_that_last(void **state)
{
    struct place *place = *state;
    ino_t file = inode(place->tmp);
    struct dbk_error err = {0};

    assert_int_equal(dbk_write_all(place->fd, "new\n", 4, place->tmp, &err), DBK_OK);
    assert_int_equal(dbk_replace(place->fd, place->tmp, place->path, &err), DBK_OK);
    assert_string_equal(steps, "frd");
    assert_int_equal(synced[0], file);
    assert_int_equal(synced[2], inode(place->dir));
    assert_holds(place->path, "new\n");
    assert_int_equal(access(place->tmp, F_OK), -1);
}

static void what_is_not_on_disk_gets_no_name(void **state)
{
    struct place *place = *state;
    struct dbk_error err = {0};

    broken = SYNC_FILE;
    broken_with = EIO;
    assert_int_equal(dbk_replace(place->fd, place->tmp, place->path, &err), DBK_IO);
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(access(place->tmp, F_OK), 0);
}

static void a_call_that_takes_little_or_is_interrupted_is_made_again(void **state)
{
    struct place *place = *state;
    struct dbk_error err = {0};

    write_most = 3;
    assert_int_equal(dbk_write_all(place->fd, "0123456789", 10, place->tmp, &err),
                     DBK_OK);
    assert_holds(place->tmp, "0123456789");
}

static void what_gives_little_or_is_interrupted_is_read_to_its_end(void **state)
{
    struct place *place = *state;
    struct dbk_error err = {0};
    char found[16] = "";
    size_t length;
    int fd = open(place->tmp, O_RDONLY | O_CLOEXEC);

    assert_int_equal(dbk_write_all(place->fd, "0123456789", 10, place->tmp, &err),
                     DBK_OK);
    read_most = 3;
    assert_int_equal(dbk_read_all(fd, found, 7, &length, place->tmp, &err), DBK_OK);
    assert_int_equal(length, 7);
    assert_string_equal(found, "0123456");
    assert_int_equal(dbk_read_all(fd, found, 7, &length, place->tmp, &err), DBK_OK);
    assert_int_equal(length, 3);
    assert_memory_equal(found, "789", 3);
    assert_int_equal(dbk_read_all(fd, found, 7, &length, place->tmp, &err), DBK_OK);
    assert_int_equal(length, 0);
    broken = READ;
    broken_with = EIO;
    assert_int_equal(dbk_read_all(fd, found, 7, &length, place->tmp, &err), DBK_IO);
    assert_non_null(strstr(err.text, place->tmp));
    close(fd);
}

static enum dbk_code write_and_replace(struct place *place, struct dbk_error *err)
{
    enum dbk_code code = dbk_write_all(place->fd, "new\n", 4, place->tmp, err);

    return code == DBK_OK ? dbk_replace(place->fd, place->tmp, place->path, err) : code;
}

/* A quota that is used up and a bound of the file's size are no broken disk. */
static void whatever_says_that_there_is_no_room_is_told_as_that(void **state)
{
    static const struct {
        int number;
        enum dbk_code code;
    } told[] = {{ENOSPC, DBK_NO_ROOM}, {EDQUOT, DBK_NO_ROOM}, {EFBIG, DBK_NO_ROOM},
                {EIO, DBK_IO},         {EROFS, DBK_IO},       {EACCES, DBK_IO}};
    struct dbk_error err;

    for (enum call call = WRITE; call <= RENAME; call++) {
        for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
            make_place(state);
            broken = call;
            broken_with = told[i].number;
            err = (struct dbk_error){0};
            assert_int_equal(write_and_replace(*state, &err), told[i].code);
            assert_int_equal(err.code, told[i].code);
            assert_non_null(strstr(err.text, strerror(told[i].number)));
            broken = NONE;
            remove_place(state);
        }
    }
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & (S_IFMT | 0777);
}

static void a_small_file_is_whole_or_as_it_was(void **state)
{
    struct place *place = *state; /* with what a killed run left */
    struct dbk_error err = {0};

    assert_int_equal(dbk_write_file(place->path, 0600, "new\n", 4, &err), DBK_OK);
    assert_string_equal(steps, "frd");
    assert_int_equal(mode_of(place->path), S_IFREG | 0600);
    for (enum call call = WRITE; call <= RENAME; call++) {
        if (call == SYNC_FOLDER) /* it has its name then */
            continue;
        broken = call;
        broken_with = ENOSPC;
        assert_int_equal(dbk_write_file(place->path, 0600, "newer\n", 6, &err),
                         DBK_NO_ROOM);
        broken = NONE;
        step_count = 0;
        assert_holds(place->path, "new\n");
        assert_int_equal(access(place->tmp, F_OK), -1);
    }
}

static void a_small_file_is_not_written_through_a_link(void **state)
{
    struct place *place = *state;
    struct dbk_error err = {0};
    char other[96];

    snprintf(other, sizeof other, "%s/other", place->dir);
    assert_int_equal(rename(place->tmp, other), 0);
    assert_int_equal(symlink(other, place->tmp), 0);
    assert_int_equal(dbk_write_file(place->path, 0600, "new\n", 4, &err), DBK_OK);
    assert_holds(other, "");
    assert_int_equal(mode_of(place->path), S_IFREG | 0600);
    assert_int_equal(unlink(other), 0);
}

static void the_parent_of_a_name_with_slashes_behind_it_is_synced(void **state)
{
    const struct place *place = *state;
    struct dbk_error err = {0};
    char path[128];

    snprintf(path, sizeof path, "%s//", place->tmp);
    assert_int_equal(dbk_sync_parent(path, &err), DBK_OK);
    assert_int_equal(dbk_sync_parent("/name", &err), DBK_OK);
    assert_int_equal(dbk_sync_parent("name", &err), DBK_OK);
    assert_string_equal(steps, "ddd");
    assert_int_equal(synced[0], inode(place->dir));
    assert_int_equal(synced[1], inode("/"));
    assert_int_equal(synced[2], inode("."));
}

/* As some that come over the network are. */
static void a_file_system_that_cannot_sync_a_folder_is_no_failure(void **state)
{
    const struct place *place = *state;
    struct dbk_error err = {0};

    broken = SYNC_FOLDER;
    broken_with = EINVAL;
    assert_int_equal(dbk_sync_directory(place->dir, &err), DBK_OK);
    broken_with = EIO;
    assert_int_equal(dbk_sync_directory(place->dir, &err), DBK_IO);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char path[PATH_MAX + 8];
    struct dbk_error err = {0};

    (void)state;
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    path[sizeof path - 2] = '/';
    path[sizeof path - 4] = '/';
    assert_int_equal(dbk_sync_parent(path, &err), DBK_IO);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_PLACE(bytes_are_on_disk_before_their_name_and_that_last),
        IN_PLACE(what_is_not_on_disk_gets_no_name),
        IN_PLACE(a_call_that_takes_little_or_is_interrupted_is_made_again),
        IN_PLACE(what_gives_little_or_is_interrupted_is_read_to_its_end),
        cmocka_unit_test(whatever_says_that_there_is_no_room_is_told_as_that),
        IN_PLACE(a_small_file_is_whole_or_as_it_was),
        IN_PLACE(a_small_file_is_not_written_through_a_link),
        IN_PLACE(the_parent_of_a_name_with_slashes_behind_it_is_synced),
        IN_PLACE(a_file_system_that_cannot_sync_a_folder_is_no_failure),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
