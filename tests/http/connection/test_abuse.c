/* What no honest client sends. Each is refused in the envelope, or the connection ends;
 * and the server goes on. */
#include "live.h"

#define HEAD(method, path) method " " path " HTTP/1.1\r\nHost: localhost\r\n"
#define JSON "Content-Type: application/json\r\n"

static int start(void **state)
{
    *state = live_start(NULL, NULL, NULL);
    return 0;
}

/* As above, with little patience and few threads. */
static int start_impatient(void **state)
{
    struct dbk_server_options options = live_options(NULL);

    options.request_timeout_ms = 400;
    options.threads = 3;
    *state = live_start(&options, NULL, NULL);
    return 0;
}

/* Whatever was sent, the next client is served. */
static int tear_down(void **state)
{
    struct heard heard = live_ask(*state, "GET", "/health", "", NULL);

    assert_heard(&heard, 200, NULL);
    heard_free(&heard);
    live_stop(*state);
    return 0;
}

/* Refused with the status, and nothing behind it is taken for a request. */
static void assert_refused(const struct live *live, const char *bytes, size_t length,
                           int status, const char *saying)
{
    int fd = live_connect(live);
    struct heard heard;

    live_send(fd, bytes, length);
    heard = live_hear(fd, false);
    assert_heard(&heard, status, saying);
    assert_heard(&heard, status, "{\"data\":null,\"response\":{\"details\":");
    assert_heard(&heard, status, "Connection: close");
    assert_true(live_ends(fd));
    heard_free(&heard);
    close(fd);
}

#define REFUSED(text, status, saying)                                                  \
    assert_refused(*state, text, sizeof(text) - 1, status, saying)

#define SMUGGLED "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void two_lengths(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON
            "Content-Length: 0\r\nContent-Length: 41\r\n\r\n" SMUGGLED,
            400, "Content-Length");
}

static void a_length_and_chunks(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON
            "Content-Length: 4\r\nTransfer-Encoding: chunked"
            "\r\n\r\n0\r\n\r\n" SMUGGLED,
            400, "exclude each other");
}

static void an_encoding_that_is_not_chunked(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON
            "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}" SMUGGLED,
            400, "exclude each other");
}

static void a_post_without_a_length(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON "\r\n" SMUGGLED, 411, "Content-Length");
}

static void a_length_that_is_no_number(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON "Content-Length: 2x\r\n\r\n{}", 400,
            "not a number");
}

static void a_huge_length(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON "Content-Length: 999999999999999\r\n\r\n{",
            413, "larger");
    REFUSED(HEAD("POST", "/events") JSON
            "Content-Length: 99999999999999999999999\r\n\r\n{",
            413, "larger");
}

static void a_body_over_the_limit_is_refused_before_it_is_sent(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON "Expect: 100-continue\r\n"
                                         "Content-Length: 2000000\r\n\r\n",
            413, "1048576");
}

/* Whether what is sent behind the refusal is still taken. */
static bool refused_while_it_sends(const struct live *live)
{
    static const char head[] =
        HEAD("POST", "/events") JSON "Content-Length: 2000000\r\n\r\n";
    char part[10000];
    int fd = live_connect(live);
    struct heard heard;
    bool taken = true;

    memset(part, 'a', sizeof part);
    assert_true(live_send(fd, head, sizeof head - 1));
    for (int i = 0; i < 50; i++)
        live_send(fd, part, sizeof part);
    heard = live_hear(fd, false);
    assert_heard(&heard, 413, "larger");
    for (int i = 0; i < 5; i++) {
        usleep(10000);
        taken = live_send(fd, part, sizeof part) && taken;
    }
    heard_free(&heard);
    close(fd);
    return taken;
}

/* A reset could take the answer from a client that is still sending: so what it sends is
 * taken for a while, which on a busy machine may be over before this has sent it. */
static void a_large_body_still_coming_hears_the_refusal(void **state)
{
    bool taken = false;

    for (int tries = 0; tries < 20 && !taken; tries++)
        taken = refused_while_it_sends(*state);
    assert_true(taken);
}

