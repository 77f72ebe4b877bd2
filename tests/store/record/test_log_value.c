#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log_value.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LONGEST 70000

static void fill(char *bytes, size_t length)
{
    uint32_t state = 1;

    for (size_t i = 0; i < length; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (char)(state >> 24);
    }
}

/* Source: the check value of CRC-32/ISO-HDLC. */
static void a_record_is_followed_by_its_known_crc(void **state)
{
    char value[9 + LOG_VALUE_CHECKSUM];

    (void)state;
    log_value_write(value, "123456789", 9);
    assert_memory_equal(value, "123456789\x26\x39\xF4\xCB", sizeof value);
    assert_int_equal(log_value_checksum(value, 9), 0xCBF43926);
}

/* What was written before is checked now: with zlib's, as exports are, too. */
static void it_is_zlibs(const char *record, size_t length)
{
    char *value = malloc(length + LOG_VALUE_CHECKSUM); /* of its very size, for ASan */
    size_t found;

    log_value_write(value, record, length);
    assert_memory_equal(value, record, length);
    assert_int_equal(log_value_checksum(value, length),
                     crc32_z(0, (const unsigned char *)record, length));
    assert_true(log_value_check(value, length + LOG_VALUE_CHECKSUM, &found));
    assert_int_equal(found, length);
    free(value);
}

static void it_is_zlibs_for_every_length_and_place(void **state)
{
    static char bytes[LONGEST];

    (void)state;
    fill(bytes, sizeof bytes);
    for (size_t length = 0; length < 1200; length++)
        it_is_zlibs(bytes + length % 17, length);
    it_is_zlibs(bytes, LONGEST);
    memset(bytes, 0, LONGEST);
    it_is_zlibs(bytes, LONGEST);
}

static void a_changed_bit_and_a_cut_are_known(void **state)
{
    char value[300 + LOG_VALUE_CHECKSUM], record[300];
    size_t length;

    (void)state;
    fill(record, sizeof record);
    log_value_write(value, record, sizeof record);
    for (size_t bit = 0; bit < sizeof value * 8; bit++) {
        value[bit / 8] = (char)(value[bit / 8] ^ 1 << bit % 8);
        assert_false(log_value_check(value, sizeof value, &length));
        value[bit / 8] = (char)(value[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t size = 0; size < sizeof value; size++)
        assert_false(log_value_check(value, size, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_followed_by_its_known_crc),
        cmocka_unit_test(it_is_zlibs_for_every_length_and_place),
        cmocka_unit_test(a_changed_bit_and_a_cut_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
