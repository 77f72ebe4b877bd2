/* Killed at each write of each thing that is done with the ring, or refused it by the disk:
 * what was not asked for is as it was, and what was can be asked for again. */
#include "scratch_ring.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* What happens to the call of this number, one that writes, names, removes or syncs: killed, it
 * writes half, names and removes, and does not sync. */
enum how { NOTHING, KILLED, REFUSED };

/* Shared with the child that it happens to. */
static struct shared {
    enum how how;
    int at, error;
    int calls;       /* that there were */
    char order[512]; /* a letter each: what a rotation did, and to which file */
    bool done;
    int again; /* calls when it was done again, after it was refused */
    enum dbk_code code;
    char text[512];
} * shared;

static bool armed; /* in the child */

ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __real_read(int fd, void *bytes, size_t length);
ssize_t __wrap_read(int fd, void *bytes, size_t length);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static char kind_of(int fd)
{
    struct stat status;
    char link[64], path[256] = "";

    if (fstat(fd, &status) != 0 || S_ISDIR(status.st_mode))
        return 'd';
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0)
        return '?';
    return strstr(path, "/ring") ? 'r' : 'm';
}

/* True: the call is refused. *halfway: it is to do half of it, and then the process ends. */
static bool meets(char what, char kind, bool *halfway)
{
    size_t length = strlen(shared->order);

    *halfway = false;
    if (!armed)
        return false;
    if (length + 3 < sizeof shared->order) {
        shared->order[length] = what;
        shared->order[length + 1] = kind;
        shared->order[length + 2] = '\0';
    }
    if (shared->calls++ != shared->at || shared->how == NOTHING)
        return false;
    *halfway = shared->how == KILLED;
    errno = shared->error;
    return shared->how == REFUSED;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    bool halfway;

    if (meets('w', kind_of(fd), &halfway))
        return -1;
    if (halfway) {
        __real_pwrite(fd, bytes, length / 2, offset);
        _exit(9);
    }
    return __real_pwrite(fd, bytes, length, offset);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    bool halfway;

    if (fd <= STDERR_FILENO)
        return __real_write(fd, bytes, length);
    if (meets('w', kind_of(fd), &halfway))
        return -1;
    if (halfway) {
        __real_write(fd, bytes, length / 2);
        _exit(9);
    }
    return __real_write(fd, bytes, length);
}

static int reads; /* until one is refused; 0: none is */

ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    if (reads == 0 || --reads > 0)
        return __real_read(fd, bytes, length);
    errno = EIO;
    return -1;
}

/* A kill leaves what was written, synced or not: so none of the tests waits for the disk. */
int __wrap_fsync(int fd)
{
    bool halfway;

    if (meets('s', kind_of(fd), &halfway))
        return -1;
    return halfway ? (_exit(9), -1) : 0;
}

int __wrap_fdatasync(int fd)
{
    bool halfway;

    if (meets('s', kind_of(fd), &halfway))
        return -1;
    return halfway ? (_exit(9), -1) : 0;
}

int __wrap_rename(const char *from, const char *to)
{
    bool halfway;
    int rc;

    if (meets('n', strstr(to, "/ring") ? 'r' : 'm', &halfway))
        return -1;
    rc = __real_rename(from, to);
    return halfway ? (_exit(9), -1) : rc;
}

int __wrap_unlink(const char *path)
{
    bool halfway;
    int rc;

    if (meets('u', strstr(path, "/ring") ? 'r' : 'm', &halfway))
        return -1;
    rc = __real_unlink(path);
    return halfway ? (_exit(9), -1) : rc;
}

/* What is done: with a ring that is open but where it is made. */

typedef enum dbk_code work_of(struct ring *r, struct dbk_error *err);

static const uint64_t victims[] = {3, 4};

static enum dbk_code make(struct ring *r, struct dbk_error *err)
{
    return dbk_keys_make(r->dir, NULL, err);
}