static void bad_chunks(void **state)
{
#define CHUNKED HEAD("POST", "/events") JSON "Transfer-Encoding: chunked\r\n\r\n"
    REFUSED(CHUNKED "zz\r\n{}\r\n0\r\n\r\n", 400, "chunked");
    REFUSED(CHUNKED "2\r\n{}x\r\n0\r\n\r\n", 400, "chunked");
    REFUSED(CHUNKED "-2\r\n{}\r\n0\r\n\r\n", 400, "chunked");
    REFUSED(CHUNKED "ffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400, "chunked");
}

static void chunks_without_end_are_cut_off(void **state)
{
    static const char head[] = CHUNKED;
    char chunk[4 + 2 + 0x1000 + 2 + 1];
    int fd = live_connect(*state);
    struct heard heard;

    memset(chunk, 'a', sizeof chunk);
    memcpy(chunk, "1000\r\n", 6);
    memcpy(chunk + 6 + 0x1000, "\r\n", 3);
    assert_true(live_send(fd, head, sizeof head - 1));
    for (int i = 0; i < 1000 && live_send(fd, chunk, sizeof chunk - 1); i++)
        continue;
    heard = live_hear(fd, false);
    assert_heard(&heard, 413, "larger");
    heard_free(&heard);
    close(fd);
}

static void good_chunks_are_read(void **state)
{
    static const char text[] =
        CHUNKED "2\r\n{}\r\n0\r\n\r\n" HEAD("GET", "/health") "\r\n";
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, text, sizeof text - 1));
    heard = live_hear(fd, false);
    assert_heard(&heard, 400, "\"field\":\"event_type\"");
    assert_heard(&heard, 400, "Connection: keep-alive");
    heard_free(&heard);
    close(fd);
}

static void a_body_where_none_belongs(void **state)
{
    static const char text[] =
        HEAD("GET", "/health") "Content-Length: 41\r\n\r\n" SMUGGLED;
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, text, sizeof text - 1));
    heard = live_hear(fd, false);
    assert_heard(&heard, 200, "Connection: close");
    assert_true(live_ends(fd));
    heard_free(&heard);
    close(fd);
}

static void headers_without_end(void **state)
{
    char *text = malloc(70000);
    size_t used;

    assert_non_null(text);
    used = (size_t)sprintf(text, HEAD("GET", "/health"));
    for (int i = 0; i < 100; i++)
        used += (size_t)sprintf(text + used, "X-%d: y\r\n", i);
    used += (size_t)sprintf(text + used, "\r\n");
    assert_refused(*state, text, used, 431, "too many headers");
    used = (size_t)sprintf(text, HEAD("GET", "/health") "X: ");
    memset(text + used, 'a', 60000);
    assert_refused(*state, text, used + 60000, 431, "16,384 bytes");
    free(text);
}

static void what_is_not_http(void **state)
{
    REFUSED("hello\r\n\r\n", 400, "does not begin with a method");
    REFUSED("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello \r\n\r\n", 400,
            "control character");
    REFUSED("GET / HTTP/9.9\r\n\r\n", 505, NULL);
    REFUSED("GET nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "neither a path");
}

static void no_host(void **state)
{
    REFUSED("GET /health HTTP/1.1\r\n\r\n", 400, "Host");
}

static void another_expectation(void **state)
{
    REFUSED(HEAD("POST", "/events") JSON "Expect: tea\r\nContent-Length: 2\r\n\r\n{}",
            417, "100-continue");
}

static void a_client_that_asks_first_is_told_to_go_on(void **state)
{
    static const char head[] = HEAD("POST", "/events") JSON
        "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    char answer[64] = "";
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, head, sizeof head - 1));
    assert_int_equal(recv(fd, answer, 25, MSG_WAITALL), 25);
    assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(live_send(fd, "{}", 2));
    heard = live_hear(fd, false);
    assert_heard(&heard, 400, "event_type");
    heard_free(&heard);
    close(fd);
}

static void a_media_type_that_is_not_taken(void **state)
{
    REFUSED(
        HEAD("POST", "/events") "Content-Type: application/x-www-form-urlencoded\r\n"
                                "Content-Length: 3\r\n\r\na=b",
        415, "application/json");
    REFUSED(HEAD("POST", "/events") "Content-Length: 2\r\n\r\n{}", 415,
            "application/json");
    REFUSED(HEAD("POST", "/events") "Content-Type: application/x-ndjson\r\n"
                                    "Content-Length: 2\r\n\r\n{}",
            415, "application/json");
}

