/* While the keys are wrapped anew, others change the ring, and wait for nothing. */
#include "scratch_ring.h"

enum { VICTIM = 3, KEPT = 5 };

/* What another process does when all keys are wrapped, and the ring is not in its place. */
static void (*meanwhile)(struct ring *other);
static struct ring other;
static unsigned calls;
static bool blank; /* what had no name any more had no key either when it was synced */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    char link[64], path[256] = "";
    void (*now)(struct ring * r) = meanwhile;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0)
        path[0] = '\0';
    if (now && strstr(path, "/ring.new")) {
        meanwhile = NULL; /* its own syncs are none of these */
        calls++;
        now(&other);
    } else if (strstr(path, "/ring.new (deleted)")) {
        blank = has_no_key(fd);
    }
    return __real_fdatasync(fd);
}

static void open_other(const struct ring *r)
{
    other = *r;
    other.keys = NULL;
    open_keys(&other);
}

static struct dbk_keys_rotation rotated(struct ring *r)
{
    struct dbk_keys_rotation out;

    calls = 0;
    if (dbk_keys_rotate(r->keys, &out, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    assert_true(out.done);
    assert_int_equal(out.epoch, 2);
    assert_int_not_equal(access(in_ring(r, "ring.new"), F_OK), 0);
    assert_int_not_equal(access(in_ring(r, "master.new"), F_OK), 0);
    return out;
}

/* By each who has it open, and who opens it. */
static void assert_same(struct ring *r, uint64_t number,
                        const uint8_t expected[DBK_KEY_BYTES])
{
    uint8_t key[DBK_KEY_BYTES];

    assert_int_equal(dbk_keys_get(other.keys, number, key, &r->err), DBK_OK);
    assert_memory_equal(key, expected, sizeof key);
    reopen_keys(r);
    assert_int_equal(get(r, number, key), DBK_OK);
    assert_memory_equal(key, expected, sizeof key);
}

static void erase_one(struct ring *r)
{
    static const uint64_t victims[] = {VICTIM};

    if (dbk_keys_erase(r->keys, victims, 1, 7, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
}

static void erase_again_and_again(struct ring *r)
{
    erase_one(r);
    if (calls < 2) /* the third time it would wait */
        meanwhile = erase_again_and_again;
}

static void assert_erased_and_rotated(struct ring *r, void (*what)(struct ring *other),
                                      unsigned times)
{
    uint8_t key[DBK_KEY_BYTES], kept[DBK_KEY_BYTES];
    struct dbk_keys_rotation out;
    struct dbk_keys_state is;

    open_keys(r);
    open_other(r);
    assert_int_equal(get(r, KEPT, kept), DBK_OK);
    meanwhile = what;
    out = rotated(r);
    assert_int_equal(calls, times);
    assert_int_equal(out.erased, 1);
    assert_int_equal(out.live, FEW - 1);
    assert_int_equal(dbk_keys_get(other.keys, VICTIM, key, NULL), DBK_NOT_FOUND);
    assert_same(r, KEPT, kept);
    assert_int_equal(get(r, VICTIM, key), DBK_NOT_FOUND);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_int_equal(is.rotated_through, 7); /* it is complete by this rotation */
    close_keys(&other);
}

static void an_erasure_waits_for_nothing_and_is_complete_then(void **state)
{
    assert_erased_and_rotated(*state, erase_one, 1);
}

static void many_erasures_do_not_keep_it_from_ending(void **state)
{
    assert_erased_and_rotated(*state, erase_again_and_again, 2);
}

static uint8_t last[DBK_KEY_BYTES];
static uint64_t last_number;

static void grow(struct ring *r)
{
    struct dbk_keys_state is;

    if (dbk_keys_ahead(r->keys, FEW, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    last_number = is.count;
    assert_int_equal(get(r, last_number, last), DBK_OK);
}

static void keys_that_were_made_meanwhile_are_there(void **state)
{
    struct ring *r = *state;
    uint8_t kept[DBK_KEY_BYTES];
    struct dbk_keys_rotation out;

    open_keys(r);
    open_other(r);
    assert_int_equal(get(r, KEPT, kept), DBK_OK);
    meanwhile = grow;
    out = rotated(r);
    assert_int_equal(calls, 1);
    assert_true(last_number > FEW);
    assert_int_equal(out.live, last_number);
    assert_same(r, last_number, last);
    assert_same(r, KEPT, kept);
    close_keys(&other);
}

static void rotate_too(struct ring *r)
{
    struct dbk_keys_rotation out;

    assert_told(r, dbk_keys_rotate(r->keys, &out, &r->err), DBK_BUSY, "being rotated");
}

static void look_at_it(struct ring *r)
{
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_false(is.left); /* nobody was killed */
    reopen_keys(r);
    rotate_too(r);
}

static void who_opens_it_or_rotates_too_leaves_it_alone(void **state)
{
    struct ring *r = *state;

    open_keys(r);
    open_other(r);
    meanwhile = look_at_it;
    rotated(r);
    assert_int_equal(calls, 1);
    close_keys(&other);
}

/* What the rotation goes on with would open it. */
static void by_a_master_key_elsewhere_what_was_begun_is_written_over(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_options options;
    struct dbk_keys_rotation out;
    uint8_t key[DBK_KEY_BYTES];

    open_by_elsewhere(r, &options);
    other = *r;
    if (dbk_keys_open(r->dir, &options, &other.keys, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    meanwhile = erase_one;
    calls = 0;
    blank = false;
    if (dbk_keys_rotate(r->keys, &out, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    assert_true(out.done);
    assert_int_equal(calls, 1);
    assert_true(blank);
    assert_int_equal(get(r, VICTIM, key), DBK_NOT_FOUND);
    close_keys(&other);
}

int main(void)
{
#define TEST(test)                                                                     \
    cmocka_unit_test_setup_teardown(test, ring_setup_closed, ring_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_erasure_waits_for_nothing_and_is_complete_then),
        TEST(by_a_master_key_elsewhere_what_was_begun_is_written_over),
        TEST(many_erasures_do_not_keep_it_from_ending),
        TEST(keys_that_were_made_meanwhile_are_there),
        TEST(who_opens_it_or_rotates_too_leaves_it_alone),
    };

    return cmocka_run_group_tests(tests, make_few, remove_template) != 0;
}
