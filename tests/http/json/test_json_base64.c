#include "check.h"
#include "json_base64.h"

/* Between quotes it is read as these bytes. */
static void assert_read(const char *text, const char *bytes, size_t length)
{
    size_t size = strlen(text), read;
    char *copy = exact(text, size), *room = exact(text, size);

    assert_true(json_base64_read((struct dbk_slice){copy, size}, room, &read));
    assert_int_equal(read, length);
    if (length > 0)
        assert_memory_equal(room, bytes, length);
    free(room);
    free(copy);
}

static void assert_refused(const char *text)
{
    size_t size = strlen(text), read;
    char *copy = exact(text, size), *room = exact(text, size);

    if (json_base64_read((struct dbk_slice){copy, size}, room, &read))
        fail_msg("taken: %s", text);
    free(room);
    free(copy);
}

/* The test vectors of RFC 4648, section 10. */
static void each_length_is_read(void **state)
{
    (void)state;
    assert_read("", "", 0);
    assert_read("Zg==", "f", 1);
    assert_read("Zm8=", "fo", 2);
    assert_read("Zm9v", "foo", 3);
    assert_read("Zm9vYg==", "foob", 4);
    assert_read("+/8A", "\xFB\xFF\x00", 3);
}

static void any_other_spelling_is_refused(void **state)
{
    (void)state;
    assert_refused("Zg");
    assert_refused("Zg=");
    assert_refused("Zh=="); /* a bit that is left over */
    assert_refused("Zg==Zg==");
    assert_refused("Zm9v\n");
    assert_refused(" Zm9v");
    assert_refused("-_8A");
    assert_refused("Zm\xE2v");
}

/* More than is encoded at once, and each remainder. */
static void what_is_written_is_read(void **state)
{
    static char bytes[10000], room[16000];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t length = sizeof bytes - 4; length < sizeof bytes; length++) {
        struct dbk_render out = {0};
        size_t read;

        json_base64_render(&out, (struct dbk_slice){bytes, length});
        assert_int_equal(dbk_render_code(&out), DBK_OK);
        assert_true(out.text[0] == '"' && out.text[out.length - 1] == '"');
        assert_true(json_base64_read((struct dbk_slice){out.text + 1, out.length - 2},
                                     room, &read));
        assert_int_equal(read, length);
        assert_memory_equal(room, bytes, length);
        dbk_render_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_length_is_read),
        cmocka_unit_test(any_other_spelling_is_refused),
        cmocka_unit_test(what_is_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
