/* What is sealed is, byte by byte, what others make of it, and what it was before. */
#include "sealed_cases.h"

static void from_hex(const char *hex, char *out)
{
    for (; *hex; hex += 2) {
        unsigned byte;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        *out++ = (char)byte;
    }
}

/* By pycryptodome and by libsodium, which agree. */
static void blobs_are_what_others_make(void **state)
{
    static const struct {
        const char *aad, *plain, *blob;
    } vectors[] = {
        {"44424b320101a2224b1fb072da9ab17590e0fa943c01a2224b1fb072da9ab17590e0fa943c",
         "84a5656d61696cb36b617465406d61726175646572732e6d6f636baa66697273745f6e616d65a"
         "4"
         "4b617465a96c6173745f6e616d65a55072796465a4726f6c65a475736572",
         "606162636465666768696a6b6c6d6e6f707172737475767711db9608127b8f9896d2431f1aafb"
         "c"
         "999d52cdd38f12c82a8e0c9060f1392d71ca596e4f3fd7d9761387a772c932293b11c6a860005"
         "a"
         "3fad2b86e02a5e2aea0f700dc70e4fb88d52b55384fb024565ebd3107be8c5"},
        {"44424b320401a2224b1fb072978f1b9608679441c701a2224b1fb072da9ab17590e0fa943c",
         "82aa6576656e745f74797065a5636c69636baa70726f70657274696573b17b2270616765223a2"
         "0"
         "222f686f6d65227d",
         "606162636465666768696a6b6c6d6e6f707172737475767717d49613167c977489ca471fffa1b"
         "1"
         "829f4c03c68f0e9622931b92afe4e12420ce67674b70885d1f5d9badb6c071272ef6113c3beef"
         "2"
         "838ec548e3c1f6e39a"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char aad_bytes[64], plain[128], blob[192], made[192], opened[128];
        size_t length = strlen(vectors[i].plain) / 2;
        struct dbk_slice aad = {aad_bytes, strlen(vectors[i].aad) / 2};

        from_hex(vectors[i].aad, aad_bytes);
        from_hex(vectors[i].plain, plain);
        from_hex(vectors[i].blob, blob);
        memcpy(made + SEAL_NONCE, plain, length);
        seal_in_place(key, aad, nonce, made, length);
        assert_memory_equal(made, blob, length + SEAL_OVERHEAD);
        assert_true(seal_open(
            key, aad, (struct dbk_slice){blob, length + SEAL_OVERHEAD}, opened));
        assert_memory_equal(opened, plain, length);
    }
}

/* By Python's hashlib. */
static void the_key_of_an_event_is_what_others_mix(void **state)
{
    uint8_t month[SEAL_KEY], mixed[SEAL_KEY];
    char expected[SEAL_KEY];
    (void)state;

    for (size_t i = 0; i < sizeof month; i++)
        month[i] = (uint8_t)(0x80 + i);
    from_hex("e061d0e41898ec2e46315c203a39ecf4fe784f2be40b95c5cb4b634613ae0293",
             expected);
    dbk_record_mix(key, month, mixed);
    assert_memory_equal(mixed, expected, sizeof mixed);
    dbk_record_mix(month, key, mixed);
    assert_memory_not_equal(mixed, expected, sizeof mixed);
}

/* The first case is bound to what the first vector is. */
static void a_record_is_bound_to_type_subject_and_person(void **state)
{
    char bound[RECORD_BOUND_TO], expected[RECORD_BOUND_TO];
    (void)state;

    from_hex(
        "44424b320101a2224b1fb072da9ab17590e0fa943c01a2224b1fb072da9ab17590e0fa943c",
        expected);
    assert_int_equal(record_bound_to(&cases[0].record, bound).length, sizeof expected);
    assert_memory_equal(bound, expected, sizeof expected);
}

static void no_two_blobs_have_one_nonce(void **state)
{
    enum { BLOBS = 200 };
    static char blobs[BLOBS][SEAL_OVERHEAD];
    (void)state;

    for (size_t i = 0; i < BLOBS; i++) {
        seal_in_place(key, dbk_slice(""), NULL, blobs[i], 0);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(blobs[i], blobs[j], SEAL_NONCE);
    }
}

static void the_same_is_sealed_the_same_where_that_is_asked_for(void **state)
{
    char one[SEAL_OVERHEAD + 4], two[SEAL_OVERHEAD + 4], out[4];
    const struct dbk_slice aad = dbk_slice("aad"), other = dbk_slice("add");
    (void)state;

    memcpy(one + SEAL_NONCE, "text", 4);
    memcpy(two + SEAL_NONCE, "text", 4);
    seal_the_same(key, aad, one, 4);
    seal_the_same(key, aad, two, 4);
    assert_memory_equal(one, two, sizeof one);
    assert_true(seal_open(key, aad, (struct dbk_slice){one, sizeof one}, out));
    assert_memory_equal(out, "text", 4);
    memcpy(two + SEAL_NONCE, "texu", 4);
    seal_the_same(key, aad, two, 4);
    assert_memory_not_equal(one, two, SEAL_NONCE);
    memcpy(two + SEAL_NONCE, "text", 4);
    seal_the_same(key, other, two, 4);
    assert_memory_not_equal(one, two, SEAL_NONCE);
}

static void bytes_are_the_golden_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        char path[512], golden[1024], again[DBK_RECORD_MAX];
        size_t length, written;
        FILE *file;

        snprintf(path, sizeof path, "%s/tests/store/golden/%s.msgpack", SOURCE_DIR,
                 cases[i].name);
        file = fopen(path, "rb");
        if (!file)
            fail_msg("%s is missing", path);
        length = fread(golden, 1, sizeof golden, file);
        fclose(file);
        assert_int_equal(length, sealed->length);
        assert_memory_equal(golden, sealed->bytes, length);
        /* One that was not opened is written as it was. */
        assert_int_equal(
            dbk_record_encode(&sealed->record, again, sizeof again, &written, NULL),
            DBK_OK);
        assert_int_equal(written, length);
        assert_memory_equal(again, golden, length);
    }
}

static void write_golden(void)
{
    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        char path[512];
        FILE *file;

        snprintf(path, sizeof path, "%s/tests/store/golden/%s.msgpack", SOURCE_DIR,
                 cases[i].name);
        file = fopen(path, "wbx"); /* never over one that exists */
        if (file) {
            fwrite(sealed->bytes, 1, sealed->length, file);
            fclose(file);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_are_what_others_make),
        cmocka_unit_test(the_key_of_an_event_is_what_others_mix),
        cmocka_unit_test(a_record_is_bound_to_type_subject_and_person),
        cmocka_unit_test(no_two_blobs_have_one_nonce),
        cmocka_unit_test(the_same_is_sealed_the_same_where_that_is_asked_for),
        cmocka_unit_test(bytes_are_the_golden_ones),
    };

    /* As in test_record.c. */
    if (argc > 1 && !strcmp(argv[1], "--write-golden")) {
        write_golden();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
