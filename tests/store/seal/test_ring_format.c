/* The ring's bytes: as other implementations make them, and none but whole ones are taken. */
#include "scratch_ring.h"

#include <sodium.h>

static void fill(uint8_t *bytes, size_t length, uint8_t from)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(from + i);
}

static void assert_hex(const uint8_t *bytes, size_t length, const char *hex)
{
    char text[256];

    sodium_bin2hex(text, sizeof text, bytes, length);
    assert_string_equal(text, hex);
}

/* By pycryptodome and by libsodium, which agree. */
static void a_key_is_wrapped_as_elsewhere(void **state)
{
    uint8_t master[DBK_KEY_BYTES], key[DBK_KEY_BYTES], wrapped[RING_WRAPPED],
        back[DBK_KEY_BYTES], salt[RING_SALT];

    (void)state;
    fill(master, sizeof master, 0xa0);
    fill(key, sizeof key, 0x40);
    fill(salt, sizeof salt, 0x90);
    ring_wrap(master, 3, 7, salt, key, wrapped);
    assert_hex(wrapped, sizeof wrapped,
               "c1d7c4a6b7e18e189e934733d328e21edd9e7d320f264965d84071383d34e670"
               "5ce2bfa86ba57d3a1744fba136598acc9091929394959697");
    assert_true(ring_unwrap(master, 3, 7, wrapped, back));
    assert_memory_equal(back, key, sizeof key);
}

static void a_key_opens_as_what_it_was_wrapped_as_only(void **state)
{
    uint8_t master[DBK_KEY_BYTES] = {1}, key[DBK_KEY_BYTES] = {2},
            wrapped[RING_WRAPPED], back[DBK_KEY_BYTES], salt[RING_SALT] = {3};

    (void)state;
    ring_wrap(master, 3, 7, salt, key, wrapped);
    assert_false(ring_unwrap(master, 3, 8, wrapped, back));
    assert_false(ring_unwrap(master, 4, 7, wrapped, back));
    for (size_t i = 0; i < sizeof wrapped; i++) {
        wrapped[i] ^= 1;
        assert_false(ring_unwrap(master, 3, 7, wrapped, back));
        wrapped[i] ^= 1;
    }
    master[31] ^= 1;
    assert_false(ring_unwrap(master, 3, 7, wrapped, back));
}

static void a_slot_with_any_byte_changed_is_torn(void **state)
{
    uint8_t wrapped[RING_WRAPPED], slot[RING_SLOT], none[RING_SLOT] = {0};

    (void)state;
    fill(wrapped, sizeof wrapped, 1);
    ring_slot_write(9, wrapped, slot);
    assert_int_equal(ring_slot_read(slot, 9), RING_KEY);
    assert_int_equal(ring_slot_read(slot, 8), RING_TORN);
    for (size_t i = 0; i < sizeof slot; i++) {
        slot[i] ^= 0x10;
        assert_int_equal(ring_slot_read(slot, 9), RING_TORN);
        slot[i] ^= 0x10;
    }
    ring_slot_write(9, NULL, slot);
    assert_int_equal(ring_slot_read(slot, 9), RING_ERASED);
    assert_memory_equal(slot, none, RING_WRAPPED);
    assert_int_equal(ring_slot_read(none, 0), RING_TORN);
}

static void of_two_marks_the_newer_whole_one_counts(void **state)
{
    struct ring_mark older = {.generation = 4, .erased_through = 40, .first = {7}},
                     newer = {.generation = 5,
                              .erased_through = 50,
                              .copied_epoch = 1,
                              .copied_count = 2,
                              .copied_at = 3,
                              .rotated_through = 6,
                              .rotated_at = 7},
                     read = {0};
    uint8_t page[RING_PAGE] = {0};
    unsigned place = 9;

    (void)state;
    assert_false(ring_mark_read(page, &read, &place));
    ring_mark_write(&newer, page + RING_MARK_AT(0));
    ring_mark_write(&older, page + RING_MARK_AT(1));
    assert_true(ring_mark_read(page, &read, &place));
    assert_int_equal(place, 0);
    assert_memory_equal(&read, &newer, sizeof read);
    page[RING_MARK_AT(0) + 8] ^= 1;
    assert_true(ring_mark_read(page, &read, &place));
    assert_int_equal(place, 1);
    assert_memory_equal(&read, &older, sizeof read);
}

static void the_pages_first_part_is_known_by_each_byte(void **state)
{
    struct ring_fixed fixed = {.epoch = 3}, read;
    uint8_t page[RING_FIXED];
    struct dbk_error err;

    (void)state;
    fill(fixed.master_id, sizeof fixed.master_id, 1);
    fill(fixed.pepper, sizeof fixed.pepper, 2);
    ring_fixed_write(&fixed, page);
    assert_int_equal(ring_fixed_read(page, &read, &err), DBK_OK);
    assert_memory_equal(&read, &fixed, sizeof read);
    for (size_t i = 0; i < sizeof page; i++) {
        page[i] ^= 1;
        assert_int_not_equal(ring_fixed_read(page, &read, &err), DBK_OK);
        page[i] ^= 1;
    }
    page[4] = 2;
    assert_int_equal(ring_fixed_read(page, &read, &err), DBK_UNSUPPORTED);
}

static void a_file_has_its_whole_slots(void **state)
{
    (void)state;
    assert_int_equal(ring_count(0), 0);
    assert_int_equal(ring_count(RING_PAGE + RING_SLOT - 1), 0);
    assert_int_equal(ring_count(RING_PAGE + RING_SLOT), 1);
    assert_int_equal(RING_SLOT_AT(UINT64_C(1)), RING_PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_wrapped_as_elsewhere),
        cmocka_unit_test(a_key_opens_as_what_it_was_wrapped_as_only),
        cmocka_unit_test(a_slot_with_any_byte_changed_is_torn),
        cmocka_unit_test(of_two_marks_the_newer_whole_one_counts),
        cmocka_unit_test(the_pages_first_part_is_known_by_each_byte),
        cmocka_unit_test(a_file_has_its_whole_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
