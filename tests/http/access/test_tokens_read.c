/* The token file as it is read: whole and well-formed, or refused. */
#include "tokens_place.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

static void no_file_is_no_tokens(void **state)
{
    struct place *place = *state;

    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 0);
}

/* In part it would let in, or keep out, others than its owner thinks. */
static void a_malformed_file_is_refused_whole_with_its_line(void **state)
{
    static const struct {
        const char *text, *saying;
        enum dbk_code code;
    } cases[] = {
        {HEADER LINE, NULL, DBK_OK},
        {HEADER, NULL, DBK_OK},
        {"", "does not begin", DBK_DAMAGED},
        {"daybook tokens 1", "newer", DBK_UNSUPPORTED},
        {LINE, "does not begin", DBK_DAMAGED},
        {HEADER "\n", "line 2", DBK_DAMAGED},
        {HEADER LINE "\n", "line 3", DBK_DAMAGED},
        {HEADER LINE LINE, "line 3", DBK_DAMAGED},
        {HEADER LINE "kate", "cut", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH, "cut", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH " x\n", "line 2", DBK_DAMAGED},
        {HEADER "kate  read " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER " kate read " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH "\r\n", "line 2", DBK_DAMAGED},
        {HEADER "kate root " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read, " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read yesterday " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH "0\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " 0123\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " x" HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "k\xC3\xA9te read " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "web ingest " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " rate=5 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "grafana metrics " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "grafana metrics " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_3 "grafana metrics " TIME " " HASH "\n", NULL, DBK_OK},
        {HEADER_3 "web ingest " TIME " rate=5 " HASH "\n", NULL, DBK_OK},
        {HEADER_3 LINE, NULL, DBK_OK},
        {"daybook tokens 5\n" LINE, "newer", DBK_UNSUPPORTED},
        {HEADER_2, NULL, DBK_OK},
        {HEADER_2 LINE, NULL, DBK_OK},
        {HEADER_2 "web ingest " TIME " " HASH "\n", NULL, DBK_OK},
        {HEADER_2 "kate read " TIME " rate=5 " HASH "\n", NULL, DBK_OK},
        {HEADER_2 "web ingest " TIME " origins=* " HASH "\n", NULL, DBK_OK},
        {HEADER_2 "kate read " TIME "  " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=05 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate= " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=0 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=-1 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=1000001 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=5 rate=5 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " bytes-a-day=5 rate=5 " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " bytes-a-day=9999999999999999999 " HASH "\n",
         "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " burst=5 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " origins=https://x " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins= " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins=https://x, " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins=*,https://x " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins=https://X " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "kate read " TIME "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate\n", "line 2", DBK_DAMAGED},
        {HEADER_2 " \n", "line 2", DBK_DAMAGED},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum dbk_code code = read_text(place, cases[i].text);

        if (code != cases[i].code)
            fail_msg("%d, not %d: %s", code, cases[i].code, cases[i].text);
        if (code != DBK_OK) {
            assert_non_null(strstr(place->err.text, cases[i].saying));
            assert_null(place->tokens.list);
            assert_null(strstr(place->err.text, "0123"));
        }
    }
}

static void a_nul_ends_nothing(void **state)
{
    static const char text[] = HEADER "ka\0te read " TIME " " HASH "\n";
    struct place *place = *state;

    write_file(place, text, sizeof text - 1);
    assert_int_equal(read_again(place), DBK_DAMAGED);
}

static void more_than_there_may_be_are_refused(void **state)
{
    struct place *place = *state;
    FILE *file;

    for (int count = DBK_TOKENS_MAX; count <= DBK_TOKENS_MAX + 1; count++) {
        char secret[DBK_TOKEN_SECRET + 1];

        write_file(place, HEADER, strlen(HEADER));
        file = fopen(place->path, "a");
        for (int i = 0; i < count; i++)
            fprintf(file, "t%d read " TIME " " HASH "\n", i);
        fclose(file);
        assert_int_equal(read_again(place),
                         count == DBK_TOKENS_MAX ? DBK_OK : DBK_DAMAGED);
        assert_int_equal(dbk_tokens_create(place->dir, "more", DBK_SCOPE_READ, NULL,
                                           secret, &place->err),
                         count == DBK_TOKENS_MAX ? DBK_TOO_LARGE : DBK_DAMAGED);
        assert_true(count > DBK_TOKENS_MAX ||
                    strstr(place->err.text, "daybook token revoke"));
    }
}

static void what_others_may_change_is_not_believed(void **state)
{
    static const mode_t bad[] = {0640, 0620, 0604, 0666, 0610};
    struct place *place = *state;

    assert_int_equal(read_text(place, HEADER LINE), DBK_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod(place->path, bad[i]), 0);
        assert_int_equal(read_again(place), DBK_IO);
        assert_non_null(strstr(place->err.text, "chmod 600"));
    }
    assert_int_equal(chmod(place->path, 0400), 0);
    assert_int_equal(read_again(place), DBK_OK);
}

static void only_a_file_is_read(void **state)
{
    struct place *place = *state;

    assert_int_equal(symlink("/dev/zero", place->path), 0);
    assert_int_equal(read_again(place), DBK_IO);
    unlink(place->path);
    assert_int_equal(mkfifo(place->path, 0600), 0); /* does not wait for a writer */
    assert_int_equal(read_again(place), DBK_IO);
    unlink(place->path);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_int_equal(read_again(place), DBK_IO);
    rmdir(place->path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_file_is_no_tokens),
        TEST(a_malformed_file_is_refused_whole_with_its_line),
        TEST(a_nul_ends_nothing),
        TEST(more_than_there_may_be_are_refused),
        TEST(what_others_may_change_is_not_believed),
        TEST(only_a_file_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
