#include "check.h"

#include "framing.h"

#include <civetweb.h>

/* Headers as name, value, name, value, ..., NULL; in one buffer, as civetweb leaves it:
 * NULs for the colon and for the end of the line. */
static int framing_of(const char *method, const char *const *headers,
                      struct framing *framing)
{
    struct mg_request_info info = {.request_method = method, .http_version = "1.1"};
    char buffer[4096] = "", *at = buffer;
    struct dbk_error err;

    for (; *headers; headers += 2) {
        struct mg_header *one = &info.http_headers[info.num_headers++];
        one->name = at;
        at = stpcpy(at, headers[0]) + 1;
        at[0] = ' ';
        one->value = at + 1;
        at = stpcpy(at + 1, headers[1]) + 2;
    }
    strcpy(at, "\r");
    return framing_read(&info, framing, &err);
}

#define FRAMING(method, ...)                                                           \
    framing_of(method, (const char *const[]){"Host", "x", __VA_ARGS__, NULL}, &framing)

static void a_length_is_read(void **state)
{
    struct framing framing;

    (void)state;
    assert_int_equal(FRAMING("POST", "content-length", "42"), 0);
    assert_true(framing.has_length);
    assert_int_equal(framing.length, 42);
    assert_false(framing.chunked);
}

static void a_header_is_found_whatever_its_case(void **state)
{
    static const struct mg_request_info info = {
        .num_headers = 3,
        .http_headers = {{"accept", "first"},
                         {"Accept-Encoding", "x"},
                         {"ACCEPT", "2"}},
    };
    unsigned count;

    (void)state;
    assert_string_equal(framing_header(&info, "Accept", &count), "first");
    assert_int_equal(count, 2);
    assert_null(framing_header(&info, "Prefer", &count));
    assert_int_equal(count, 0);
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

static void only_digits_are_a_length(void **state)
{
    static const char *const bad[] = {"", "-1", "+4", "4, 4", "0x4", "4a", " "};
    struct framing framing;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(FRAMING("POST", "Content-Length", bad[i]), 400);
    assert_int_equal(FRAMING("POST", "Content-Length", "4 "), 0);
    assert_int_equal(FRAMING("POST", "Content-Length", "9999999999999999999999"), 413);
}

static void other_encodings_are_not_implemented(void **state)
{
    struct framing framing;

    (void)state;
    assert_int_equal(FRAMING("POST", "Transfer-Encoding", "gzip, chunked"), 501);
    assert_int_equal(FRAMING("POST", "Transfer-Encoding", "identity"), 501);
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
    struct framing framing;

    (void)state;
    assert_int_equal(framing_of("GET", (const char *const[]){NULL}, &framing), 400);
}

static void more_headers_than_are_read_are_refused(void **state)
{
    const char *headers[2 * MG_MAX_HEADERS + 1] = {NULL};
    struct framing framing;

    (void)state;
    for (size_t i = 0; i < MG_MAX_HEADERS; i++) {
        headers[2 * i] = i ? "X" : "Host";
        headers[2 * i + 1] = "x";
    }
    assert_int_equal(framing_of("GET", headers, &framing), 431);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_read),
        cmocka_unit_test(a_header_is_found_whatever_its_case),
        cmocka_unit_test(chunks_are_known),
        cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(only_digits_are_a_length),
        cmocka_unit_test(other_encodings_are_not_implemented),
        cmocka_unit_test(a_post_needs_a_length_and_a_get_does_not),
        cmocka_unit_test(a_host_is_needed),
        cmocka_unit_test(more_headers_than_are_read_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
