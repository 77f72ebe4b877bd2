#include "check.h"

#include "framing.h"

/* Headers as name, value, name, value, ..., NULL. */
static int framing_of(const char *method, const char *version,
                      const char *const *headers, struct framing *framing)
{
    struct head head = {.method = method, .version = version};
    struct dbk_error err;

    for (; *headers; headers += 2)
        head.fields[head.count++] = (struct head_field){headers[0], headers[1]};
    return framing_read(&head, framing, &err);
}

#define FRAMING(method, ...)                                                           \
    framing_of(method, "1.1", (const char *const[]){"Host", "x", __VA_ARGS__, NULL},   \
               &framing)

static void a_length_is_read(void **state)
{
    struct framing framing;

    (void)state;
    assert_int_equal(FRAMING("POST", "content-length", "42"), 0);
    assert_true(framing.has_length);
    assert_int_equal(framing.length, 42);
    assert_false(framing.chunked);
}

static void chunks_are_known(void **state)
{
    struct framing framing;

    (void)state;
    assert_int_equal(FRAMING("POST", "Transfer-Encoding", "Chunked"), 0);
    assert_true(framing.chunked);
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
    struct framing framing;

    (void)state;
    assert_int_equal(FRAMING("POST", "Content-Length", "4", "Content-Length", "4"),
                     400);
    assert_int_equal(
        FRAMING("POST", "Content-Length", "4", "Transfer-Encoding", "chunked"), 400);
    assert_int_equal(
        FRAMING("POST", "Transfer-Encoding", "chunked", "transfer-encoding", "chunked"),
        400);
    assert_int_equal(FRAMING("GET", "host", "y"), 400);
}

static void what_a_browser_says_of_itself_comes_once(void **state)
{
    static const char *const names[] = {"Origin", "Last-Event-ID", "Sec-Fetch-Site"};
    struct framing framing;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(FRAMING("GET", names[i], "1", names[i], "2"), 400);
        assert_int_equal(FRAMING("GET", names[i], "1", "X", "2", "X", "3"), 0);
    }
}

static void only_digits_are_a_length(void **state)
{
    static const char *const bad[] = {"", "-1", "+4", "4, 4", "0x4", "4a", "4 "};
    struct framing framing;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(FRAMING("POST", "Content-Length", bad[i]), 400);
    assert_int_equal(FRAMING("POST", "Content-Length", "9999999999999999999999"), 413);
}

static void other_encodings_are_not_implemented(void **state)
{
    static const struct {
        const char *value;
        int status;
    } encodings[] = {
        {"CHUNKED", 0},
        {"\t, chunked ,", 0},
        {"gzip, chunked", 501},
        {"identity", 501},
        {"gzip", 501},
        {"chunked;a=b", 501},
        {"", 501},
        {"chunked, chunked", 400},
        {"chunked, gzip", 400},
        {"chunked, x, chunked", 400},
    };
    struct framing framing;

    (void)state;
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        assert_int_equal(FRAMING("POST", "Transfer-Encoding", encodings[i].value),
                         encodings[i].status);
    assert_int_equal(
        framing_of("POST", "1.0",
                   (const char *const[]){"Transfer-Encoding", "chunked", NULL},
                   &framing),
        400);
}

static void a_post_needs_a_length_and_a_get_does_not(void **state)
{
    struct framing framing;

    (void)state;
    assert_int_equal(FRAMING("POST", "Accept", "*/*"), 411);
    assert_int_equal(FRAMING("PATCH", "Accept", "*/*"), 411);
    assert_int_equal(FRAMING("GET", "Accept", "*/*"), 0);
    assert_int_equal(FRAMING("DELETE", "Accept", "*/*"), 0);
}

static void a_host_is_needed(void **state)
{
    static const char *const good[] = {"", "x", "x.y:80", "[::1]:80", "127.0.0.1"};
    static const char *const bad[] = {"x y", "x/y", "a@x", "x?", "\"x\"", "x\ty"};
    struct framing framing;

    (void)state;
    assert_int_equal(framing_of("GET", "1.1", (const char *const[]){NULL}, &framing),
                     400);
    assert_int_equal(framing_of("GET", "1.0", (const char *const[]){NULL}, &framing),
                     0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(framing_of("GET", "1.1",
                                    (const char *const[]){"Host", good[i], NULL},
                                    &framing),
                         0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(framing_of("GET", "1.1",
                                    (const char *const[]){"Host", bad[i], NULL},
                                    &framing),
                         400);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_read),
        cmocka_unit_test(chunks_are_known),
        cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(what_a_browser_says_of_itself_comes_once),
        cmocka_unit_test(only_digits_are_a_length),
        cmocka_unit_test(other_encodings_are_not_implemented),
        cmocka_unit_test(a_post_needs_a_length_and_a_get_does_not),
        cmocka_unit_test(a_host_is_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