static enum dbk_code erase(struct ring *r, struct dbk_error *err)
{
    return dbk_keys_erase(r->keys, victims, 2, 9, err);
}

static enum dbk_code rotate(struct ring *r, struct dbk_error *err)
{
    struct dbk_keys_rotation out;

    return dbk_keys_rotate(r->keys, &out, err);
}

static enum dbk_code backup(struct ring *r, struct dbk_error *err)
{
    return dbk_keys_backup(r->keys, in_ring(r, "../ring.copy"), err);
}

static enum dbk_code grow(struct ring *r, struct dbk_error *err)
{
    return dbk_keys_ahead(r->keys, 10, err);
}

static bool do_again(struct ring *r, work_of *work)
{
    int before = shared->calls;
    enum dbk_code code;

    shared->how = NOTHING;
    armed = true;
    code = work(r, NULL);
    armed = false;
    shared->again = shared->calls - before;
    shared->calls = before;
    return code == DBK_OK;
}

/* In a child, which a fault may end. A refusal must be told; after it the same process does
 * it, for the disk is well again. */
static void do_in_child(struct ring *r, work_of *work, enum how how, int at, int error)
{
    pid_t child;
    int status;

    memset(shared, 0, sizeof *shared);
    shared->how = how;
    shared->at = at;
    shared->error = error;
    child = fork();
    if (child == 0) {
        struct dbk_error err = {.code = DBK_OK};

        if (work != make && dbk_keys_open(r->dir, NULL, &r->keys, &err) != DBK_OK)
            _exit(3);
        armed = true;
        shared->code = work(r, &err);
        armed = false;
        snprintf(shared->text, sizeof shared->text, "%s", err.text);
        shared->done = true;
        if (shared->code != DBK_OK && work != rotate && !do_again(r, work))
            _exit(4);
        dbk_keys_close(r->keys);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 9))
        fail_msg("call %d: status %x, %s", at, (unsigned)status, shared->text);
    if (shared->done && shared->code != DBK_OK)
        assert_true(shared->text[0] != '\0');
}

static void assert_key(struct ring *r, uint64_t number,
                       const uint8_t expected[DBK_KEY_BYTES])
{
    uint8_t key[DBK_KEY_BYTES];

    if (get(r, number, key) != DBK_OK)
        fail_msg("key %u: %s", (unsigned)number, r->err.text);
    assert_memory_equal(key, expected, sizeof key);
}

static void remember_keys(struct ring *r, uint8_t keys[FEW][DBK_KEY_BYTES])
{
    open_keys(r);
    for (uint64_t i = 0; i < FEW; i++)
        assert_int_equal(get(r, i + 1, keys[i]), DBK_OK);
    close_keys(r);
}

static void put_file(const struct ring *r, const char *name)
{
    char bytes[RING_SLOT_AT(FEW + 1)];
    struct stat status;
    int fd;

    assert_int_equal(stat(in_ring(&template, name), &status), 0);
    assert_true((size_t)status.st_size <= sizeof bytes);
    peek(&template, name, 0, bytes, (size_t)status.st_size);
    fd = open(in_ring(r, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, (size_t)status.st_size), status.st_size);
    close(fd);
}

/* As the template is. */
static void put_back(struct ring *r)
{
    static const char *const left[] = {"ring.new", "master.new", "master.new.tmp",
                                       "../ring.copy", "../ring.copy.new"};

    close_keys(r);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        unlink(in_ring(r, left[i]));
    put_file(r, "ring");
    put_file(r, "master");
}

static void assert_cleared(const struct ring *r)
{
    assert_int_not_equal(access(in_ring(r, "ring.new"), F_OK), 0);
    assert_int_not_equal(access(in_ring(r, "master.new"), F_OK), 0);
}

typedef void check_of(struct ring *r, uint8_t keys[FEW][DBK_KEY_BYTES]);

