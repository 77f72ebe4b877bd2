/* A real server on a real log, and no PostgreSQL: what works then, and how. */
#include "live.h"

#include <pthread.h>

#define KATE                                                                           \
    "{\"email\":\"kate@marauders.mock\",\"first_name\":\"Kate\",\"last_name\":"        \
    "\"Pryde\"}"

static int start(void **state)
{
    *state = live_start(NULL, NULL, NULL);
    return 0;
}

static int tear_down(void **state)
{
    live_stop(*state);
    return 0;
}

/* The id in the Location of what was made. */
static void made_id(const struct heard *heard, char id[40])
{
    char location[256];

    heard_header(heard, "Location", location);
    snprintf(id, 40, "%s", strrchr(location, '/') ? strrchr(location, '/') + 1 : "");
    assert_int_equal(strlen(id), 36);
}

static void make_kate(const struct live *live, char id[40])
{
    struct heard heard = live_ask(live, "POST", "/persons", "", KATE);

    assert_heard(&heard, 201, NULL);
    made_id(&heard, id);
    heard_free(&heard);
}

static void expect(const struct live *live, const char *method, const char *path,
                   const char *headers, const char *body, int status,
                   const char *saying)
{
    struct heard heard = live_ask(live, method, path, headers, body);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

static void a_person_is_made_with_its_signup(void **state)
{
    struct heard heard = live_ask(*state, "POST", "/persons", "", KATE);
    char value[256];

    assert_heard(&heard, 201, "\"event_type\":\"signup\"");
    assert_heard(&heard, 201, "\"message\":\"Ok\",\"status\":201}}");
    assert_memory_equal(heard_header(&heard, "ETag", value), "\"1-", 3);
    assert_string_equal(heard_header(&heard, "Daybook-Sequence", value), "2");
    assert_memory_equal(heard_header(&heard, "Location", value), "/persons/", 9);
    heard_free(&heard);
}

static void writes_work_without_postgresql(void **state)
{
    char id[40], path[64], body[256];

    make_kate(*state, id);
    snprintf(body, sizeof body, "{\"event_type\":\"click\",\"person_id\":\"%s\"}", id);
    expect(*state, "POST", "/events", "", body, 201, "\"click\"");
    snprintf(path, sizeof path, "/persons/%s", id);
    expect(*state, "PATCH", path, "", "{\"role\":\"admin\"}", 200, "\"events\":null");
    expect(*state, "PUT", path, "If-Match: \"4\"\r\n",
           "{\"email\":\"kate@krakoa.mock\",\"first_name\":\"Kate\",\"last_name\":"
           "\"Pryde\",\"role\":\"user\"}",
           200, "events are not shown");
    expect(*state, "DELETE", path, "", NULL, 200, "{\"data\":null");
    expect(*state, "POST", "/events", "", body, 404, "no person");
}

static void reads_say_that_postgresql_is_away(void **state)
{
    struct heard heard = live_ask(*state, "GET", "/persons", "", NULL);
    char value[256];

    assert_heard(&heard, 503, "PostgreSQL, which answers reads, is not available now");
    assert_string_equal(heard_header(&heard, "Retry-After", value), "1");
    heard_free(&heard);
}

static void an_event_is_read_without_postgresql(void **state)
{
    char kate[40], id[40], path[64], person[64], body[256];
    struct heard heard;

    make_kate(*state, kate);
    snprintf(body, sizeof body,
             "{\"event_type\":\"a\",\"person_id\":\"%s\",\"properties\":{\"b\":1e1,"
             "\"a\":[]}}",
             kate);
    heard = live_ask(*state, "POST", "/events", "", body);
    made_id(&heard, id);
    heard_free(&heard);
    snprintf(path, sizeof path, "/events/%s", id);
    expect(*state, "GET", path, "", NULL, 200,
           "\"properties\":{\"a\": [], \"b\": 10}}");
    expect(*state, "GET", path, "", NULL, 200, "Daybook-Projected-Sequence: 3\r\n");
    expect(*state, "GET", path, "If-None-Match: \"3\"\r\n", NULL, 304, NULL);
    snprintf(person, sizeof person, "/persons/%s", kate);
    expect(*state, "DELETE", person, "", NULL, 200, NULL);
    expect(*state, "GET", path, "", NULL, 404, "There is no event with this id");
}

static void the_log_is_read_without_postgresql(void **state)
{
    char id[40];

    make_kate(*state, id);
    expect(*state, "GET", "/log", "", NULL, 200, "\"type\":\"person.created\"");
    expect(*state, "GET", "/log/2", "", NULL, 200, "\"event_type\":\"signup\"");
    expect(*state, "GET", "/log/3", "", NULL, 404, "no record 3");
    expect(*state, "GET", "/log?after=1&limit=1", "Accept: application/x-ndjson\r\n",
           NULL, 200, "\r\n\r\n{\"format\":1,\"type\":\"event.recorded\"");
    expect(*state, "GET", "/log?limit=1", "", NULL, 200,
           "Link: </log?limit=1&after=1>; rel=\"next\"");
}

static void health_answers_without_postgresql(void **state)
{
    expect(*state, "GET", "/health", "", NULL, 200, "\"status\":\"degraded\"");
}

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

static void one_key_happens_once(void **state)
{
    struct heard first =
        live_ask(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n", KATE);
    struct heard again =
        live_ask(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n", KATE);
    char value[256];

    assert_heard(&first, 201, NULL);
    assert_heard(&again, 201, NULL);
    assert_string_equal(first.body, again.body);
    assert_string_equal(heard_header(&again, "Idempotency-Replayed", value), "true");
    assert_string_equal(heard_header(&first, "Idempotency-Replayed", value), "");
    expect(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n", "{}", 400, NULL);
    expect(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n",
           "{\"email\":\"x@y.zz\",\"first_name\":\"a\",\"last_name\":\"b\"}", 422,
           "Idempotency-Key");
    heard_free(&first);
    heard_free(&again);
}

static void an_event_sent_again_is_the_first_one(void **state)
{
    static const char path[] = "/events/0323d885-13a9-460e-96ab-001afc534fcb";
    char id[40], body[256], other[256];

    make_kate(*state, id);
    snprintf(body, sizeof body,
             "{\"event_type\":\"click\",\"person_id\":\"%s\",\"properties\":{\"a\":1}}",
             id);
    snprintf(other, sizeof other, "{\"event_type\":\"view\",\"person_id\":\"%s\"}", id);
    expect(*state, "POST", path, "", body, 201, "\"a\":1");
    expect(*state, "POST", path, "", body, 200, "\"a\":1");
    expect(*state, "POST", path, "", other, 409, "0323d885");
    expect(*state, "DELETE", path, "", NULL, 200, NULL);
    expect(*state, "POST", path, "", body, 409, "deleted");
}

static void a_batch_has_a_verdict_for_each(void **state)
{
    char id[40], body[1024];
    struct heard heard;

    make_kate(*state, id);
    snprintf(
        body, sizeof body,
        "{\"event_type\":\"a\",\"person_id\":\"%s\"}\n"
        "{\"event_type\":\"a\"}\n\n"
        "not json\n"
        "{\"event_type\":\"a\",\"person_id\":\"0323d885-13a9-460e-96ab-001afc534fcb"
        "\"}\n"
        "{\"event_type\":\"b\",\"person_id\":\"%s\"}",
        id, id);
    heard = live_ask(*state, "POST", "/events/batch",
                     "Content-Type: application/x-ndjson\r\n", body);
    assert_heard(&heard, 207,
                 "2 recorded, 0 known already, 3 refused\",\"known\":0,\"recorded\":2,"
                 "\"refused\":3,\"message\":\"Multi-Status\",\"status\":207}}");
    assert_heard(&heard, 207, "{\"index\":0,\"status\":201,\"id\":\"");
    assert_heard(&heard, 207, "{\"index\":1,\"status\":400,\"details\":\"");
    assert_heard(&heard, 207, "{\"index\":2,\"status\":400,");
    assert_heard(&heard, 207, "{\"index\":3,\"status\":404,");
    assert_heard(&heard, 207, "\"sequence\":4}");
    heard_free(&heard);
}

static void a_batch_over_its_limit_is_refused(void **state)
{
    char *body = calloc(1, 8192), *at = body;

    assert_non_null(body);
    *at++ = '[';
    for (int i = 0; i < 1001; i++)
        at += sprintf(at, "%s1", i ? "," : "");
    *at = ']';
    expect(*state, "POST", "/events/batch", "", body, 413, "1000");
    free(body);
}

static void several_versions_may_be_expected(void **state)
{
    char id[40], path[64];

    make_kate(*state, id);
    snprintf(path, sizeof path, "/persons/%s", id);
    expect(*state, "PATCH", path, "If-Match: \"7\", \"1-00ff\"\r\n",
           "{\"role\":\"admin\"}", 412, NULL);
    expect(*state, "PATCH", path, "If-Match: \"7\", \"1-0123456789abcdef\"\r\n",
           "{\"role\":\"admin\"}", 200, NULL);
    expect(*state, "PATCH", path, "If-Match: \"7\", \"1\"\r\n", "{\"role\":\"user\"}",
           412, NULL);
    expect(*state, "DELETE", path, "If-Match: 1\r\n", NULL, 400, "If-Match");
}

#define PATCHERS 6
#define PATCHES 20

struct patcher {
    const struct live *live;
    const char *path;
    int number, refused;
};

static void *patch_often(void *argument)
{
    struct patcher *patcher = argument;
    char body[128];

    for (int i = 0; i < PATCHES; i++) {
        snprintf(body, sizeof body,
                 "{\"first_name\":\"n%d\",\"last_name\":\"%d of %d\"}",
                 (patcher->number + i) % 2, i, patcher->number);
        struct heard heard = live_ask(patcher->live, "PATCH", patcher->path, "", body);
        patcher->refused += heard.status != 200;
        heard_free(&heard);
    }
    return NULL;
}

/* Without If-Match the last one wins, and nobody is told of the others. */
static void many_patches_at_once_are_all_done(void **state)
{
    struct patcher patchers[PATCHERS];
    pthread_t threads[PATCHERS];
    char id[40], path[64];

    make_kate(*state, id);
    snprintf(path, sizeof path, "/persons/%s", id);
    for (int i = 0; i < PATCHERS; i++) {
        patchers[i] = (struct patcher){*state, path, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, patch_often, &patchers[i]),
                         0);
    }
    for (int i = 0; i < PATCHERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(patchers[i].refused, 0);
    }
}

static void wrong_fields_are_named(void **state)
{
    expect(*state, "POST", "/persons", "", "{\"email\":7,\"x\":1}", 400,
           "{\"field\":\"first_name\"");
    expect(*state, "GET", "/events?limit=0&x=1", "", NULL, 400, "{\"field\":\"x\"");
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

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LIVE(a_person_is_made_with_its_signup),
        LIVE(writes_work_without_postgresql),
        LIVE(reads_say_that_postgresql_is_away),
        LIVE(an_event_is_read_without_postgresql),
        LIVE(the_log_is_read_without_postgresql),
        LIVE(health_answers_without_postgresql),
        LIVE(a_request_id_goes_into_the_log_and_back),
        LIVE(an_unsafe_request_id_is_replaced),
        LIVE(one_key_happens_once),
        LIVE(an_event_sent_again_is_the_first_one),
        LIVE(a_batch_has_a_verdict_for_each),
        LIVE(a_batch_over_its_limit_is_refused),
        LIVE(several_versions_may_be_expected),
        LIVE(many_patches_at_once_are_all_done),
        LIVE(wrong_fields_are_named),
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
