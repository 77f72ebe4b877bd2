#include "check.h"

#include "media_type.h"

static void the_types_taken_are_known(void **state)
{
    (void)state;
    assert_int_equal(media_type_parse("application/json"), MEDIA_JSON);
    assert_int_equal(media_type_parse("Application/JSON"), MEDIA_JSON);
    assert_int_equal(media_type_parse("application/merge-patch+json"),
                     MEDIA_MERGE_PATCH);
    assert_int_equal(media_type_parse("application/x-ndjson"), MEDIA_NDJSON);
}

static void a_charset_must_be_utf_8(void **state)
{
    (void)state;
    assert_int_equal(media_type_parse("application/json; charset=utf-8"), MEDIA_JSON);
    assert_int_equal(media_type_parse("application/json;charset=\"UTF-8\""),
                     MEDIA_JSON);
    assert_int_equal(media_type_parse("application/json ; a=b ; Charset=utf-8"),
                     MEDIA_JSON);
    assert_int_equal(media_type_parse("application/json; charset=utf8"), MEDIA_JSON);
    assert_int_equal(media_type_parse("application/json; charset=\"UTF8\""),
                     MEDIA_JSON);
    assert_int_equal(media_type_parse("application/json; charset=latin1"), MEDIA_OTHER);
    assert_int_equal(media_type_parse("application/json; charset=utf-88"), MEDIA_OTHER);
    assert_int_equal(media_type_parse("application/json; charset=utf"), MEDIA_OTHER);
    assert_int_equal(media_type_parse("application/json; charset=utf-8x"), MEDIA_OTHER);
    assert_int_equal(media_type_parse("application/json; charset="), MEDIA_OTHER);
    assert_int_equal(media_type_parse("application/json; charset=\"utf-8"),
                     MEDIA_OTHER);
    assert_int_equal(media_type_parse("application/json; charset=\"utf-8\"x"),
                     MEDIA_OTHER);
}

static void all_else_is_other(void **state)
{
    static const char *const other[] = {"",
                                        "application",
                                        "application/jsonx",
                                        "text/html",
                                        "application/json/x",
                                        ";",
                                        "application/x-www-form-urlencoded"};

    (void)state;
    assert_int_equal(media_type_parse(NULL), MEDIA_OTHER);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_int_equal(media_type_parse(other[i]), MEDIA_OTHER);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_types_taken_are_known),
        cmocka_unit_test(a_charset_must_be_utf_8),
        cmocka_unit_test(all_else_is_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