/* Each call in turn, in each way, until there are no more. */
static void try_each(struct ring *r, work_of *work, check_of *check)
{
    uint8_t keys[FEW][DBK_KEY_BYTES];

    remember_keys(r, keys);
    for (enum how how = KILLED; how <= REFUSED; how++) {
        for (int at = 0;; at++) {
            put_back(r);
            do_in_child(r, work, how, at, at % 2 ? EIO : ENOSPC);
            open_keys(r);
            check(r, keys);
            if (shared->done && shared->calls <= at)
                break; /* all were gone through */
        }
    }
}

/* Erasing. */

static void check_erased(struct ring *r, uint8_t keys[FEW][DBK_KEY_BYTES])
{
    uint8_t key[DBK_KEY_BYTES];
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    for (uint64_t i = 1; i <= FEW; i++) {
        if (i != victims[0] && i != victims[1]) {
            assert_key(r, i, keys[i - 1]);
        } else if (get(r, i, key) == DBK_OK) { /* then nobody says it was erased */
            assert_memory_equal(key, keys[i - 1], sizeof key);
            assert_false(shared->done);
            assert_int_equal(is.erased_through, 0);
        }
    }
    assert_int_equal(erase(r, &r->err), DBK_OK); /* as at each start */
    assert_told(r, get(r, victims[0], key), DBK_NOT_FOUND, "was erased");
    assert_told(r, get(r, victims[1], key), DBK_NOT_FOUND, "was erased");
}

static void an_erasure_that_is_cut_short_is_done_again(void **state)
{
    try_each(*state, erase, check_erased);
}

/* Rotating. */

