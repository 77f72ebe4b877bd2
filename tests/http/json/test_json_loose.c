#include "check.h"
#include "json_check.h"
#include "json_loose.h"

/* All items of text, with a bar behind each; or what is wrong, and at which byte. */
static void follow(const char *text, size_t length, char *out)
{
    char *copy = exact(text, length);
    struct json_loose loose;
    struct dbk_slice item;

    json_loose_start(&loose, (struct dbk_slice){copy, length});
    for (*out = '\0'; json_loose_next(&loose, &item); out += strlen(out)) {
        if (loose.key.length > 0)
            out += sprintf(out, "%.*s=", (int)loose.key.length, loose.key.data);
        sprintf(out, "%.*s|", (int)item.length, item.data);
    }
    if (loose.wrong)
        sprintf(out, "%td %s", loose.at - copy, loose.wrong);
    else
        assert_true(json_loose_ends(&loose));
    assert_false(json_loose_next(&loose, &item) && !loose.wrong);
    free(copy);
}

static void assert_followed(const char *text, const char *expected)
{
    char found[4096];

    follow(text, strlen(text), found);
    assert_string_equal(found, expected);
}

static void items_and_members_come_in_their_order(void **state)
{
    (void)state;
    assert_followed("[]", "");
    assert_followed("[ ] \n", "");
    assert_followed("[1 ,\"a,]\" , {\"b\":[ {} ]}\n]", "1|\"a,]\"|{\"b\":[ {} ]}|");
    assert_followed("{}", "");
    assert_followed("{\"a\" : 1,\n\"b\":{\"c\":[2]} }", "\"a\"=1|\"b\"={\"c\":[2]}|");
}

static void what_is_wrong_inside_is_stepped_over(void **state)
{
    (void)state;
    assert_followed("[\"\\ud800\",\"\\u0000\",\"\\q\xFF\n\"]",
                    "\"\\ud800\"|\"\\u0000\"|\"\\q\xFF\n\"|");
    assert_followed("[NaN,-Infinity,01,1e999,nul,\xFF\xFE]",
                    "NaN|-Infinity|01|1e999|nul|\xFF\xFE|");
    assert_followed("[{\"a\":1,},{a:1},[1 2],[,],{\"a\":1,\"a\":1},{'a':'b'}]",
                    "{\"a\":1,}|{a:1}|[1 2]|[,]|{\"a\":1,\"a\":1}|{'a':'b'}|");
    assert_followed("[{\"\\\"\\\\\":\"\\\\\\\"\"},1]",
                    "{\"\\\"\\\\\":\"\\\\\\\"\"}|1|");
}

static void what_cannot_be_followed_is_told_with_its_place(void **state)
{
    (void)state;
    assert_followed("[", "1 the JSON ends too early");
    assert_followed("[1", "1|2 the JSON ends too early");
    assert_followed("[1,", "1|3 the JSON ends too early");
    assert_followed("[1,]", "1|3 expected a JSON value");
    assert_followed("[1,,1]", "1|3 expected a JSON value");
    assert_followed("[1 2]", "1|3 expected a comma or ]");
    assert_followed("[1}", "1|2 expected a comma or ]");
    assert_followed("[1:2]", "1|2 expected a comma or ]");
    assert_followed("[{\"a\":1]", "7 another bracket is open");
    assert_followed("[[1}]", "3 another bracket is open");
    assert_followed("[\"a", "3 the JSON ends inside a string");
    assert_followed("[\"a\\", "4 the JSON ends inside a string");
    assert_followed("[\"a\\\"", "5 the JSON ends inside a string");
    assert_followed("[{\"a\":\"x\"y\"},1]", "9 expected a comma");
    assert_followed("[{\"a\":1 \"b\":2}]", "8 expected a comma");
    assert_followed("[{\"a\":{} \"b\":2}]", "9 expected a comma");
    assert_followed("[{\"a\":\"b\"{}}]", "9 expected a comma");
    assert_followed("['a,b']", "1 expected a JSON value");
    assert_followed("{\"a\" 1}", "5 expected a colon behind the key");
    assert_followed("{\"a\":1,}", "\"a\"=1|7 expected a key in double quotes");
    assert_followed("{a:1}", "1 expected a key in double quotes");
}

/* Of so many levels brackets are told apart, and beyond they are counted. */
static void any_depth_is_followed(void **state)
{
    enum { DEEP = 200000 };
    char *text = malloc(2 * DEEP + 4), *found = malloc(2 * DEEP + 100);

    (void)state;
    assert_non_null(text);
    assert_non_null(found);
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    follow(text, 2 * DEEP, found);
    assert_int_equal(strlen(found), 2 * DEEP - 2 + 1);
    memset(text + DEEP, ']', DEEP - 1);
    text[2 * DEEP - 2] = '}'; /* the item's own */
    follow(text, 2 * DEEP, found);
    assert_non_null(strstr(found, "another bracket"));
    follow(text, 2 * DEEP - 2, found);
    assert_non_null(strstr(found, "too early"));
    free(text);
    free(found);
}

/* Cut anywhere, it is no array any more; and all that is JSON is followed. */
static void every_beginning_of_an_array_is_refused(void **state)
{
    static const char text[] =
        "[{\"a\":[1,-2.5e3,\"\\u00e4\\\"\"],\"b\":{}} , \"x\", null,[[]] ]";
    char found[4096];

    (void)state;
    assert_int_equal(json_check(text, strlen(text), JSON_VALUES_MAX, NULL), DBK_OK);
    for (size_t length = 1; length <= strlen(text); length++) {
        follow(text, length, found);
        if ((strstr(found, "the JSON ends") != NULL) == (length == strlen(text)))
            fail_msg("%.*s: %s", (int)length, text, found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_and_members_come_in_their_order),
        cmocka_unit_test(what_is_wrong_inside_is_stepped_over),
        cmocka_unit_test(what_cannot_be_followed_is_told_with_its_place),
        cmocka_unit_test(any_depth_is_followed),
        cmocka_unit_test(every_beginning_of_an_array_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
