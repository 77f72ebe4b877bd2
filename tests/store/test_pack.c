#include "pack.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <msgpack.h>

/* The same item, written by msgpack-c. */
struct theirs {
    msgpack_sbuffer buffer;
    msgpack_packer packer;
};

static void begin(struct theirs *theirs)
{
    msgpack_sbuffer_init(&theirs->buffer);
    msgpack_packer_init(&theirs->packer, &theirs->buffer, msgpack_sbuffer_write);
}

static void compare(struct theirs *theirs, const char *start, struct dbk_pack *ours)
{
    assert_false(ours->full);
    assert_int_equal(ours->at - start, theirs->buffer.size);
    assert_memory_equal(start, theirs->buffer.data, theirs->buffer.size);
    msgpack_sbuffer_destroy(&theirs->buffer);
}

static void compare_integer(int64_t number)
{
    char bytes[16];
    struct dbk_pack pack = {.at = bytes, .end = bytes + sizeof bytes};
    struct theirs theirs;

    begin(&theirs);
    msgpack_pack_int64(&theirs.packer, number);
    dbk_pack_int(&pack, number);
    compare(&theirs, bytes, &pack);
}

static void integers_are_as_short_as_msgpack_has_them(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 63; bit++) {
        int64_t power = INT64_C(1) << bit;

        for (int64_t near = -2; near <= 2; near++) {
            compare_integer(power + near);
            compare_integer(-power + near);
        }
    }
    compare_integer(INT64_MAX);
    compare_integer(INT64_MIN);
}

static void texts_have_the_headers_of_msgpack(void **state)
{
    static char text[70000], bytes[70010];
    static const size_t lengths[] = {0, 1, 31, 32, 255, 256, 65535, 65536, 70000};
    (void)state;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct dbk_pack pack = {.at = bytes, .end = bytes + sizeof bytes};
        struct theirs theirs;

        begin(&theirs);
        msgpack_pack_str(&theirs.packer, lengths[i]);
        msgpack_pack_str_body(&theirs.packer, text, lengths[i]);
        dbk_pack_str(&pack, (struct dbk_slice){text, lengths[i]});
        compare(&theirs, bytes, &pack);
    }
}

static void arrays_maps_and_bytes_have_the_headers_of_msgpack(void **state)
{
    char bytes[64];
    struct dbk_pack pack = {.at = bytes, .end = bytes + sizeof bytes};
    struct theirs theirs;
    (void)state;

    begin(&theirs);
    for (size_t count = 0; count < 16; count++) {
        msgpack_pack_array(&theirs.packer, count);
        msgpack_pack_map(&theirs.packer, count);
        dbk_pack_array(&pack, count);
        dbk_pack_map(&pack, count);
    }
    msgpack_pack_bin(&theirs.packer, 16);
    msgpack_pack_bin_body(&theirs.packer, "0123456789abcdef", 16);
    dbk_pack_bin(&pack, "0123456789abcdef", 16);
    compare(&theirs, bytes, &pack);
}

static void what_does_not_fit_is_told_and_not_written(void **state)
{
    char bytes[8] = "-------";
    struct dbk_pack pack = {.at = bytes, .end = bytes + 4};
    (void)state;

    dbk_pack_int(&pack, 1 << 20);
    assert_true(pack.full);
    assert_string_equal(bytes, "-------");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_as_short_as_msgpack_has_them),
        cmocka_unit_test(texts_have_the_headers_of_msgpack),
        cmocka_unit_test(arrays_maps_and_bytes_have_the_headers_of_msgpack),
        cmocka_unit_test(what_does_not_fit_is_told_and_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
