/* A ring that is not the right one, or not whole, and its copies: told in a sentence that says
 * what to do, and never a key that is another's. */
#include "scratch_ring.h"

static void a_lost_ring_is_told(void **state)
{
    struct ring *r = *state;

    unlink(in_ring(r, "ring"));
    assert_told(r, open_again(r), DBK_NOT_FOUND, "put back the copy");
}

static void a_ring_cut_in_its_page_is_told(void **state)
{
    struct ring *r = *state;

    assert_int_equal(truncate(in_ring(r, "ring"), RING_PAGE - 1), 0);
    assert_told(r, open_again(r), DBK_DAMAGED, "cut short");
    assert_int_equal(truncate(in_ring(r, "ring"), 0), 0);
    assert_told(r, open_again(r), DBK_DAMAGED, "cut short");
}

static void a_ring_cut_below_what_the_log_uses_is_told(void **state)
{
    struct ring *r = *state;
    uint8_t key[DBK_KEY_BYTES];

    close_keys(r);
    assert_int_equal(truncate(in_ring(r, "ring"), RING_SLOT_AT(100) + 5), 0);
    open_keys(r);
    assert_told(r, get(r, 100, key), DBK_INVALID, "it ends before");
    assert_int_equal(get(r, 99, key), DBK_OK);
    assert_told(r, dbk_keys_ahead(r->keys, 100, &r->err), DBK_KEYS_AWAY,
                "ends at key 99, and the log uses 100");
    assert_told(r, get(r, 99, key), DBK_KEYS_AWAY, "put back the newest");
    reopen_keys(r);
    assert_told(r, dbk_keys_need(r->keys, 100, &r->err), DBK_KEYS_AWAY,
                "ends at key 99");
    reopen_keys(r);
    assert_int_equal(dbk_keys_ahead(r->keys, 99, &r->err), DBK_OK);
    assert_int_equal(get(r, 100, key), DBK_OK);
}

static void a_torn_slot_is_told_and_no_other_is_touched(void **state)
{
    struct ring *r = *state;
    uint8_t key[DBK_KEY_BYTES], before[DBK_KEY_BYTES];
    struct dbk_keys_rotation rotation;
    struct dbk_keys_check found;
    uint64_t number;

    assert_int_equal(get(r, 51, before), DBK_OK);
    poke(r, "ring", RING_SLOT_AT(UINT64_C(50)) + 10, "torn", 4);
    assert_told(r, get(r, 50, key), DBK_DAMAGED, "key 50");
    assert_int_equal(get(r, 51, key), DBK_OK);
    assert_memory_equal(key, before, sizeof key);
    assert_int_equal(dbk_keys_check(r->keys, &found, &r->err), DBK_OK);
    assert_int_equal(found.damaged, 1);
    assert_int_equal(found.first_damaged, 50);
    /* A copy may have it, which is not replaced, and must stay of use. */
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, "../copy"), &r->err),
                DBK_DAMAGED, "key 50");
    assert_int_not_equal(access(in_ring(r, "../copy"), F_OK), 0);
    assert_told(r, dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_DAMAGED, "key 50");
    assert_int_equal(dbk_keys_ahead(r->keys, 60, &r->err), DBK_OK);
    assert_told(r, get(r, 50, key), DBK_DAMAGED, "key 50");
    /* Nobody new gets it, or waits for it. */
    assert_int_equal(dbk_keys_next(r->keys, 49, &number, key, &r->err), DBK_OK);
    assert_int_equal(number, 51);
    assert_memory_equal(key, before, sizeof key);
}

static void another_numbers_slot_is_not_taken_for_it(void **state)
{
    struct ring *r = *state;
    uint8_t slot[RING_SLOT], wrapped[RING_WRAPPED], key[DBK_KEY_BYTES];

    peek(r, "ring", RING_SLOT_AT(UINT64_C(7)), slot, sizeof slot);
    poke(r, "ring", RING_SLOT_AT(UINT64_C(8)), slot, sizeof slot);
    assert_told(r, get(r, 8, key), DBK_DAMAGED, "key 8");
    memcpy(wrapped, slot, sizeof wrapped); /* with a checksum that is right */
    ring_slot_write(8, wrapped, slot);
    poke(r, "ring", RING_SLOT_AT(UINT64_C(8)), slot, sizeof slot);
    assert_told(r, get(r, 8, key), DBK_DAMAGED, "key 8");
}

static void a_damaged_page_is_told_and_one_torn_mark_is_not_missed(void **state)
{
    struct ring *r = *state;
    const uint64_t number = 5;
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 70, &r->err), DBK_OK);
    poke(r, "ring", RING_MARK_AT(0), "torn", 4);
    assert_int_equal(open_again(r), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_true(is.erased_through == 70 || is.erased_through == 0);
    poke(r, "ring", RING_MARK_AT(1), "torn", 4);
    assert_told(r, open_again(r), DBK_DAMAGED, "put back the copy");
    poke(r, "ring", 0, "nope", 4);
    assert_told(r, open_again(r), DBK_DAMAGED, "no ring of keys");
}

