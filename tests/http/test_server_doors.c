/* The door of a server: ports, methods, origins, request ids, pages. */
#include "live_kate.h"

static void a_request_id_goes_into_the_log_and_back(void **state)
{
    struct heard heard =
        live_ask(*state, "POST", "/persons", "X-Request-Id: my-id.7\r\n", KATE);
    char value[256];

    assert_string_equal(heard_header(&heard, "X-Request-Id", value), "my-id.7");
    heard_free(&heard);
    expect(*state, "GET", "/log/1", "", NULL, 200,
           "\"meta\":{\"request_id\":\"my-id.7\",\"source\":\"rest\"}");
}

static void an_unsafe_request_id_is_replaced(void **state)
{
    struct heard heard =
        live_ask(*state, "GET", "/health", "X-Request-Id: a\"b\r\n", NULL);
    char value[256];

    assert_int_equal(strlen(heard_header(&heard, "X-Request-Id", value)), 36);
    heard_free(&heard);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    expect(*state, "PUT", "/persons", "", "{}", 405, "Allow: GET, HEAD, POST, OPTIONS");
    expect(*state, "OPTIONS", "/persons", "", NULL, 204,
           "Allow: GET, HEAD, POST, OPTIONS");
    expect(*state, "OPTIONS", "/persons",
           "Origin: http://evil.test\r\nAccess-Control-Request-Method: POST\r\n", NULL,
           204, NULL);
}

static void no_other_origin_is_let_in(void **state)
{
    struct heard heard = live_ask(*state, "OPTIONS", "/persons",
                                  "Origin: http://evil.test\r\n"
                                  "Access-Control-Request-Method: POST\r\n",
                                  NULL);

    assert_null(strcasestr(heard.text, "Access-Control-Allow"));
    heard_free(&heard);
}

static void head_is_get_without_its_body(void **state)
{
    struct heard get = live_ask(*state, "GET", "/openapi.json", "", NULL);
    struct heard head = live_ask(*state, "HEAD", "/openapi.json", "", NULL);

    assert_heard(&head, 200, "Content-Type: application/json");
    assert_int_equal(head.announced, get.announced);
    assert_int_equal(strlen(head.body), 0);
    heard_free(&get);
    heard_free(&head);
}

static void the_pages_are_there_and_ask_nobody_else(void **state)
{
    static const char *const paths[] = {"/",
                                        "/docs",
                                        "/docs/",
                                        "/docs/favicon-32x32.png",
                                        "/favicon.ico",
                                        "/openapi.json"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        expect(*state, "GET", paths[i], "", NULL, 200, "default-src 'self'");
    expect(*state, "GET", "/", "Accept: text/html\r\n", NULL, 200, "<h1>Daybook</h1>");
    expect(*state, "GET", "/", "Accept: application/json\r\n", NULL, 200,
           "\"docs\":\"/docs\"");
    expect(*state, "GET", "/docs/nothing.js", "", NULL, 404, NULL);
    expect(*state, "GET", "/docs", "If-None-Match: *\r\n", NULL, 304, NULL);
}

static void a_connection_serves_one_request_after_the_other(void **state)
{
    static const char two[] =
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /log HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int fd = live_connect(*state);
    struct heard heard;

    assert_true(live_send(fd, two, sizeof two - 1));
    heard = live_hear(fd, false);
    assert_heard(&heard, 200, "Connection: keep-alive");
    assert_non_null(strstr(heard.text, "\"head\":"));
    heard_free(&heard);
    close(fd);
}

static void the_access_line_is_told_once(void **state)
{
    struct live *live = *state;
    char id[40];

    make_kate(live, id);
    while (atomic_load(&live->accesses) < 1)
        usleep(1000);
    assert_int_equal(atomic_load(&live->accesses), 1);
    assert_int_equal(atomic_load(&live->last_status), 201);
    assert_int_equal(atomic_load(&live->last_sequence), 2);
}

static void a_port_that_is_taken_is_said_so(void **state)
{
    struct live *live = *state;
    struct dbk_server_options options = live_options(live);
    struct dbk_server *second;
    struct dbk_error err;

    options.port = dbk_server_port(live->server);
    assert_int_equal(dbk_server_start(live->log, NULL, NULL, &options, &second, &err),
                     DBK_CONFLICT);
    assert_null(second);
    assert_non_null(strstr(err.text, "is taken"));
    options.address = "localhost";
    assert_int_equal(dbk_server_start(live->log, NULL, NULL, &options, &second, &err),
                     DBK_INVALID);
}

/* What is asked while the port is bound and the doors are not open yet. */
struct doors {
    unsigned port;
    int fd;
    enum dbk_code verdict;
};

static enum dbk_code ask_early(void *context, struct dbk_error *err)
{
    static const char ask[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct doors *doors = context;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)doors->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd answered = {.events = POLLIN};

    doors->fd = answered.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(doors->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_true(live_send(doors->fd, ask, sizeof ask - 1));
    assert_int_equal(poll(&answered, 1, 200), 0);
    return doors->verdict == DBK_OK ? DBK_OK : dbk_fail(err, doors->verdict, "not so");
}

static unsigned free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static enum dbk_code start_with_doors(struct live *live, struct doors *doors,
                                      struct dbk_server **server)
{
    struct dbk_server_options options = live_options(live);
    struct dbk_error err;

    doors->port = options.port = free_port();
    options.bound = ask_early;
    options.bound_context = doors;
    return dbk_server_start(live->log, NULL, NULL, &options, server, &err);
}

static void nothing_is_answered_before_bound_has_returned(void **state)
{
    struct doors doors = {.verdict = DBK_OK};
    struct dbk_server *server;
    struct heard heard;

    assert_int_equal(start_with_doors(*state, &doors, &server), DBK_OK);
    heard = live_hear(doors.fd, false);
    assert_int_equal(heard.status, 200);
    heard_free(&heard);
    close(doors.fd);
    dbk_server_stop(server, 2000);
}

static void where_bound_fails_nobody_is_let_in(void **state)
{
    struct doors doors = {.verdict = DBK_IO};
    struct dbk_server *server;
    struct heard heard;

    assert_int_equal(start_with_doors(*state, &doors, &server), DBK_IO);
    assert_null(server);
    heard = live_hear(doors.fd, false);
    assert_true(heard.status == 503 || heard.status == 0);
    heard_free(&heard);
    close(doors.fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LIVE(a_request_id_goes_into_the_log_and_back),
        LIVE(an_unsafe_request_id_is_replaced),
        LIVE(a_wrong_method_is_told_the_right_ones),
        LIVE(no_other_origin_is_let_in),
        LIVE(head_is_get_without_its_body),
        LIVE(the_pages_are_there_and_ask_nobody_else),
        LIVE(a_connection_serves_one_request_after_the_other),
        LIVE(the_access_line_is_told_once),
        LIVE(a_port_that_is_taken_is_said_so),
        LIVE(nothing_is_answered_before_bound_has_returned),
        LIVE(where_bound_fails_nobody_is_let_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
