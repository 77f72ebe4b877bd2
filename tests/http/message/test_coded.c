/* encode.c and decode.c: what one makes the other takes apart. */
#include "check.h"

#include "decode.h"
#include "encode.h"

static const enum coding codings[] = {CODING_GZIP, CODING_ZSTD};

/* Text that shrinks, though not to nothing. */
static struct dbk_slice make_text(size_t length)
{
    char *text = malloc(length + 1);
    uint32_t random = 1;

    assert_non_null(text);
    for (size_t i = 0; i < length; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = (char)('a' + (random >> 30));
    }
    return (struct dbk_slice){text, length};
}

/* In pieces of so many bytes, each of which can be decoded at once, or as a whole (0). */
static struct dbk_render encode(enum coding coding, struct dbk_slice text, size_t piece)
{
    struct encoder *encoder = encoder_create(coding, piece ? 0 : text.length);
    struct dbk_render out = {0};
    size_t at = 0;

    assert_non_null(encoder);
    while (piece && text.length - at > piece) {
        assert_true(encoder_put(encoder, (struct dbk_slice){text.data + at, piece},
                                ENCODER_FLUSH, &out));
        at += piece;
    }
    assert_true(encoder_put(encoder,
                            (struct dbk_slice){text.data + at, text.length - at},
                            ENCODER_END, &out));
    encoder_destroy(encoder);
    assert_int_equal(dbk_render_code(&out), DBK_OK);
    return out;
}

/* Fed with so many bytes at a time, taken with so many. -1: damaged; *whole: to its end. */
static ssize_t decode(enum coding coding, const char *bytes, size_t length, size_t fed,
                      size_t taken, char *out, bool *whole)
{
    struct decoder *decoder = decoder_create(coding);
    size_t used = 0;
    ssize_t got = 0;

    assert_non_null(decoder);
    for (size_t at = 0; at < length && got >= 0; at += fed) {
        char *part = exact(bytes + at, length - at < fed ? length - at : fed);
        decoder_feed(decoder, part, length - at < fed ? length - at : fed);
        while ((got = decoder_take(decoder, out + used, taken)) > 0)
            used += (size_t)got;
        free(part);
    }
    *whole = got >= 0 && decoder_is_whole(decoder);
    decoder_destroy(decoder);
    return got < 0 ? -1 : (ssize_t)used;
}

static void what_is_coded_comes_back(void **state)
{
    static const size_t lengths[] = {0, 1, 100, 1024, 70000, 600000};
    static const size_t pieces[] = {0, 1000, 65536};
    static char out[600000 + 70000];
    bool whole;

    (void)state;
    for (size_t i = 0; i < 2 * 6 * 3; i++) {
        enum coding coding = codings[i % 2];
        struct dbk_slice text = make_text(lengths[i / 2 % 6]);
        struct dbk_render coded = encode(coding, text, pieces[i / 12]);
        if (text.length >= 1024)
            assert_true(coded.length < text.length / 2);
        assert_int_equal(
            decode(coding, coded.text, coded.length, 16384, 65536, out, &whole),
            text.length);
        assert_true(whole);
        assert_true(text.length == 0 || !memcmp(out, text.data, text.length));
        dbk_render_finish(&coded);
        free((char *)(uintptr_t)text.data);
    }
}

static void it_may_come_and_be_taken_in_any_pieces(void **state)
{
    struct dbk_slice text = make_text(3000);
    char out[3000 + 4096];
    bool whole;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct dbk_render coded = encode(codings[i], text, 0);
        for (size_t fed = 1; fed < 2000; fed = fed * 3 + 1) {
            for (size_t taken = 1; taken < 4000; taken = taken * 3 + 1) {
                assert_int_equal(decode(codings[i], coded.text, coded.length, fed,
                                        taken, out, &whole),
                                 3000);
                assert_true(whole);
                assert_memory_equal(out, text.data, 3000);
            }
        }
        dbk_render_finish(&coded);
    }
    free((char *)(uintptr_t)text.data);
}

static void several_behind_each_other_are_one(void **state)
{
    char twice[4096], out[4096];
    bool whole;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct dbk_render coded = encode(codings[i], dbk_slice("abc"), 0);
        memcpy(twice, coded.text, coded.length);
        memcpy(twice + coded.length, coded.text, coded.length);
        for (size_t fed = 1; fed <= 2 * coded.length; fed++) {
            assert_int_equal(
                decode(codings[i], twice, 2 * coded.length, fed, 100, out, &whole), 6);
            assert_true(whole);
            assert_memory_equal(out, "abcabc", 6);
        }
        dbk_render_finish(&coded);
    }
}

static void what_is_cut_is_not_whole_and_what_is_damaged_is_told(void **state)
{
    struct dbk_slice text = make_text(5000);
    char out[70000], *bytes;
    bool whole;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct dbk_render coded = encode(codings[i], text, 0);
        for (size_t cut = 0; cut < coded.length; cut++) {
            decode(codings[i], coded.text, cut, 64, 65536, out, &whole);
            assert_false(whole);
        }
        bytes = exact(coded.text, coded.length);
        bytes[0] ^= 1;
        assert_int_equal(
            decode(codings[i], bytes, coded.length, 64, 65536, out, &whole), -1);
        bytes[0] ^= 1;
        free(bytes);
        dbk_render_finish(&coded);
        assert_int_equal(decode(codings[i], "plain text", 10, 64, 65536, out, &whole),
                         -1);
    }
    free((char *)(uintptr_t)text.data);
}

/* A frame of a single raw block that asks for a window of 16 MiB: RFC 8878, 3.1.1. */
static void a_window_has_a_bound(void **state)
{
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\x70\x09\x00\x00x";
    char out[64];
    bool whole;

    (void)state;
    assert_int_equal(
        decode(CODING_ZSTD, frame, sizeof frame - 1, 64, sizeof out, out, &whole), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_coded_comes_back),
        cmocka_unit_test(it_may_come_and_be_taken_in_any_pieces),
        cmocka_unit_test(several_behind_each_other_are_one),
        cmocka_unit_test(what_is_cut_is_not_whole_and_what_is_damaged_is_told),
        cmocka_unit_test(a_window_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
