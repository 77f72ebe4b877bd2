/* Each route asks for its scope. */
#include "token_world.h"

static bool is_public(const char *path)
{
    return !strcmp(path, "/") || !strncmp(path, "/docs", 5) ||
           !strncmp(path, "/console", 8) || !strncmp(path, "/health", 7) ||
           !strcmp(path, "/openapi.json");
}

static bool deletes_person(const struct route *route)
{
    return !strcmp(route->method, "DELETE") &&
           (!strcmp(route->path, "/persons/{id}") ||
            !strcmp(route->path, "/persons/by/external_id/{value}"));
}

static unsigned scope_of(const struct route *route)
{
    if (is_public(route->path))
        return 0;
    if (strstr(route->path, "/receipt"))
        return DBK_SCOPE_AUDIT | DBK_SCOPE_ERASE;
    if (deletes_person(route))
        return DBK_SCOPE_WRITE | DBK_SCOPE_ERASE;
    if (!strncmp(route->path, "/log", 4) || strstr(route->path, "/history") ||
        !strcmp(route->path, "/checkpoint") || !strncmp(route->path, "/tile/", 6))
        return DBK_SCOPE_AUDIT;
    if (!strncmp(route->path, "/admin/", 7) || strstr(route->path, "/restriction") ||
        strstr(route->path, "}/export"))
        return DBK_SCOPE_ADMIN;
    if (!strcmp(route->path, "/metrics"))
        return DBK_SCOPE_METRICS;
    if (!strcmp(route->path, "/tokens/self")) /* any but what learns nothing */
        return DBK_SCOPE_READ | DBK_SCOPE_WRITE | DBK_SCOPE_AUDIT | DBK_SCOPE_METRICS |
               DBK_SCOPE_ERASE;
    if (!strcmp(route->method, "POST") &&
        (!strncmp(route->path, "/events", 7) || strstr(route->path, "/aliases")))
        return DBK_SCOPE_WRITE | DBK_SCOPE_INGEST;
    return strcmp(route->method, "GET") ? DBK_SCOPE_WRITE : DBK_SCOPE_READ;
}

/* The path of a route with something in the place of what varies. */
static void fill_path(const struct route *route, char out[128])
{
    const char *at = route->path;

    out[0] = '\0';
    while (*at) {
        size_t used = strlen(out), plain = strcspn(at, "{");
        const char *open = at + plain, *with = "1";
        if (!strncmp(open, "{id}", 4))
            with = "01890000-0000-7000-8000-000000000000";
        else if (!strncmp(open, "{file}", 6))
            with = "docs.js";
        snprintf(out + used, 128 - used, "%.*s%s", (int)plain, at, *open ? with : "");
        at = open + strcspn(open, "}");
        at += *at == '}';
    }
}

static bool refuses(const struct world *world, const struct route *route,
                    const char *header)
{
    const char *body = route->body == BODY_NONE ? NULL : "{";
    struct heard heard;
    char path[128];
    bool refused;

    fill_path(route, path);
    if (!strcmp(route->method, "POST") && !body) /* without a length it is 411 */
        body = "";
    heard = live_ask(world->live, route->method, path, header, body);
    refused = heard.status == 401 || heard.status == 403;
    if (heard.status == 0)
        fail_msg("no answer to %s %s", route->method, path);
    heard_free(&heard);
    return refused;
}

static void each_route_asks_for_its_scope(void **state)
{
    static const unsigned scopes[] = {DBK_SCOPE_READ,
                                      DBK_SCOPE_WRITE,
                                      DBK_SCOPE_AUDIT,
                                      DBK_SCOPE_ADMIN,
                                      DBK_SCOPE_READ | DBK_SCOPE_WRITE,
                                      DBK_SCOPE_INGEST,
                                      DBK_SCOPE_METRICS,
                                      DBK_SCOPE_ERASE};
    struct world *world = *state;
    char headers[8][128], name[8];

    for (size_t i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "t%zu", i);
        token(world, name, scopes[i], headers[i]);
    }
    start(world);
    for (size_t r = 0; r < routes_count; r++) {
        const struct route *route = &routes[r];
        assert_int_equal(route->scope, scope_of(route));
        assert_int_equal(refuses(world, route, ""), !is_public(route->path));
        for (size_t i = 0; i < 8; i++) {
            bool allowed = route->scope == 0 || scopes[i] & route->scope ||
                           scopes[i] == DBK_SCOPE_ADMIN;
            if (deletes_person(route) && scopes[i] == DBK_SCOPE_ERASE)
                allowed = false; /* it does not say that it erases */
            if (refuses(world, route, headers[i]) == allowed)
                fail_msg("%s %s with %u", route->method, route->path, scopes[i]);
        }
    }
}

