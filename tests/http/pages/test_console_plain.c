/* GET /console of a build that found nothing to make it with: console_plain.c is linked into
 * this program, whichever of the two the build took. */
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

static void the_page_says_how_to_have_the_console(void **state)
{
    expect(*state, "/console", 200, "Content-Type: text/html");
    expect(*state, "/console", 200, "<code>make build</code>");
    expect(*state, "/console", 200, "Content-Security-Policy: default-src 'none'");
    expect(*state, "/console/icon.svg", 200, "Content-Type: image/svg+xml");
}

static void nothing_that_is_not_there_is_asked_for(void **state)
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
        cmocka_unit_test(the_page_says_how_to_have_the_console),
        cmocka_unit_test(nothing_that_is_not_there_is_asked_for),
    };

    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
