/* GET /docs of a build that found no viewer: docs_plain.c is linked into this program,
 * whichever of the two the build took. */
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

static void the_page_leads_to_the_document(void **state)
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_leads_to_the_document),
        cmocka_unit_test(nothing_of_the_viewer_is_asked_for),
    };

    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
