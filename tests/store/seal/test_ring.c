/* The ring: what it gives, what it destroys, and what it says of one that is not right. */
#include "ring_private.h"
#include "scratch_ring.h"

#include "store/clock.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

enum { PATIENCE_MS = 60000 };

static void keys_are_the_same_each_time_and_all_different(void **state)
{
    struct ring *r = *state;
    uint8_t first[DBK_KEY_BYTES], other[DBK_KEY_BYTES], again[DBK_KEY_BYTES];

    assert_int_equal(get(r, 1, first), DBK_OK);
    assert_int_equal(get(r, DBK_KEYS_AHEAD, other), DBK_OK);
    assert_memory_not_equal(first, other, sizeof first);
    reopen_keys(r);
    assert_int_equal(get(r, DBK_KEYS_AHEAD, again), DBK_OK);
    assert_memory_equal(other, again, sizeof other);
    assert_int_equal(get(r, 1, again), DBK_OK);
    assert_memory_equal(first, again, sizeof first);
}

static void a_number_beyond_the_ring_is_none_of_its(void **state)
{
    struct ring *r = *state;
    uint8_t key[DBK_KEY_BYTES];

    assert_told(r, get(r, 0, key), DBK_INVALID, "has no key 0");
    assert_told(r, get(r, 2 * DBK_KEYS_AHEAD, key), DBK_INVALID, "it ends before");
    assert_told(r, get(r, UINT64_MAX, key), DBK_INVALID, "it ends before");
}

static void an_erased_key_is_gone_and_its_neighbours_are_not(void **state)
{
    struct ring *r = *state;
    uint8_t before[3][DBK_KEY_BYTES], after[DBK_KEY_BYTES], slot[RING_SLOT],
        none[RING_WRAPPED] = {0};
    const uint64_t numbers[] = {12, 12, 0, UINT64_MAX};

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(get(r, 11 + i, before[i]), DBK_OK);
    assert_int_equal(dbk_keys_erase(r->keys, numbers, 4, 77, &r->err), DBK_OK);
    for (int i = 0; i < 2; i++) {
        assert_told(r, get(r, 12, after), DBK_NOT_FOUND, "was erased");
        assert_int_equal(get(r, 11, after), DBK_OK);
        assert_memory_equal(after, before[0], sizeof after);
        assert_int_equal(get(r, 13, after), DBK_OK);
        assert_memory_equal(after, before[2], sizeof after);
        reopen_keys(r);
    }
    peek(r, "ring", RING_SLOT_AT(UINT64_C(12)), slot, sizeof slot);
    assert_memory_equal(slot, none, sizeof none);
}

static void the_ring_knows_how_far_erasures_are_done(void **state)
{
    struct ring *r = *state;
    const uint64_t number = 5;
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 77, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 0, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_erase(r->keys, NULL, 0, 60, &r->err), DBK_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
        assert_int_equal(is.erased_through, 77);
        assert_int_equal(is.epoch, 1);
        assert_true(is.beside && !is.bound && is.count >= DBK_KEYS_AHEAD);
        reopen_keys(r);
    }
}

