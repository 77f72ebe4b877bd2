#include "check.h"

#include "coding.h"

static struct head with(const char *name, const char *first, const char *second)
{
    return (struct head){.count = second  ? 2
                                  : first ? 1
                                          : 0,
                         .fields = {{name, first}, {name, second}}};
}

static enum coding body(const char *first, const char *second)
{
    struct head head = with("Content-Encoding", first, second);

    return coding_of_body(&head);
}

static void a_body_has_one_coding_or_none(void **state)
{
    (void)state;
    assert_int_equal(body(NULL, NULL), CODING_IDENTITY);
    assert_int_equal(body("identity", NULL), CODING_IDENTITY);
    assert_int_equal(body("GZIP", NULL), CODING_GZIP);
    assert_int_equal(body("x-gzip", NULL), CODING_GZIP);
    assert_int_equal(body("identity, zstd,", NULL), CODING_ZSTD);
    assert_int_equal(body("identity", "zstd"), CODING_ZSTD);
    assert_int_equal(body("", NULL), CODING_IDENTITY);
}

static void others_and_several_are_not_taken(void **state)
{
    static const char *const other[] = {
        "br",  "deflate", "gzip, gzip", "gzip, zstd", "x-zstd",  "zstd, br",
        "gzi", "gzipp",   "x-",         "gzip;q=1",   "x-x-gzip"};

    (void)state;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_int_equal(body(other[i], NULL), CODING_OTHER);
    assert_int_equal(body("gzip", "zstd"), CODING_OTHER);
}

static void an_answer_has_what_is_liked_best(void **state)
{
    static const struct {
        const char *header;
        enum coding coding;
        bool plain;
    } cases[] = {
        {NULL, CODING_IDENTITY, true},
        {"", CODING_IDENTITY, true},
        {"gzip", CODING_GZIP, true},
        {"x-gzip", CODING_GZIP, true},
        {"gzip, deflate, br, zstd", CODING_ZSTD, true},
        {"gzip;q=1.0, zstd;q=0.5", CODING_GZIP, true},
        {"zstd;q=0, gzip", CODING_GZIP, true},
        {"*", CODING_ZSTD, true},
        {"*;q=0.5, zstd;q=0", CODING_GZIP, true},
        {"identity, gzip;q=0.5", CODING_IDENTITY, true},
        {"gzip, identity;q=0.5", CODING_GZIP, true},
        {"identity;q=0, gzip", CODING_GZIP, false},
        {"identity;q=0", CODING_IDENTITY, false},
        {"*;q=0, gzip", CODING_GZIP, false},
        {"*;q=0, identity", CODING_IDENTITY, true},
        {"br", CODING_IDENTITY, true},
        {"gzip ; q=0.000", CODING_IDENTITY, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct head head = with("Accept-Encoding", cases[i].header, NULL);
        bool plain;
        if (coding_of_answer(&head, &plain) != cases[i].coding ||
            plain != cases[i].plain)
            fail_msg("%s", cases[i].header);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_has_one_coding_or_none),
        cmocka_unit_test(others_and_several_are_not_taken),
        cmocka_unit_test(an_answer_has_what_is_liked_best),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
