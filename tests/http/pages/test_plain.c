/* GET /docs and /console of a build that found nothing to make them with: docs_plain.c and
 * console_plain.c are linked into this program, whatever the build took. */
#include "live.h"

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

static void expect(const struct live *live, const char *path, int status,
                   const char *saying)
{
    struct heard heard = live_ask(live, "GET", path, "", NULL);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

static void the_docs_lead_to_the_document(void **state)
{
    expect(*state, "/docs", 200, "Content-Type: text/html");
    expect(*state, "/docs", 200, "<a href=\"/openapi.json\">");
    expect(*state, "/docs", 200, "<code>DELETE /persons/{id}</code>");
    expect(*state, "/docs/routes.html", 200, "<code>DELETE /persons/{id}</code>");
    expect(*state, "/openapi.json", 200, "\"openapi\"");
}

static void nothing_of_the_viewer_is_asked_for(void **state)
{
    struct heard heard = live_ask(*state, "GET", "/docs", "", NULL);

    assert_null(strstr(heard.body, "<script"));
    assert_null(strstr(heard.body, "swagger"));
    heard_free(&heard);
    expect(*state, "/docs/favicon-32x32.png", 200, "Content-Type: image/png");
    expect(*state, "/docs/swagger-ui-bundle.js", 404, NULL);
    expect(*state, "/docs/docs.js", 404, NULL);
}

static void the_console_says_how_to_have_it(void **state)
{
    expect(*state, "/console", 200, "Content-Type: text/html");
    expect(*state, "/console", 200, "<code>make build</code>");
    expect(*state, "/console", 200, "Content-Security-Policy: default-src 'none'");
    expect(*state, "/console/icon.svg", 200, "Content-Type: image/svg+xml");
}

static void nothing_of_the_console_is_asked_for(void **state)
{
    struct heard heard = live_ask(*state, "GET", "/console", "", NULL);

    assert_null(strstr(heard.body, "<script"));
    assert_null(strstr(heard.body, "app."));
    heard_free(&heard);
    expect(*state, "/console/app.js", 404, NULL);
    expect(*state, "/console/app.css", 404, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_docs_lead_to_the_document),
        cmocka_unit_test(nothing_of_the_viewer_is_asked_for),
        cmocka_unit_test(the_console_says_how_to_have_it),
        cmocka_unit_test(nothing_of_the_console_is_asked_for),
    };

    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
