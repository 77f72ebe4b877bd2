/* What was changed, cut, or sealed by somebody who does not keep to the format, is damage. */
#include "sealed_cases.h"

static void another_key_or_place_does_not_open_it(void **state)
{
    struct dbk_error err;
    (void)state;

    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        struct dbk_record before = sealed->record;

        key[3] ^= 1;
        assert_int_equal(open_it(sealed, &err), DBK_DAMAGED);
        key[3] ^= 1;
        assert_non_null(strstr(err.text, "cannot be opened with the key"));
        assert_false(sealed->record.opened);
        sealed->record.subject.bytes[0] ^= 1;
        assert_int_equal(open_it(sealed, &err), DBK_DAMAGED);
        sealed->record = before;
        sealed->record.type =
            before.type == DBK_PERSON_CREATED ? DBK_PERSON_UPDATED : DBK_PERSON_CREATED;
        assert_int_equal(open_it(sealed, &err), DBK_DAMAGED);
        sealed->record = before;
        assert_int_equal(open_it(sealed, &err), DBK_OK);
    }
}

static void each_flipped_bit_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        char *from = (char *)(uintptr_t)sealed->record.sealed.data;

        for (size_t bit = 0; bit < sealed->record.sealed.length * 8; bit += 3) {
            from[bit / 8] = (char)(from[bit / 8] ^ 1 << bit % 8);
            assert_int_equal(open_it(sealed, NULL), DBK_DAMAGED);
            from[bit / 8] = (char)(from[bit / 8] ^ 1 << bit % 8);
        }
        assert_int_equal(open_it(sealed, NULL), DBK_OK);
    }
}

static void every_cut_is_damage(void **state)
{
    struct dbk_record out;
    (void)state;

    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);

        for (size_t cut = 0; cut < sealed->length; cut++) {
            char *exact = malloc(cut ? cut : 1); /* so that ASan sees a read past it */

            memcpy(exact, sealed->bytes, cut);
            assert_int_equal(dbk_record_decode(exact, cut, &out, NULL), DBK_DAMAGED);
            free(exact);
        }
    }
}

/* Seal such a map in the place of what the case has, and open that. */
static enum dbk_code open_plain(size_t i, const char *plain, size_t length,
                                struct dbk_error *err)
{
    char blob[1024], bound[RECORD_BOUND_TO];
    struct sealed *sealed = seal_case(i);

    assert_true(length + SEAL_OVERHEAD <= sizeof blob);
    memcpy(blob + SEAL_NONCE, plain, length);
    seal_in_place(key, record_bound_to(&sealed->record, bound), NULL, blob, length);
    sealed->record.sealed = (struct dbk_slice){blob, length + SEAL_OVERHEAD};
    return open_it(sealed, err);
}

/* 32 bytes each, where not told otherwise: a map, and what fills it. */
static void what_is_sealed_is_read_as_strictly_as_what_is_not(void **state)
{
#define MAP(i, text, expected)                                                         \
    {                                                                                  \
        i, text, sizeof text - 1, expected                                             \
    }
    static const struct {
        size_t i;
        const char *plain;
        size_t length;
        const char *expected; /* NULL: it is fine */
    } maps[] = {
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            NULL),
        MAP(CREATED,
            "\x82\xa4role\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            NULL),
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
            "zeros"),
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa0\xc4\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "padding"),
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa1x\xc4\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "padding"),
        MAP(UPDATED, "\x81\xa4role\xa4user", "binary bytes"),
        MAP(UPDATED, "\x80", "padding"),
        MAP(UPDATED,
            "\x82\xa4role\xa4none\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "the role"),
        MAP(UPDATED,
            "\x82\xa4rule\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "a known key"),
        MAP(UPDATED, "\x83\xa4role\xa4user\xa4role\xa4user\xa0\xc4\x08\0\0\0\0\0\0\0\0",
            "once"),
        MAP(CREATED,
            "\x82\xa5"
            "email\xa3"
            "a@b\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "all keys"),
        MAP(CREATED,
            "\x83\xa5"
            "email\xa0\xa4role\xa4user\xa0\xc4\x0b\0\0\0\0\0\0\0\0\0\0\0",
            "a longer text"),
        MAP(UPDATED,
            "\x83\xa4role\xa4user\xa4keys\xc4\x01\0\xa0\xc4\x0a\0\0\0\0\0\0\0\0\0\0",
            "numbers of keys"),
        MAP(EVENT,
            "\x81\xaa"
            "event_type\xa5"
            "click",
            NULL),
        MAP(EVENT,
            "\x81\xaa"
            "event_type\xa5"
            "click\xc0",
            "the end"),
        MAP(EVENT,
            "\x81\xaa"
            "properties\xa2{}",
            "all keys"),
        MAP(EVENT,
            "\x82\xaa"
            "event_type\xa1x\xa3key\x07",
            "a key of this type"),
        MAP(EVENT,
            "\x82\xaa"
            "event_type\xa1x\xa9person_id\xc4\x10"
            "0123456789abcdef",
            "a key of this type"),
        MAP(EVENT, "\x90", "a map"),
        MAP(EVENT, "", "a map"),
        MAP(ALIASED,
            "\x82\xac"
            "anonymous_id\xa0\xa0\xc4\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "a longer text"),
    };
    (void)state;

    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        struct dbk_error err = {.text = ""};
        enum dbk_code code = open_plain(maps[i].i, maps[i].plain, maps[i].length, &err);

        if (maps[i].expected ? !strstr(err.text, maps[i].expected) : code != DBK_OK)
            fail_msg("map %zu: %s", i, err.text);
    }
}

/* What stands in the clear is checked when it is decoded. */
static void only_what_can_be_sealed_is_of_format_4(void **state)
{
    struct dbk_record gone = cases[0].record, out;
    struct sealed *sealed = seal_case(0);
    char bytes[DBK_RECORD_MAX];
    struct dbk_error err;
    size_t length;
    (void)state;

    for (unsigned format = 1; format < 4; format++) {
        record_set_format(sealed->bytes, format);
        assert_int_equal(dbk_record_decode(sealed->bytes, sealed->length, &out, NULL),
                         DBK_DAMAGED);
    }
    gone.type = DBK_PERSON_DELETED;
    assert_int_equal(dbk_record_encode(&gone, bytes, sizeof bytes, &length, NULL),
                     DBK_OK);
    record_set_format(bytes, 4);
    assert_int_equal(dbk_record_decode(bytes, length, &out, &err), DBK_DAMAGED);
    assert_non_null(strstr(err.text, "an older format"));
}

/* A month's key is an event's matter only, and an event of format 7 names one. */
static void only_an_event_that_names_a_month_is_of_format_7(void **state)
{
    struct dbk_record out;
    (void)state;

    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        bool right = cases[i].record.month > 0;

        record_set_format(sealed->bytes, 7);
        assert_int_equal(dbk_record_decode(sealed->bytes, sealed->length, &out, NULL),
                         right ? DBK_OK : DBK_DAMAGED);
        record_set_format(sealed->bytes, 4);
        assert_int_equal(dbk_record_decode(sealed->bytes, sealed->length, &out, NULL),
                         right ? DBK_DAMAGED : DBK_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_key_or_place_does_not_open_it),
        cmocka_unit_test(each_flipped_bit_is_noticed),
        cmocka_unit_test(every_cut_is_damage),
        cmocka_unit_test(what_is_sealed_is_read_as_strictly_as_what_is_not),
        cmocka_unit_test(only_what_can_be_sealed_is_of_format_4),
        cmocka_unit_test(only_an_event_that_names_a_month_is_of_format_7),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
