/* What a killed rotation leaves has every key of then: who has the ring open clears it away before
 * an erasure is done, and it is told of till then. */
#include "scratch_ring.h"

#include "master.h"

#include <sys/wait.h>

enum { VICTIM = 3, KEPT = 5 };

/* The process ends before this step of a rotation, or behind it. */
enum step { NONE, RING_NAMED, RING_IN_PLACE, MASTER_GOES };
static enum step killed_at;

static bool blank;   /* the file that a key goes with had nothing of it any more */
static bool keyless; /* so had the ring that was begun */

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path), of = strlen(end);

    return length >= of && strcmp(path + length - of, end) == 0;
}

int __wrap_rename(const char *from, const char *to)
{
    bool ring = ends_with(from, "/ring.new");

    if (ring && killed_at == RING_NAMED)
        _exit(9);
    if (ring && killed_at == RING_IN_PLACE) {
        __real_rename(from, to);
        _exit(9);
    }
    return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
    uint8_t key[DBK_KEY_BYTES];

    if (ends_with(path, "/master.new") || ends_with(path, "/elsewhere.new")) {
        if (killed_at == MASTER_GOES)
            _exit(9);
        blank = master_read(path, true, getuid(), key, NULL) != DBK_OK;
    } else if (ends_with(path, "/ring.new")) {
        int fd = open(path, O_RDONLY);

        keyless = fd >= 0 && has_no_key(fd);
        close(fd);
    }
    return __real_unlink(path);
}

static void rotate_and_die(struct ring *r, enum step at)
{
    struct dbk_keys_rotation out;
    pid_t child = fork();
    int status;

    if (child == 0) {
        killed_at = at;
        dbk_keys_rotate(r->keys, &out, NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

static bool is_left(struct ring *r)
{
    struct dbk_keys_state is;

    if (dbk_keys_state(r->keys, &is, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    return is.left;
}

static void assert_cleared(struct ring *r)
{
    assert_int_not_equal(access(in_ring(r, "ring.new"), F_OK), 0);
    assert_int_not_equal(access(in_ring(r, "master.new"), F_OK), 0);
    assert_false(is_left(r));
    assert_true(blank);
}

static void an_erasure_clears_it_away(struct ring *r, enum step at)
{
    const uint64_t victims[] = {VICTIM};
    uint8_t key[DBK_KEY_BYTES], kept[DBK_KEY_BYTES];

    open_keys(r);
    assert_int_equal(get(r, KEPT, kept), DBK_OK);
    assert_false(is_left(r));
    rotate_and_die(r, at);
    assert_true(is_left(r));
    blank = false;
    if (dbk_keys_erase(r->keys, victims, 1, 7, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    assert_cleared(r);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(get(r, VICTIM, key), DBK_NOT_FOUND);
        assert_int_equal(get(r, KEPT, key), DBK_OK);
        assert_memory_equal(key, kept, sizeof key);
        reopen_keys(r);
    }
}

static void killed_before_the_new_ring_is_in_place(void **state)
{
    an_erasure_clears_it_away(*state, RING_NAMED);
}

static void killed_before_the_former_master_key_is_destroyed(void **state)
{
    an_erasure_clears_it_away(*state, RING_IN_PLACE);
}

static void killed_before_the_new_master_keys_other_name_goes(void **state)
{
    an_erasure_clears_it_away(*state, MASTER_GOES);
}

static void a_rotation_leaves_nothing_of_its_master_key(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_rotation out;

    open_keys(r);
    if (dbk_keys_rotate(r->keys, &out, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    assert_cleared(r);
}

/* Its master key stays, and the next rotation goes on with it. */
static void by_a_master_key_elsewhere_an_erasure_writes_it_over(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_options options;
    const uint64_t victims[] = {VICTIM};

    open_by_elsewhere(r, &options);
    rotate_and_die(r, RING_NAMED);
    assert_true(is_left(r));
    keyless = false;
    if (dbk_keys_erase(r->keys, victims, 1, 7, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    assert_true(keyless);
    assert_false(is_left(r));
    assert_int_equal(access(in_ring(r, "../elsewhere.new"), F_OK), 0);
}

static void
by_a_master_key_elsewhere_what_is_left_of_a_destroyed_one_is_none(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_options options;
    struct dbk_keys_rotation out;

    open_by_elsewhere(r, &options);
    rotate_and_die(r, MASTER_GOES);
    assert_int_equal(access(in_ring(r, "../elsewhere.new"), F_OK), 0);
    if (dbk_keys_rotate(r->keys, &out, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    assert_true(out.done);
    assert_int_equal(out.epoch, 3);
    assert_int_not_equal(access(in_ring(r, "../elsewhere.new"), F_OK), 0);
}

int main(void)
{
#define TEST(test)                                                                     \
    cmocka_unit_test_setup_teardown(test, ring_setup_closed, ring_teardown)
    const struct CMUnitTest tests[] = {
        TEST(killed_before_the_new_ring_is_in_place),
        TEST(killed_before_the_former_master_key_is_destroyed),
        TEST(killed_before_the_new_master_keys_other_name_goes),
        TEST(by_a_master_key_elsewhere_an_erasure_writes_it_over),
        TEST(by_a_master_key_elsewhere_what_is_left_of_a_destroyed_one_is_none),
        TEST(a_rotation_leaves_nothing_of_its_master_key),
    };

    return cmocka_run_group_tests(tests, make_few, remove_template) != 0;
}
