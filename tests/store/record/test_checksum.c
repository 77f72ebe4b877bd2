#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checksum.h"

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
static void it_is_the_known_crc(void **state)
{
    (void)state;
    assert_int_equal(dbk_checksum("123456789", 9), 0xCBF43926);
    assert_int_equal(dbk_checksum("", 0), 0);
}

static void it_is_zlibs_for_every_length(void **state)
{
    (void)state;
    for (size_t length = 0; length < 1200; length++) {
        char *bytes = malloc(length + 1); /* of its very size, for ASan */
        for (size_t skip = 0; skip <= 1 && skip <= length; skip++) {
            fill(bytes, length);
            assert_int_equal(
                dbk_checksum(bytes + skip, length - skip),
                crc32_z(0, (const unsigned char *)bytes + skip, length - skip));
        }
        free(bytes);
    }
}

static void it_is_zlibs_for_the_longest_and_for_plain_bytes(void **state)
{
    static const int values[] = {0, 0xFF, 0x80};
    char *bytes = malloc(LONGEST);

    (void)state;
    fill(bytes, LONGEST);
    assert_int_equal(dbk_checksum(bytes, LONGEST),
                     crc32_z(0, (const unsigned char *)bytes, LONGEST));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        memset(bytes, values[i], LONGEST);
        for (size_t length = 60; length < LONGEST; length += 997)
            assert_int_equal(dbk_checksum(bytes, length),
                             crc32_z(0, (const unsigned char *)bytes, length));
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_known_crc),
        cmocka_unit_test(it_is_zlibs_for_every_length),
        cmocka_unit_test(it_is_zlibs_for_the_longest_and_for_plain_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
