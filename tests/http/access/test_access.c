/* Who is let in, by a real server with a file of tokens. */
#include "token_world.h"

static void note_actor(void *context, const struct dbk_access *entry)
{
    struct world *world = context;

    pthread_mutex_lock(&world->mutex);
    snprintf(world->actor, sizeof world->actor, "%s", entry->actor);
    pthread_mutex_unlock(&world->mutex);
}

/* Until GET /log is answered so. A bound on patience; a second is what is promised. */
static void await(const struct world *world, const char *headers, int status)
{
    struct timespec pause = {0, 10000000};

    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        if (status_of_get(world, "/log", headers) == status)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("not %d in time", status);
}

static void without_tokens_nobody_is_asked(void **state)
{
    struct world *world = *state;

    start(world);
    assert_int_equal(status_of_get(world, "/log", ""), 200);
    assert_int_equal(status_of_get(world, "/log", "Authorization: Bearer x\r\n"), 200);
    assert_int_equal(
        status_of_get(world, "/log",
                      "Authorization: Bearer x\r\nAuthorization: Bearer y\r\n"),
        200);
}

/* The status of a request that calls the server so; name "": HTTP/1.0, and not at all. */
static int status_of_calling(const struct world *world, const char *line,
                             const char *name, const char *headers)
{
    char text[512];
    struct heard heard;
    int status;

    if (*name)
        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", line, name,
                 headers);
    else
        snprintf(text, sizeof text, "%s HTTP/1.0\r\n%s\r\n", line, headers);
    heard = live_raw(world->live, text, strlen(text));
    status = heard.status;
    heard_free(&heard);
    return status;
}

/* A page's own name may point here; the browser says by which it came. */
static void without_tokens_the_server_has_its_own_names_only(void **state)
{
    static const char *const lines[] = {
        "GET /health",      "GET /log",    "GET /",       "GET /docs",
        "OPTIONS /persons", "DELETE /log", "GET /nothing"};
    struct world *world = *state;

    start(world);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(status_of_calling(world, lines[i], "rebound.example", ""),
                         421);
        assert_int_equal(status_of_calling(world, lines[i], "10.0.0.1:8080", ""), 421);
        assert_int_not_equal(status_of_calling(world, lines[i], "localhost:80", ""),
                             421);
        assert_int_not_equal(status_of_calling(world, lines[i], "127.0.0.1", ""), 421);
        assert_int_not_equal(status_of_calling(world, lines[i], "", ""), 421);
    }
}

static void with_tokens_the_server_has_any_name(void **state)
{
    struct world *world = *state;
    char header[128];

    token(world, "kate", DBK_SCOPE_AUDIT, header);
    start(world);
    assert_int_equal(status_of_calling(world, "GET /log", "daybook.example", header),
                     200);
    assert_int_equal(status_of_calling(world, "GET /log", "daybook.example", ""), 401);
    assert_int_equal(status_of_calling(world, "GET /health", "daybook.example", ""),
                     200);
}

static void the_first_token_closes_the_door_and_none_opens_it_again(void **state)
{
    struct world *world = *state;
    struct dbk_error err;
    char header[128], path[96];
    size_t left;

    start(world);
    token(world, "kate", DBK_SCOPE_AUDIT, header);
    await(world, "", 401);
    assert_int_equal(status_of_get(world, "/log", header), 200);
    assert_int_equal(dbk_tokens_revoke(world->dir, "kate", false, &left, &err), DBK_OK);
    await(world, header, 401);
    assert_int_equal(status_of_get(world, "/log", ""), 401);
    snprintf(path, sizeof path, "%s/tokens", world->dir);
    assert_int_equal(unlink(path), 0);
    nanosleep(&(struct timespec){1, 0}, NULL);
    assert_int_equal(status_of_get(world, "/log", ""), 401);
    token(world, "bobby", DBK_SCOPE_ADMIN, header);
    await(world, header, 200);
}

static void a_file_that_cannot_be_read_lets_nobody_in(void **state)
{
    struct world *world = *state;
    struct heard heard;
    char header[128], path[96];

    token(world, "kate", DBK_SCOPE_ADMIN, header);
    start(world);
    assert_int_equal(status_of_get(world, "/log", header), 200);
    snprintf(path, sizeof path, "%s/tokens", world->dir);
    assert_int_equal(chmod(path, 0644), 0);
    await(world, header, 503);
    heard = live_ask(world->live, "GET", "/log", header, NULL);
    assert_heard(&heard, 503, "The access tokens cannot be read");
    heard_free(&heard);
    assert_int_equal(status_of_get(world, "/log", ""), 401);
    assert_int_equal(status_of_get(world, "/health", ""), 200);
    assert_int_equal(chmod(path, 0600), 0);
    await(world, header, 200);
}

/* A server that nobody was asked at is shut by it too. */
static void a_file_that_comes_malformed_shuts_the_door(void **state)
{
    struct world *world = *state;
    char path[96];
    FILE *file;

    start(world);
    snprintf(path, sizeof path, "%s/tokens", world->dir);
    file = fopen(path, "w");
    fputs("kate\n", file);
    fclose(file);
    await(world, "", 401);
    await(world, "Authorization: Bearer x\r\n", 503);
}