static void a_refusal_tells_what_is_missing(void **state)
{
    struct world *world = *state;
    struct heard heard;
    char header[128], value[256];

    token(world, "reader", DBK_SCOPE_READ, header);
    start(world);
    heard = live_ask(world->live, "POST", "/persons", "", NEW_PERSON);
    assert_heard(&heard, 401,
                 "{\"data\":null,\"response\":{\"details\":\"This needs an access "
                 "token, sent as Authorization: Bearer TOKEN\",\"message\":"
                 "\"Unauthorized\",\"status\":401,\"title\":\"A valid access token is "
                 "needed\",\"type\":\"/docs/errors.md#unauthorized\"}}");
    assert_string_equal(heard_header(&heard, "WWW-Authenticate", value),
                        "Bearer realm=\"daybook\"");
    heard_free(&heard);
    heard =
        live_ask(world->live, "GET", "/log", "Authorization: Bearer dbk_x\r\n", NULL);
    assert_heard(&heard, 401, "The access token is not known");
    assert_string_equal(heard_header(&heard, "WWW-Authenticate", value),
                        "Bearer realm=\"daybook\", error=\"invalid_token\"");
    assert_null(strstr(heard.text, "dbk_x"));
    heard_free(&heard);
    heard = live_ask(world->live, "POST", "/persons", header, NEW_PERSON);
    assert_heard(&heard, 403, "lacks the scope write\",\"message\":\"Forbidden\"");
    assert_string_equal(heard_header(&heard, "WWW-Authenticate", value),
                        "Bearer realm=\"daybook\", error=\"insufficient_scope\"");
    heard_free(&heard);
}

static void the_header_is_read_as_it_should_be(void **state)
{
    static const struct {
        const char *header; /* %s: the token */
        int status;
    } cases[] = {
        {"Authorization: Bearer %s\r\n", 200},
        {"authorization: bearer  %s \r\n", 200},
        {"Authorization: BEARER %s\r\n", 200},
        {"Authorization: Bearer%s\r\n", 401},
        {"Authorization: Bearer %s x\r\n", 401},
        {"Authorization: Bearer %.46s\r\n", 401},
        {"Authorization: Bearer %s0\r\n", 401},
        {"Authorization: Basic %s\r\n", 401},
        {"Authorization: %s\r\n", 401},
        {"Authorization: Bearer\r\n", 401},
        {"Authorization: \r\n", 401},
        {"Authorization: Bearer %s\r\nAuthorization: Basic eDp5\r\n", 400},
        {"Authorization: Basic eDp5\r\nauthorization: Bearer %s\r\n", 400},
    };
    struct world *world = *state;
    char secret[DBK_TOKEN_SECRET + 1], header[256];
    struct dbk_error err;

    dbk_tokens_create(world->dir, "kate", DBK_SCOPE_AUDIT, NULL, secret, &err);
    start(world);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(cases[i].header, "%");
        bool cut = at && at[1] == '.';
        if (at)
            snprintf(header, sizeof header, "%.*s%.*s%s", (int)(at - cases[i].header),
                     cases[i].header, cut ? 46 : 47, secret, at + (cut ? 5 : 2));
        else
            snprintf(header, sizeof header, "%s", cases[i].header);
        if (status_of_get(world, "/log", header) != cases[i].status)
            fail_msg("not %d: %s", cases[i].status, header);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)
    const struct CMUnitTest tests[] = {
        TEST(each_route_asks_for_its_scope),
        TEST(a_refusal_tells_what_is_missing),
        TEST(the_header_is_read_as_it_should_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
