#include "check.h"

#include "etag.h"

static bool if_match(const char *header, uint64_t version)
{
    struct etag_versions versions;
    struct dbk_error err;

    assert_int_equal(etag_if_match(header, &versions, &err), DBK_OK);
    return etag_matches(&versions, version, 0xabcdef01);
}

static void a_tag_says_version_and_content(void **state)
{
    char bare[ETAG_MAX], read[ETAG_MAX], other[ETAG_MAX], file[ETAG_MAX];

    (void)state;
    etag_format(bare, 12, (struct dbk_slice){NULL, 0});
    etag_format(read, 12, dbk_slice("{}"));
    etag_format(other, 12, dbk_slice("{ }"));
    etag_format(file, 0, dbk_slice("{}"));
    assert_string_equal(bare, "\"12\"");
    assert_memory_equal(read, "\"12-", 4);
    assert_int_equal(strlen(read), strlen("\"12-0123456789abcdef\""));
    assert_string_not_equal(read, other);
    assert_int_equal(strlen(file), strlen("\"0123456789abcdef\""));
}

static void the_checksum_of_the_record_stands_behind_the_version(void **state)
{
    char written[ETAG_MAX], read[ETAG_MAX];

    (void)state;
    etag_format_record(written, 12, 0xabcdef01, (struct dbk_slice){NULL, 0});
    etag_format_record(read, 12, 0xabcdef01, dbk_slice("{}"));
    assert_string_equal(written, "\"12-abcdef01\"");
    assert_memory_equal(read, written, strlen(written) - 1);
    assert_int_equal(strlen(read), strlen("\"12-abcdef010123456789abcdef\""));
    assert_true(if_match(written, 12));
    assert_true(if_match(read, 12));
    assert_false(if_match(read, 13));
    assert_true(if_match("\"12-0123456789abcdef\"", 12)); /* as they were before */
    assert_false(if_match("\"12-abcdef02\"", 12));
    assert_false(if_match("\"12-abcdef020123456789abcdef\"", 12));
    assert_true(if_match("\"12-abcdef02\", \"12-abcdef01\"", 12));
    etag_format_record(read, UINT64_MAX, UINT32_MAX, dbk_slice("{}"));
    assert_int_equal(read[strlen(read) - 1], '"');
}

static void the_longest_tag_fits(void **state)
{
    char tag[ETAG_MAX];

    (void)state;
    etag_format(tag, UINT64_MAX, dbk_slice("{}"));
    assert_int_equal(tag[strlen(tag) - 1], '"');
}

static void if_match_is_about_the_version_alone(void **state)
{
    (void)state;
    assert_true(if_match("\"12\"", 12));
    assert_true(if_match("\"12-0123456789abcdef\"", 12));
    assert_false(if_match("\"12\"", 13));
    assert_false(if_match("\"120\"", 12));
}

static void no_header_and_a_star_match_everything(void **state)
{
    (void)state;
    assert_true(if_match(NULL, 7));
    assert_true(if_match("*", 7));
}

static void any_tag_of_a_list_will_do(void **state)
{
    (void)state;
    assert_true(if_match("\"1\", \"12\",\"5\"", 12));
    assert_true(if_match("\"1\", \"12\",\"5\"", 5));
    assert_false(if_match("\"1\", \"12\"", 2));
}

static void weak_and_foreign_tags_never_match(void **state)
{
    (void)state;
    assert_false(if_match("W/\"12\"", 12));
    assert_false(if_match("\"abc\"", 12));
    assert_false(if_match("\"\"", 0));
    assert_false(if_match("\"12x\"", 12));
    assert_false(if_match("\"99999999999999999999999\"", 12));
}

static void a_tag_that_no_answer_has_matches_nothing(void **state)
{
    static const char *const others[] = {"\"12-\"",
                                         "\"12-abc\"",
                                         "\"12-abcdef0\"",
                                         "\"12-ABCDEF01\"",
                                         "\"12-abcdef01-\"",
                                         "\"12-abcdef0g\"",
                                         "\"012\"",
                                         "\"0\"",
                                         "\"-abcdef01\"",
                                         "\"12-abcdef01gzip\"",
                                         "\"12-0123456789abcdefg\"",
                                         "\"12-abcdef010123456789abcde\"",
                                         "\"12-abcdef010123456789abcdef0\""};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct etag_versions versions;
        struct dbk_error err;

        assert_false(if_match(others[i], 12));
        assert_false(if_match(others[i], 0));
        assert_int_equal(etag_excluded(others[i], &versions, &err), DBK_OK);
        assert_false(etag_matches(&versions, 12, 0xabcdef01));
    }
    assert_true(if_match("\"12-abcdef01-gzip\"", 12));
    assert_true(if_match("\"12-zstd\"", 12));
}

static void what_is_no_list_of_tags_is_invalid(void **state)
{
    static const char *const bad[] = {"12",       "\"12",     "12\"", "\"1\" \"2\"",
                                      "*, \"1\"", "\"1\", x", "W/12"};
    struct etag_versions versions;
    struct dbk_error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(etag_if_match(bad[i], &versions, &err), DBK_INVALID);
}

static void a_list_of_tags_is_bounded(void **state)
{
    char header[512] = "\"1\"";
    struct etag_versions versions;
    struct dbk_error err;

    (void)state;
    for (int i = 0; i < ETAG_VERSIONS_MAX; i++)
        strcat(header, ", \"2\"");
    assert_int_equal(etag_if_match(header, &versions, &err), DBK_INVALID);
}

static void if_none_match_compares_whole_tags_weakly(void **state)
{
    static const char tag[] = "\"12-ab\"";

    (void)state;
    assert_true(etag_if_none_match("\"12-ab\"", tag));
    assert_true(etag_if_none_match("W/\"12-ab\"", tag));
    assert_true(etag_if_none_match("\"x\", \"12-ab\"", tag));
    assert_true(etag_if_none_match("*", tag));
    assert_false(etag_if_none_match(NULL, tag));
    assert_false(etag_if_none_match("\"12\"", tag));
    assert_false(etag_if_none_match("12-ab", tag));
    assert_false(etag_if_none_match("", tag));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_says_version_and_content),
        cmocka_unit_test(the_checksum_of_the_record_stands_behind_the_version),
        cmocka_unit_test(the_longest_tag_fits),
        cmocka_unit_test(if_match_is_about_the_version_alone),
        cmocka_unit_test(no_header_and_a_star_match_everything),
        cmocka_unit_test(any_tag_of_a_list_will_do),
        cmocka_unit_test(weak_and_foreign_tags_never_match),
        cmocka_unit_test(a_tag_that_no_answer_has_matches_nothing),
        cmocka_unit_test(what_is_no_list_of_tags_is_invalid),
        cmocka_unit_test(a_list_of_tags_is_bounded),
        cmocka_unit_test(if_none_match_compares_whole_tags_weakly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
