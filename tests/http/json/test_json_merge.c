#include "check.h"
#include "json_bounds.h"
#include "json_merge.h"
#include "store/record.h"

#include <stdlib.h>

static enum dbk_code merge(const char *current, const char *patch, char *out,
                           size_t *length, struct dbk_error *err)
{
    char *from = exact(current, strlen(current));
    char *with = exact(patch, strlen(patch));
    enum dbk_code code = json_merge((struct dbk_slice){from, strlen(current)},
                                    (struct dbk_slice){with, strlen(patch)}, out,
                                    DBK_PROPERTIES_MAX, length, err);

    free(from);
    free(with);
    return code;
}

static void assert_merged(const char *current, const char *patch, const char *expected)
{
    static char out[DBK_PROPERTIES_MAX];
    struct dbk_error err = {0};
    size_t length;

    assert_int_equal(merge(current, patch, out, &length, &err), DBK_OK);
    assert_slice((struct dbk_slice){out, length}, expected);
}

/* Those of RFC 7396, appendix A, whose target and patch are objects. */
static void the_examples_of_the_rfc(void **state)
{
    (void)state;
    assert_merged("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    assert_merged("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
    assert_merged("{\"a\":\"b\"}", "{\"a\":null}", "");
    assert_merged("{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}");
    assert_merged("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    assert_merged("{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}");
    assert_merged("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
                  "{\"a\":{\"b\":\"d\"}}");
    assert_merged("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}");
    assert_merged("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}");
    assert_merged("", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
}

static void members_keep_their_order_and_new_ones_come_behind(void **state)
{
    (void)state;
    assert_merged("{\"z\":1,\"a\":2,\"m\":3}", "{\"y\":9,\"a\":7,\"b\":8}",
                  "{\"z\":1,\"a\":7,\"m\":3,\"y\":9,\"b\":8}");
}

static void what_is_new_has_no_nulls(void **state)
{
    (void)state;
    assert_merged("", "{\"a\":null,\"b\":{\"c\":null,\"d\":[null]}}",
                  "{\"b\":{\"d\":[null]}}");
    assert_merged("{\"b\":1}", "{\"b\":{\"c\":null}}", "{\"b\":{}}");
}

static void keys_are_compared_without_their_escapes(void **state)
{
    (void)state;
    assert_merged("{\"\\u0061\":1,\"b\":2}", "{\"a\":3,\"\\u0062\":null}", "{\"a\":3}");
}

static void what_changes_nothing_leaves_every_byte(void **state)
{
    (void)state;
    assert_merged("{ \"a\" : 1.0, \"b\":{\"c\":\"\\u0041\"} }",
                  "{\"a\":1,\"b\":{\"c\":\"A\",\"x\":null},\"y\":null}",
                  "{ \"a\" : 1.0, \"b\":{\"c\":\"\\u0041\"} }");
    assert_merged("", "{\"a\":null}", "");
}

static void what_is_merged_has_no_white_space(void **state)
{
    (void)state;
    assert_merged("{ \"a b\" : [ 1, \" \" ] }", "{ \"c\" :\n2 }",
                  "{\"a b\":[1,\" \"],\"c\":2}");
}

/* {"name":"xxx…"} of so many bytes. */
static char *filled(const char *name, size_t size)
{
    char *text = malloc(size + 1);
    int used;

    assert_non_null(text);
    used = snprintf(text, size, "{\"%s\":\"", name);
    memset(text + used, 'x', size - (size_t)used);
    memcpy(text + size - 2, "\"}", 3);
    return text;
}

static void what_is_merged_is_bounded(void **state)
{
    static char out[DBK_PROPERTIES_MAX];
    char *half = filled("a", DBK_PROPERTIES_MAX / 2);
    char *rest = filled("b", DBK_PROPERTIES_MAX / 2 + 1);
    char *more = filled("b", DBK_PROPERTIES_MAX / 2 + 2);
    struct dbk_error err = {0};
    size_t length;

    (void)state;
    assert_int_equal(merge(half, rest, out, &length, &err), DBK_OK);
    assert_int_equal(length, DBK_PROPERTIES_MAX);
    assert_int_equal(merge(half, more, out, &length, &err), DBK_INVALID);
    assert_string_equal(err.text,
                        "properties: merged they must have at most 65536 bytes");
    free(half);
    free(rest);
    free(more);
}

static void numbers_written_out_are_bounded(void **state)
{
    static char current[DBK_PROPERTIES_MAX], out[DBK_PROPERTIES_MAX];
    struct dbk_error err = {0};
    size_t used = 0, length;

    (void)state;
    used += (size_t)sprintf(current + used, "{\"a\":[1e300");
    for (int i = 0; i < 200; i++)
        used += (size_t)sprintf(current + used, ",1e300");
    sprintf(current + used, "]}");
    assert_int_equal(merge(current, "{\"b\":[1e300,1e300]}", out, &length, &err),
                     DBK_OK);
    sprintf(current + used, ",1e300,1e300,1e300,1e300,1e300,1e300,1e300,1e300,1e300,"
                            "1e300,1e300,1e300,1e300,1e300]}");
    assert_int_equal(merge(current, "{\"b\":[1e300,1e300,1e300]}", out, &length, &err),
                     DBK_INVALID);
    assert_non_null(strstr(err.text, "numbers written out"));
}

static void nested(char *out, int depth)
{
    for (int i = 0; i < depth; i++)
        out += sprintf(out, "{\"a\":");
    out += sprintf(out, "1");
    for (int i = 0; i < depth; i++)
        out += sprintf(out, "}");
}

static void depth_is_bounded(void **state)
{
    static char out[DBK_PROPERTIES_MAX];
    char text[512];
    struct dbk_error err = {0};
    size_t length;

    (void)state;
    nested(text, PROPERTIES_DEPTH_MAX);
    assert_merged("", text, text);
    nested(text, PROPERTIES_DEPTH_MAX + 1);
    assert_int_equal(merge("", text, out, &length, &err), DBK_INVALID);
    nested(text, 60);
    assert_int_equal(merge("", text, out, &length, &err), DBK_INVALID);
}

/* With each compared to each this would take minutes under a sanitizer. */
static void many_members_are_merged(void **state)
{
    static char current[DBK_PROPERTIES_MAX], patch[DBK_PROPERTIES_MAX],
        expected[DBK_PROPERTIES_MAX], out[DBK_PROPERTIES_MAX];
    size_t a = 1, b = 1, c = 1, length;
    struct dbk_error err = {0};

    (void)state;
    current[0] = patch[0] = expected[0] = '{';
    for (int i = 0; i < 5000; i++) {
        a += (size_t)sprintf(current + a, "%s\"%d\":1", i ? "," : "", i);
        b += (size_t)sprintf(patch + b, "%s\"%d\":2", i ? "," : "", 4999 - i);
        c += (size_t)sprintf(expected + c, "%s\"%d\":2", i ? "," : "", i);
    }
    strcpy(current + a, "}");
    strcpy(patch + b, "}");
    strcpy(expected + c, "}");
    assert_int_equal(merge(current, patch, out, &length, &err), DBK_OK);
    assert_slice((struct dbk_slice){out, length}, expected);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(members_keep_their_order_and_new_ones_come_behind),
        cmocka_unit_test(what_is_new_has_no_nulls),
        cmocka_unit_test(keys_are_compared_without_their_escapes),
        cmocka_unit_test(what_changes_nothing_leaves_every_byte),
        cmocka_unit_test(what_is_merged_has_no_white_space),
        cmocka_unit_test(what_is_merged_is_bounded),
        cmocka_unit_test(numbers_written_out_are_bounded),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(many_members_are_merged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