/* Copies. */

static void a_copy_takes_the_place_of_nothing_but_an_older_one(void **state)
{
    struct ring *r = *state, other = *r;
    const uint64_t number = 7;
    const char *const to = "../copy";
    struct dbk_keys_state is;

    write_file(r, to, "a letter", 8);
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_EXISTS,
                "no ring of keys");
    unlink(in_ring(r, to));
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, "ring"), &r->err), DBK_INVALID,
                "the ring itself");
    assert_int_equal(dbk_keys_bind(r->keys, (const uint8_t[32]){1}, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_OK);
    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 5, &r->err), DBK_OK);
    copy_file(r, to, "../older");
    assert_int_equal(dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_int_equal(is.copied_epoch, 1);
    assert_int_equal(is.copied_count, is.count);
    assert_true(is.copied_at > 0);
    close_keys(r);
    copy_file(r, "../older", "ring");
    open_keys(r);
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_CONFLICT,
                "is newer than");
    snprintf(other.dir, sizeof other.dir, "%s/other", r->root);
    assert_int_equal(dbk_keys_make(other.dir, NULL, &r->err), DBK_OK);
    close_keys(r);
    assert_int_equal(dbk_keys_open(other.dir, NULL, &r->keys, &r->err), DBK_OK);
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_CONFLICT,
                "another log's");
}

static void a_copy_counts_once_it_is_noted(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_copied first, second;
    struct dbk_keys_rotation rotation;
    struct dbk_keys_state told;

    assert_int_equal(dbk_keys_copy(r->keys, in_ring(r, "../copy"), &first, &r->err),
                     DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &told, &r->err), DBK_OK);
    assert_int_equal(told.copied_epoch, 0);
    assert_int_equal(dbk_keys_note_copy(r->keys, &first, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &told, &r->err), DBK_OK);
    assert_true(told.copied_epoch == 1 && told.copied_count == told.count &&
                told.copied_at == first.at);

    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_copy(r->keys, in_ring(r, "../copy"), &second, &r->err),
                     DBK_OK);
    assert_int_equal(dbk_keys_note_copy(r->keys, &second, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_note_copy(r->keys, &first, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &told, &r->err), DBK_OK);
    assert_int_equal(told.copied_epoch, 2);
}

static void a_rotation_makes_the_older_copy_worthless(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_rotation rotation;
    uint8_t key[DBK_KEY_BYTES], before[DBK_KEY_BYTES];

    assert_int_equal(get(r, 7, before), DBK_OK);
    assert_int_equal(dbk_keys_backup(r->keys, in_ring(r, "../copy"), &r->err), DBK_OK);
    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_OK);
    assert_true(rotation.done && rotation.epoch == 2 && rotation.erased == 0);
    assert_int_equal(get(r, 7, key), DBK_OK);
    assert_memory_equal(key, before, sizeof key);
    copy_file(r, "../copy", "ring");
    assert_told(r, open_again(r), DBK_CONFLICT, "not the master key");
}

static void a_ring_is_read_where_nothing_can_be_written(void **state)
{
    struct ring *r = *state;
    const struct dbk_keys_options options = {.read_only = true};
    struct dbk_keys_rotation rotation;
    const uint64_t number = 1;
    uint8_t key[DBK_KEY_BYTES];

    close_keys(r);
    unlink(in_ring(r, "lock"));
    assert_int_equal(chmod(in_ring(r, "ring"), 0400), 0);
    assert_int_equal(chmod(r->dir, 0500), 0);
    assert_int_equal(dbk_keys_open(r->dir, &options, &r->keys, &r->err), DBK_OK);
    assert_int_equal(get(r, 1, key), DBK_OK);
    assert_told(r, dbk_keys_erase(r->keys, &number, 1, 0, &r->err), DBK_UNSUPPORTED,
                "reading only");
    assert_int_equal(dbk_keys_ahead(r->keys, 1, &r->err), DBK_UNSUPPORTED);
    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_UNSUPPORTED);
    assert_int_equal(dbk_keys_backup(r->keys, "/nowhere", &r->err), DBK_UNSUPPORTED);
    assert_int_equal(chmod(r->dir, 0700), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, ring_setup, ring_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_lost_ring_is_told),
        TEST(a_ring_cut_in_its_page_is_told),
        TEST(a_ring_cut_below_what_the_log_uses_is_told),
        TEST(a_torn_slot_is_told_and_no_other_is_touched),
        TEST(another_numbers_slot_is_not_taken_for_it),
        TEST(a_damaged_page_is_told_and_one_torn_mark_is_not_missed),
        TEST(a_copy_takes_the_place_of_nothing_but_an_older_one),
        TEST(a_copy_counts_once_it_is_noted),
        TEST(a_rotation_makes_the_older_copy_worthless),
        TEST(a_ring_is_read_where_nothing_can_be_written),
    };

    return cmocka_run_group_tests(tests, make_template, remove_template) != 0;
}