static void wrong_tokens_are_limited_and_right_ones_are_not(void **state)
{
    static const char wrong[] = "Authorization: Bearer dbk_wrong\r\n";
    struct world *world = *state;
    struct heard heard;
    char header[128], value[256];

    token(world, "kate", DBK_SCOPE_AUDIT, header);
    start(world);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(status_of_get(world, "/log", ""), 401); /* not a try */
        assert_int_equal(status_of_get(world, "/persons", header), 403);
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(status_of_get(world, "/log", wrong), 401);
    heard = live_ask(world->live, "GET", "/log", wrong, NULL);
    assert_heard(&heard, 429, "Too many wrong access tokens");
    heard_header(&heard, "Retry-After", value);
    assert_true(atoi(value) > 50 && atoi(value) <= 60);
    assert_string_equal(heard_header(&heard, "WWW-Authenticate", value), "");
    heard_free(&heard);
    assert_int_equal(status_of_get(world, "/log", header), 200);
    assert_int_equal(status_of_get(world, "/health", wrong), 200);
    assert_int_equal(status_of_get(world, "/log", ""), 401);
}

/* The body was not read, so what follows it on the connection is not, either. */
static void a_body_that_was_refused_is_no_request(void **state)
{
    struct world *world = *state;
    struct heard heard;
    char header[128];
    int fd;
    static const char two[] =
        "POST /persons HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 37\r\n\r\nGET /health HTTP/1.1\r\nHost: example\r\n\r\n";

    token(world, "kate", DBK_SCOPE_AUDIT, header);
    start(world);
    fd = live_connect(world->live);
    live_send(fd, two, sizeof two - 1);
    heard = live_hear(fd, false);
    assert_heard(&heard, 401, "Connection: close");
    heard_free(&heard);
    assert_true(live_ends(fd));
    close(fd);
}

static void the_tokens_name_is_the_actor_of_record_and_access_line(void **state)
{
    struct world *world = *state;
    struct dbk_server_options options = live_options(NULL);
    struct dbk_error err;
    struct live *live = calloc(1, sizeof *live);
    struct heard heard;
    char header[128];

    token(world, "shop", DBK_SCOPE_WRITE | DBK_SCOPE_AUDIT, header);
    world->live = live;
    scratch_dir_make(live->dir);
    options.tokens_dir = world->dir;
    options.access = note_actor;
    options.access_context = world;
    assert_int_equal(dbk_log_open(live->dir, NULL, &live->log, &err), DBK_OK);
    assert_int_equal(
        dbk_server_start(live->log, NULL, NULL, &options, &live->server, &err), DBK_OK);
    heard = live_ask(live, "POST", "/persons", header, NEW_PERSON);
    assert_heard(&heard, 201, NULL);
    heard_free(&heard);
    heard = live_ask(live, "GET", "/log/2", header, NULL);
    assert_heard(&heard, 200, "\"actor\":\"shop\"");
    heard_free(&heard);
    dbk_server_stop(live->server, 2000); /* all has been told then */
    live->server = NULL;
    assert_string_equal(world->actor, "shop");
}

static void others_are_served_with_tokens_only(void **state)
{
    struct world *world = *state;
    struct dbk_error err;
    char header[128];
    size_t count;

    assert_int_equal(dbk_tokens_allow(NULL, "127.0.0.1", &count, &err), DBK_OK);
    assert_int_equal(dbk_tokens_allow(NULL, "0.0.0.0", &count, &err), DBK_INVALID);
    assert_int_equal(dbk_tokens_allow(world->dir, "127.8.8.8", &count, &err), DBK_OK);
    assert_int_equal(count, 0);
    assert_int_equal(dbk_tokens_allow(world->dir, "192.168.1.1", &count, &err),
                     DBK_INVALID);
    assert_non_null(strstr(err.text, "daybook token create"));
    token(world, "kate", DBK_SCOPE_READ, header);
    assert_int_equal(dbk_tokens_allow(world->dir, "0.0.0.0", &count, &err), DBK_OK);
    assert_int_equal(count, 1);
}

static void the_server_itself_refuses_an_open_address_without_tokens(void **state)
{
    struct world *world = *state;
    struct dbk_server_options options = live_options(NULL);
    struct dbk_server *server;
    struct dbk_error err;

    options.address = "0.0.0.0";
    options.tokens_dir = world->dir;
    assert_int_equal(dbk_server_start(NULL, NULL, NULL, &options, &server, &err),
                     DBK_INVALID);
    assert_null(server);
    assert_non_null(strstr(err.text, "no access tokens"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)
    const struct CMUnitTest tests[] = {
        TEST(without_tokens_nobody_is_asked),
        TEST(without_tokens_the_server_has_its_own_names_only),
        TEST(with_tokens_the_server_has_any_name),
        TEST(the_first_token_closes_the_door_and_none_opens_it_again),
        TEST(a_file_that_cannot_be_read_lets_nobody_in),
        TEST(a_file_that_comes_malformed_shuts_the_door),
        TEST(wrong_tokens_are_limited_and_right_ones_are_not),
        TEST(a_body_that_was_refused_is_no_request),
        TEST(the_tokens_name_is_the_actor_of_record_and_access_line),
        TEST(others_are_served_with_tokens_only),
        TEST(the_server_itself_refuses_an_open_address_without_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