static void a_client_that_leaves_in_mid_body(void **state)
{
    static const char head[] =
        HEAD("POST", "/events") JSON "Content-Length: 100\r\n\r\n{";
    int fd = live_connect(*state);

    assert_true(live_send(fd, head, sizeof head - 1));
    close(fd);
}

static void drip_until_answered(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    for (int i = 0; i < 500; i++) {
        if (poll(&ready, 1, 20) != 0)
            return;
        live_send(fd, "a", 1);
    }
    fail_msg("the server reads as long as bytes come");
}

/* civetweb's own timeout starts again with each byte. */
static void a_dripped_body_has_a_deadline(void **state)
{
    static const char head[] =
        HEAD("POST", "/events") JSON "Content-Length: 100000\r\n\r\n";
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, head, sizeof head - 1));
    drip_until_answered(fd);
    heard = live_hear(fd, false);
    assert_heard(&heard, 408, "did not arrive in time");
    heard_free(&heard);
    close(fd);
}

static void dripped_chunks_have_a_deadline(void **state)
{
    static const char head[] = CHUNKED "fff0\r\n";
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, head, sizeof head - 1));
    drip_until_answered(fd);
    heard = live_hear(fd, false);
    assert_heard(&heard, 408, "did not arrive in time");
    heard_free(&heard);
    close(fd);
}

static void dripped_headers_have_a_deadline(void **state)
{
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, "GET /health HTTP/1.1\r\nX: ", 25));
    drip_until_answered(fd);
    heard = live_hear(fd, false);
    assert_heard(&heard, 408, "in time");
    heard_free(&heard);
    close(fd);
}

static void a_stalled_body_has_a_deadline(void **state)
{
    static const char head[] =
        HEAD("POST", "/events") JSON "Content-Length: 100000\r\n\r\n{";
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, head, sizeof head - 1));
    heard = live_hear(fd, false);
    assert_heard(&heard, 408, "did not arrive in time");
    heard_free(&heard);
    close(fd);
}

/* Three threads, and three connections that keep them: the fourth must get its turn. */
static void idle_connections_make_room(void **state)
{
    int idle[3];
    struct heard heard;

    for (int i = 0; i < 3; i++) {
        idle[i] = live_connect(*state);
        assert_true(live_send(idle[i], HEAD("GET", "/health") "\r\n",
                              sizeof(HEAD("GET", "/health") "\r\n") - 1));
        heard = live_hear(idle[i], false);
        assert_heard(&heard, 200, "keep-alive");
        heard_free(&heard);
    }
    heard = live_ask(*state, "GET", "/health", "", NULL);
    assert_heard(&heard, 200, NULL);
    heard_free(&heard);
    for (int i = 0; i < 3; i++)
        close(idle[i]);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, tear_down)
#define IMPATIENT(test)                                                                \
    cmocka_unit_test_setup_teardown(test, start_impatient, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LIVE(two_lengths),
        LIVE(a_length_and_chunks),
        LIVE(an_encoding_that_is_not_chunked),
        LIVE(a_post_without_a_length),
        LIVE(a_length_that_is_no_number),
        LIVE(a_huge_length),
        LIVE(a_body_over_the_limit_is_refused_before_it_is_sent),
        LIVE(a_large_body_still_coming_hears_the_refusal),
        LIVE(bad_chunks),
        LIVE(chunks_without_end_are_cut_off),
        LIVE(good_chunks_are_read),
        LIVE(a_body_where_none_belongs),
        LIVE(headers_without_end),
        LIVE(what_is_not_http),
        LIVE(no_host),
        LIVE(another_expectation),
        LIVE(a_client_that_asks_first_is_told_to_go_on),
        LIVE(a_media_type_that_is_not_taken),
        LIVE(a_client_that_leaves_in_mid_body),
        IMPATIENT(a_dripped_body_has_a_deadline),
        IMPATIENT(dripped_chunks_have_a_deadline),
        IMPATIENT(dripped_headers_have_a_deadline),
        IMPATIENT(a_stalled_body_has_a_deadline),
        IMPATIENT(idle_connections_make_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