static void check_rotated(struct ring *r, uint8_t keys[FEW][DBK_KEY_BYTES])
{
    struct dbk_keys_state is;

    assert_cleared(r); /* opening it did */
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_in_range(is.epoch, 1, 2);
    if (shared->done && shared->code == DBK_OK)
        assert_int_equal(is.epoch, 2);
    for (uint64_t i = 1; i <= FEW; i++)
        assert_key(r, i, keys[i - 1]);
    if (rotate(r, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    reopen_keys(r);
    assert_key(r, FEW, keys[FEW - 1]);
}

static void a_rotation_that_is_cut_short_leaves_the_one_or_the_other(void **state)
{
    try_each(*state, rotate, check_rotated);
}

/* What a power cut may undo is what was not synced: so nothing of the former is destroyed
 * before what is new, and its name, is on disk. */
static void the_former_master_key_goes_last(void **state)
{
    struct ring *r = *state;
    const char *named, *synced, *destroyed;

    do_in_child(r, rotate, NOTHING, 0, 0);
    assert_int_equal(shared->code, DBK_OK);
    assert_non_null(
        strstr(shared->order, "srnrsd")); /* the ring: synced, named, synced */
    named = strstr(shared->order, "nr");
    assert_non_null(strstr(shared->order, "smnmsd")); /* the new master key, before */
    assert_true(strstr(shared->order, "nm") < named);
    synced = strstr(named, "sd");
    destroyed = strstr(named, "wm");
    assert_true(synced && destroyed && synced < destroyed);
    assert_non_null(strstr(destroyed, "smum")); /* and the new one's other name after */
}

/* A rotation that was killed early left another master key; the one of now is not written over
 * with that because it cannot be read for a moment. */
static void a_master_key_that_cannot_be_read_is_not_destroyed(void **state)
{
    struct ring *r = *state;
    uint8_t before[DBK_KEY_BYTES];
    char text[65];
    int refused = 0;

    open_keys(r);
    assert_int_equal(get(r, 1, before), DBK_OK);
    memset(text, 'b', 64);
    text[64] = '\n';
    for (int at = 1; at <= 6; at++) {
        int fd = open(in_ring(r, "master.new"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_int_equal(write(fd, text, sizeof text), sizeof text);
        close(fd);
        close_keys(r);
        reads = at;
        refused += dbk_keys_open(r->dir, NULL, &r->keys, &r->err) != DBK_OK;
        reads = 0;
        close_keys(r);
        open_keys(r);
        assert_key(r, 1, before);
    }
    assert_true(refused > 2);
}

/* The other parts. */

static void check_copied(struct ring *r, uint8_t keys[FEW][DBK_KEY_BYTES])
{
    for (uint64_t i = 1; i <= FEW; i++)
        assert_key(r, i, keys[i - 1]);
    close_keys(r);
    if (access(in_ring(r, "../ring.copy"), F_OK) != 0) {
        assert_false(shared->done);
        open_keys(r);
        return;
    }
    copy_file(r, "../ring.copy", "ring"); /* whatever has the name is whole */
    open_keys(r);
    assert_key(r, 1, keys[0]);
    assert_key(r, FEW, keys[FEW - 1]);
}

static void a_copy_that_is_cut_short_is_none(void **state)
{
    try_each(*state, backup, check_copied);
}

static void check_grown(struct ring *r, uint8_t keys[FEW][DBK_KEY_BYTES])
{
    struct dbk_keys_check found;

    for (uint64_t i = 1; i <= FEW; i++)
        assert_key(r, i, keys[i - 1]);
    assert_int_equal(grow(r, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_check(r->keys, &found, &r->err), DBK_OK);
    assert_int_equal(found.damaged, 0);
    assert_true(found.live >= 10 + DBK_KEYS_AHEAD);
}

/* At the calls that differ: all write as the second does, but the last that syncs. */
static void a_ring_that_grew_in_part_is_made_whole(void **state)
{
    struct ring *r = *state;
    uint8_t keys[FEW][DBK_KEY_BYTES];
    int calls;

    remember_keys(r, keys);
    put_back(r);
    do_in_child(r, grow, NOTHING, 0, 0);
    calls = shared->calls;
    assert_true(calls > 10);
    for (int i = 0; i < 4; i++) {
        const enum how how = i % 2 ? KILLED : REFUSED;

        put_back(r);
        do_in_child(r, grow, how, i < 2 ? 1 : calls - 1, i == 0 ? ENOSPC : EIO);
        if (i == 2) /* what was not synced is written again, though it reads as whole */
            assert_true(shared->again >= calls);
        open_keys(r);
        check_grown(r, keys);
    }
}

static void a_ring_that_was_not_made_is_made_again(void **state)
{
    struct ring *r = *state;
    uint8_t key[DBK_KEY_BYTES];
    int calls;

    do_in_child(r, make, NOTHING, 0, 0);
    calls = shared->calls;
    for (int at = 0; at < calls; at = at == 7 ? calls - 4 : at + 1) {
        char command[128];

        snprintf(command, sizeof command, "rm -r %s", r->dir);
        assert_int_equal(system(command), 0);
        do_in_child(r, make, KILLED, at, 0);
        r->err.code = dbk_keys_make(r->dir, NULL, &r->err);
        assert_true(r->err.code == DBK_OK || r->err.code == DBK_EXISTS);
        open_keys(r);
        assert_int_equal(get(r, DBK_KEYS_AHEAD, key), DBK_OK);
        close_keys(r);
    }
}

int main(void)
{
#define TEST(test)                                                                     \
    cmocka_unit_test_setup_teardown(test, ring_setup_closed, ring_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_erasure_that_is_cut_short_is_done_again),
        TEST(a_rotation_that_is_cut_short_leaves_the_one_or_the_other),
        TEST(the_former_master_key_goes_last),
        TEST(a_master_key_that_cannot_be_read_is_not_destroyed),
        TEST(a_copy_that_is_cut_short_is_none),
        TEST(a_ring_that_grew_in_part_is_made_whole),
        cmocka_unit_test_setup_teardown(a_ring_that_was_not_made_is_made_again,
                                        ring_setup_none, ring_teardown),
    };

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, make_few, remove_template) != 0;
}
