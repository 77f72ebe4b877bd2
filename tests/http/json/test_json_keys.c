/* Keys that an object has twice, found where a text is accepted. */
#include "check.h"
#include "json_check.h"

#include <stdio.h>

static bool no_memory; /* from now on */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return no_memory ? NULL : __real_reallocarray(old, count, size);
}

static enum dbk_code accept(const char *text, struct dbk_error *err)
{
    struct dbk_slice value;

    return json_accept(text, strlen(text), &value, err);
}

static void a_duplicate_key_is_named(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"{\"a\":1,\"a\":2}", "line 1, column 8: duplicate key \"a\""},
        {"{\"email\":1,\n \"x\":{},\"email\":2}",
         "line 2, column 9: duplicate key \"email\""},
        {"{\"a\":{\"b\":1,\"c\":2,\"b\":3}}", "line 1, column 19: duplicate key \"b\""},
        {"{\"ab\":1,\"\\u0061b\":2}", "line 1, column 9: duplicate key \"\\u0061b\""},
        {"{\"\\u0061b\":1,\"ab\":2}", "line 1, column 14: duplicate key \"ab\""},
        {"{\"\\n\":1,\"\\u000a\":2}", "line 1, column 9: duplicate key \"\\u000a\""},
        {"{\"q\\\"\\\\\":1,\"q\\\"\\\\\":2}",
         "line 1, column 12: duplicate key \"q\\\"\\\\\""},
        {"[{\"\":1,\"\":2}]", "line 1, column 8: duplicate key \"\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_error err = {0};
        assert_int_equal(accept(cases[i].text, &err), DBK_INVALID);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

/* Whichever object ends first, and however often the key comes. */
static void the_first_in_the_text_is_told(void **state)
{
    struct dbk_error err = {0};

    (void)state;
    accept("{\"a\":1,\"a\":{\"b\":1,\"b\":2},\"a\":3}", &err);
    assert_string_equal(err.text, "line 1, column 8: duplicate key \"a\"");
    accept("{\"a\":{\"b\":1,\"b\":2},\"a\":{\"c\":1,\"c\":2}}", &err);
    assert_string_equal(err.text, "line 1, column 13: duplicate key \"b\"");
}

static void what_is_wrong_otherwise_is_told_before(void **state)
{
    struct dbk_error err = {0};

    (void)state;
    accept("{\"a\":1,\"a\":2", &err);
    assert_string_equal(err.text, "line 1, column 13: the JSON ends too early");
}

static void objects_have_keys_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(
        accept("{\"a\":1,\"b\":{\"a\":2,\"b\":[{\"a\":3},{\"a\":4}]},\"c\":1.5}", NULL),
        DBK_OK);
    assert_int_equal(accept("{\"a\":1,\"\\u0062\":2,\"\\u0061b\":\"a\"}", NULL),
                     DBK_OK);
    assert_int_equal(accept("{\"a\":{\"b\":1},\"a\":2}", NULL), DBK_INVALID);
}

/* An object with so many keys, k0 and others, between two keys of the object around. */
static char *many(size_t count, const char *prefix)
{
    char *text = malloc(count * 32 + 128), *at = text;

    assert_non_null(text);
    at += sprintf(at, "{\"first\":0,\"in\":{\"k0\":0");
    for (size_t k = 1; k < count; k++)
        at += sprintf(at, ",\"%s%zu\":0", prefix, k);
    strcpy(at, "},\"last\":0}");
    return text;
}

static void assert_found(char *text, const char *key)
{
    char sentence[128];
    struct dbk_error err = {0};

    assert_int_equal(accept(text, &err), DBK_OK);
    sprintf(strstr(text, "},\"last\""), ",\"%s\":0},\"last\":0}", key);
    assert_int_equal(accept(text, &err), DBK_INVALID);
    sprintf(sentence, "duplicate key \"%s\"", key);
    assert_non_null(strstr(err.text, sentence));
}

/* Two keys that stand far apart, among as many others. */
static void duplicates_are_found_among_many(void **state)
{
    static const size_t counts[] = {2, 15, 16, 17, 62, 63, 64, 65, 200, 40000};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char *text = many(counts[i], "k");
        assert_found(text, "k0");
        free(text);
        text = many(counts[i], "\\u006b");
        assert_found(text, "k0");
        free(text);
        text = many(counts[i], "k\\n");
        assert_found(text, "\\u006b\\u000a1");
        free(text);
    }
}

static void assert_no_memory(const char *text)
{
    struct dbk_error err = {0};

    no_memory = true;
    assert_int_equal(accept(text, &err), DBK_NO_MEMORY);
    no_memory = false;
    assert_int_equal(accept(text, &err), DBK_OK);
}

static void memory_that_runs_out_is_told(void **state)
{
    char *text = many(100, "k");

    (void)state;
    assert_no_memory(text);
    assert_no_memory("{\"\\n\":1}");
    free(text);
    text = many(40, "k");
    no_memory = true; /* few keys without escapes need none */
    assert_int_equal(accept(text, NULL), DBK_OK);
    no_memory = false;
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duplicate_key_is_named),
        cmocka_unit_test(the_first_in_the_text_is_told),
        cmocka_unit_test(what_is_wrong_otherwise_is_told_before),
        cmocka_unit_test(objects_have_keys_of_their_own),
        cmocka_unit_test(duplicates_are_found_among_many),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