static void a_ring_ahead_of_its_log_forgets_how_far_it_was(void **state)
{
    struct ring *r = *state;
    const uint64_t number = 9;
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 77, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_rewind(r->keys, 77, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_int_equal(is.erased_through, 77);
    assert_int_equal(dbk_keys_rewind(r->keys, 76, &r->err), DBK_OK);
    reopen_keys(r);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_int_equal(is.erased_through, 0);
}

static void a_rotation_completes_the_erasures_before_it(void **state)
{
    struct ring *r = *state;
    const uint64_t number = 5;
    struct dbk_keys_rotation rotation;
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 77, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_true(is.rotated_through == 0 && is.rotated_at == 0);
    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 90, &r->err), DBK_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
        assert_int_equal(is.erased_through, 90);
        assert_int_equal(is.rotated_through, 77);
        assert_true(is.rotated_at > 0);
        reopen_keys(r);
    }
    assert_int_equal(dbk_keys_rewind(r->keys, 80, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_int_equal(is.rotated_through, 0);
}

static void somebody_new_never_gets_an_erased_key(void **state)
{
    struct ring *r = *state;
    const uint64_t numbers[] = {3, 4};
    uint8_t key[DBK_KEY_BYTES];
    uint64_t number;

    assert_int_equal(dbk_keys_next(r->keys, 2, &number, key, &r->err), DBK_OK);
    assert_int_equal(number, 3);
    assert_int_equal(dbk_keys_erase(r->keys, numbers, 2, 0, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_next(r->keys, 2, &number, key, &r->err), DBK_OK);
    assert_int_equal(number, 5);
}

static void a_ring_grows_ahead_of_what_is_used(void **state)
{
    struct ring *r = *state;
    uint8_t before[DBK_KEY_BYTES], key[DBK_KEY_BYTES];
    struct dbk_keys_state is;

    assert_int_equal(get(r, DBK_KEYS_AHEAD, before), DBK_OK);
    assert_int_equal(dbk_keys_ahead(r->keys, 0, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_ahead(r->keys, 10000, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_true(is.count >= 10000 + DBK_KEYS_AHEAD);
    reopen_keys(r);
    assert_int_equal(get(r, 10000 + DBK_KEYS_AHEAD, key), DBK_OK);
    assert_int_equal(get(r, DBK_KEYS_AHEAD, key), DBK_OK);
    assert_memory_equal(before, key, sizeof key);
}

static atomic_int needed; /* what dbk_keys_need gave; -1: nothing yet */

static void *need(void *state)
{
    struct ring *r = state;

    atomic_store(&needed, (int)dbk_keys_need(r->keys, 7, NULL));
    return NULL;
}

/* Who writes to the log asks with each new number, and a rotation may take minutes. */
static void
nobody_waits_for_a_change_where_the_ring_is_known_to_be_long_enough(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_state now;
    pthread_t thread;
    int while_changing;

    assert_int_equal(dbk_keys_state(r->keys, &now, &r->err), DBK_OK);
    atomic_store(&needed, -1);
    assert_int_equal(ring_change_begin(r->keys, &r->err), DBK_OK);
    assert_int_equal(pthread_create(&thread, NULL, need, r), 0);
    for (int64_t end = dbk_clock_ms() + PATIENCE_MS;
         atomic_load(&needed) < 0 && dbk_clock_ms() < end;)
        dbk_sleep_ms(1);
    while_changing = atomic_load(&needed);
    ring_change_end(r->keys);
    pthread_join(thread, NULL);
    assert_int_equal(while_changing, DBK_OK);
    assert_int_equal(truncate(in_ring(r, "ring"), RING_SLOT_AT(7)), 0);
    assert_told(r, dbk_keys_state(r->keys, &now, &r->err), DBK_KEYS_AWAY,
                "ends at key 6, and the log uses 7");
}

static void a_ring_is_of_one_log(void **state)
{
    struct ring *r = *state;
    const uint8_t first[DBK_KEYS_FIRST_BYTES] = {1}, other[DBK_KEYS_FIRST_BYTES] = {2};

    assert_int_equal(dbk_keys_bind(r->keys, first, &r->err), DBK_OK);
    reopen_keys(r);
    assert_int_equal(dbk_keys_bind(r->keys, first, &r->err), DBK_OK);
    assert_told(r, dbk_keys_bind(r->keys, other, &r->err), DBK_CONFLICT,
                "of another log");
}

static void a_second_ring_is_not_made_over_the_first(void **state)
{
    struct ring *r = *state;

    assert_int_equal(dbk_keys_make(r->dir, NULL, &r->err), DBK_EXISTS);
}

static void nobody_else_may_read_what_is_made(void **state)
{
    static const char *const names[] = {".", "ring", "master"};
    struct ring *r = *state;
    struct stat status;

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(in_ring(r, names[i]), &status), 0);
        assert_int_equal(status.st_mode & 0777, i == 0 ? 0700 : 0600);
    }
}

/* The email's is BLAKE2b-128 as other implementations have it. */
static void a_text_has_a_tag_by_its_kind(void **state)
{
    static const char email[] = "kate@marauders.mock";
    struct ring *r = *state;
    uint8_t tags[4][DBK_KEY_TAG_BYTES], again[DBK_KEY_TAG_BYTES];
    char hex[2 * DBK_KEY_TAG_BYTES + 1];

    for (size_t i = 0; i < DBK_KEY_BYTES; i++)
        r->keys->secrets->pepper[i] = (uint8_t)(0x80 + i);
    for (size_t i = 0; i < 4; i++) {
        dbk_keys_tag(r->keys, (enum dbk_key_tag)i, dbk_slice(email), tags[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(tags[i], tags[k], sizeof tags[i]);
    }
    sodium_bin2hex(hex, sizeof hex, tags[DBK_TAG_EMAIL], DBK_KEY_TAG_BYTES);
    assert_string_equal(hex, "a43a9fd5ef384c90565c99f25fe300e7");
    dbk_keys_tag(r->keys, DBK_TAG_EMAIL, (struct dbk_slice){NULL, 0}, again);
    assert_memory_not_equal(again, tags[DBK_TAG_EMAIL], sizeof again);
}

static void tags_outlive_the_ring_being_closed(void **state)
{
    struct ring *r = *state;
    uint8_t before[DBK_KEY_TAG_BYTES], after[DBK_KEY_TAG_BYTES];

    dbk_keys_tag(r->keys, DBK_TAG_EMAIL, dbk_slice("a@x.mock"), before);
    reopen_keys(r);
    dbk_keys_tag(r->keys, DBK_TAG_EMAIL, dbk_slice("a@x.mock"), after);
    assert_memory_equal(before, after, sizeof after);
}

/* Written by hand after the description in ring_format.h. */
static void a_ring_made_elsewhere_is_read(void **state)
{
    static const char golden[] = SOURCE_DIR "/tests/fuzz/corpus/ring/whole";
    struct ring *r = *state;
    uint8_t master[DBK_KEY_BYTES], key[DBK_KEY_BYTES], expected[DBK_KEY_BYTES];
    uint8_t tag[DBK_KEY_TAG_BYTES];
    char command[300], hex[2 * sizeof tag + 1];
    struct dbk_keys_state is;

    for (size_t i = 0; i < sizeof master; i++)
        master[i] = (uint8_t)(0xa0 + i);
    close_keys(r);
    assert_int_equal(truncate(in_ring(r, "master"), sizeof master), 0);
    poke(r, "master", 0, master, sizeof master);
    snprintf(command, sizeof command, "cp %s %s", golden, in_ring(r, "ring"));
    assert_int_equal(system(command), 0);
    open_keys(r);
    for (uint8_t i = 1; i <= 7; i++) {
        memset(expected, i, sizeof expected);
        assert_int_equal(get(r, i, key), i == 2 ? DBK_NOT_FOUND : DBK_OK);
        if (i != 2)
            assert_memory_equal(key, expected, sizeof key);
    }
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_true(is.epoch == 3 && is.count == 7 && is.erased_through == 41);
    assert_true(is.bound && is.first[31] == 1 && is.copied_count == 5);
    dbk_keys_tag(r->keys, DBK_TAG_EMAIL, dbk_slice("kate@marauders.mock"), tag);
    sodium_bin2hex(hex, sizeof hex, tag, sizeof tag);
    assert_string_equal(hex, "a43a9fd5ef384c90565c99f25fe300e7");
}

static void assert_other_salt(const struct ring *r, const char *name, uint64_t number,
                              const uint8_t salt[RING_SALT])
{
    uint8_t other[RING_SALT];

    peek(r, name, RING_SLOT_AT(number) + RING_WRAPPED - RING_SALT, other, sizeof other);
    assert_memory_not_equal(other, salt, sizeof other);
}

/* So that no nonce is used for two keys. */
static void what_one_master_key_wraps_as_one_number_has_salts_of_its_own(void **state)
{
    struct ring *r = *state;
    const struct dbk_keys_options options = {.master = in_ring(r, "master")};
    uint8_t salt[RING_SALT];

    peek(r, "ring", RING_SLOT_AT(UINT64_C(101)) + RING_WRAPPED - RING_SALT, salt,
         sizeof salt);
    assert_other_salt(r, "ring", 102, salt);
    close_keys(r);
    assert_int_equal(dbk_keys_make(in_ring(r, "other"), &options, &r->err), DBK_OK);
    assert_other_salt(r, "other/ring", 101, salt);
    /* An older copy, which grows again. */
    assert_int_equal(truncate(in_ring(r, "ring"), RING_SLOT_AT(101)), 0);
    open_keys(r);
    assert_int_equal(dbk_keys_ahead(r->keys, 100, &r->err), DBK_OK);
    assert_other_salt(r, "ring", 101, salt);
    assert_int_equal(dbk_keys_make(in_ring(r, "other"), &options, &r->err), DBK_EXISTS);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, ring_setup, ring_teardown)
    const struct CMUnitTest tests[] = {
        TEST(keys_are_the_same_each_time_and_all_different),
        TEST(a_number_beyond_the_ring_is_none_of_its),
        TEST(what_one_master_key_wraps_as_one_number_has_salts_of_its_own),
        TEST(an_erased_key_is_gone_and_its_neighbours_are_not),
        TEST(the_ring_knows_how_far_erasures_are_done),
        TEST(a_ring_ahead_of_its_log_forgets_how_far_it_was),
        TEST(a_rotation_completes_the_erasures_before_it),
        TEST(somebody_new_never_gets_an_erased_key),
        TEST(a_ring_grows_ahead_of_what_is_used),
        TEST(nobody_waits_for_a_change_where_the_ring_is_known_to_be_long_enough),
        TEST(a_ring_is_of_one_log),
        TEST(a_second_ring_is_not_made_over_the_first),
        TEST(nobody_else_may_read_what_is_made),
        TEST(a_text_has_a_tag_by_its_kind),
        TEST(tags_outlive_the_ring_being_closed),
        TEST(a_ring_made_elsewhere_is_read),
    };

    return cmocka_run_group_tests(tests, make_template, remove_template) != 0;
}
