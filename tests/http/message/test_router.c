#include "check.h"

#include "routes.h"

#define ID "f4cc4f34-3f7c-4a0c-b333-df23f72ebc68"

static enum dbk_code find(const char *method, const char *path,
                          struct route_match *match)
{
    struct dbk_error err = {0};

    return route_find(routes, routes_count, method, path, match, &err);
}

static void assert_route(const char *method, const char *path, const char *pattern)
{
    struct route_match match;

    assert_int_equal(find(method, path, &match), DBK_OK);
    assert_non_null(match.route);
    assert_string_equal(match.route->path, pattern);
}

/* The pattern with a value for each of its braces. */
static void fill(const char *pattern, char path[128])
{
    path[0] = '\0';
    while (*pattern) {
        const char *brace = strchrnul(pattern, '{');
        const char *value = strncmp(brace, "{id}", 4) == 0     ? ID
                            : strncmp(brace, "{file}", 6) == 0 ? "a.css"
                            : *brace                           ? "7"
                                                               : "";
        strncat(path, pattern, (size_t)(brace - pattern));
        strcat(path, value);
        pattern = *brace ? strchr(brace, '}') + 1 : brace;
    }
}

static void every_route_is_found_by_its_own_path(void **state)
{
    struct route_match match;
    char path[128];

    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        fill(routes[i].path, path);
        assert_int_equal(find(routes[i].method, path, &match), DBK_OK);
        assert_ptr_equal(match.route, &routes[i]);
    }
}

static void what_the_path_names_is_read(void **state)
{
    struct route_match match;
    struct dbk_uuid id;

    (void)state;
    assert_int_equal(find("GET", "/persons/" ID, &match), DBK_OK);
    assert_true(dbk_uuid_parse(ID, strlen(ID), &id));
    assert_true(dbk_uuid_equal(&match.id, &id));
    assert_int_equal(find("GET", "/log/1042", &match), DBK_OK);
    assert_int_equal(match.sequence, 1042);
    assert_int_equal(find("GET", "/docs/swagger-ui.css", &match), DBK_OK);
    assert_string_equal(match.file, "swagger-ui.css");
}

static void an_encoded_path_is_the_same_path(void **state)
{
    (void)state;
    assert_route("GET", "/p%65rsons", "/persons");
    assert_route("GET", "/events/f4cc4f34%2D3f7c-4a0c-b333-df23f72ebc68",
                 "/events/{id}");
}

static void an_encoded_slash_does_not_cut_the_path(void **state)
{
    struct route_match match;

    (void)state;
    assert_int_equal(find("GET", "/persons%2F" ID, &match), DBK_NOT_FOUND);
}

static void broken_encoding_is_invalid(void **state)
{
    static const char *const paths[] = {"/%", "/%4", "/%zz", "/persons/%00", "/%2"};
    struct route_match match;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(find("GET", paths[i], &match), DBK_INVALID);
}

static void unknown_paths_are_not_found(void **state)
{
    static const char *const paths[] = {
        "/person",  "//persons",          "/persons//", "/persons/" ID "/events",
        "/PERSONS", "/persons/../events", "",           "/events/batch/1",
        "persons",  "/persons/" ID "/",   "/log/1/2",
    };
    struct route_match match;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (find("GET", paths[i], &match) != DBK_NOT_FOUND || match.wrong_method)
            fail_msg("%s is found", paths[i]);
    }
}

/* Whether it is a tile's, its handler knows. */
static void a_tiles_path_is_left_to_its_handler(void **state)
{
    (void)state;
    assert_route("GET", "/tile/0/000", "/tile/{level}/{index}");
    assert_route("GET", "/tile/entries/x001/x234/067", "/tile/{level}/{index}");
    assert_route("GET", "/tile/0/x001/x234/067.p/8", "/tile/{level}/{index}");
    assert_route("GET", "/tile/0/000.p/8", "/tile/{level}/{index}.p/{width}");
    assert_route("GET", "/tile/%zz/%2f/1/2/3/4/5/6/7/8/9/", "/tile/{level}/{index}");
    assert_route("GET", "/tile/0/.p/8", "/tile/{level}/{index}");
}

static void an_id_that_cannot_be_read_is_invalid(void **state)
{
    static const char *const paths[] = {
        "/persons/7", "/persons/", "/events/" ID "0", "/log/0",
        "/log/x",     "/log/01",   "/log/-1",         "/log/99999999999999999999"};
    struct route_match match;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(find("GET", paths[i], &match), DBK_INVALID);
}

static void a_segment_of_any_length_is_harmless(void **state)
{
    char path[9000] = "/persons/";
    struct route_match match;

    (void)state;
    memset(path + 9, 'a', sizeof path - 10);
    path[sizeof path - 1] = '\0';
    assert_int_equal(find("GET", path, &match), DBK_NOT_FOUND);
}

static handler nothing;

static enum dbk_code nothing(struct request *rq, struct response *rs,
                             struct dbk_error *err)
{
    (void)rq;
    (void)rs;
    (void)err;
    return DBK_OK;
}

static const struct route deep[] = {
    {"GET", "/a/{id}", BODY_NONE, 0, NULL, nothing},
    {"GET", "/a/by/{value}", BODY_NONE, 0, NULL, nothing},
    {"GET", "/a/{id}/b", BODY_NONE, 0, NULL, nothing},
    {"DELETE", "/a/{id}/b/{anonymous_id}", BODY_NONE, 0, NULL, nothing},
};

static enum dbk_code find_deep(const char *method, const char *path,
                               struct route_match *match)
{
    struct dbk_error err = {0};

    return route_find(deep, sizeof deep / sizeof *deep, method, path, match, &err);
}

static void assert_text(const char *method, const char *path, const char *expected)
{
    struct route_match match;
    char text[ROUTE_TEXT_MAX + 1];
    size_t length;

    assert_int_equal(find_deep(method, path, &match), DBK_OK);
    assert_true(route_text(match.value.data ? match.value : match.anonymous_id, text,
                           sizeof text, &length));
    assert_slice((struct dbk_slice){text, length}, expected);
}

static void a_text_may_have_any_characters(void **state)
{
    (void)state;
    assert_text("GET", "/a/by/x", "x");
    assert_text("GET", "/a/by/a%2Fb%20%c3%a9%25", "a/b é%");
    assert_text("GET", "/a/by/a+b", "a+b");
    assert_text("GET", "/a/by/%2e%2e", "..");
    assert_text("DELETE", "/a/" ID "/b/" ID, ID);
}

static void a_text_may_be_long(void **state)
{
    char path[3 * ROUTE_TEXT_MAX + 32] = "/a/by/", text[ROUTE_TEXT_MAX + 1];
    struct route_match match;
    size_t length;

    (void)state;
    for (size_t i = 0; i < ROUTE_TEXT_MAX; i++)
        strcat(path, "%41");
    assert_int_equal(find_deep("GET", path, &match), DBK_OK);
    assert_true(route_text(match.value, text, sizeof text, &length));
    assert_int_equal(length, ROUTE_TEXT_MAX);
    assert_int_equal(text[length], 0);
    assert_false(route_text(match.value, text, ROUTE_TEXT_MAX, &length));
    strcat(path, "b");
    assert_int_equal(find_deep("GET", path, &match), DBK_OK);
    assert_false(route_text(match.value, text, sizeof text, &length));
}

static void a_text_is_there_whole_or_not_at_all(void **state)
{
    static const char *const broken[] = {"/a/by/%", "/a/by/%4", "/a/by/%00",
                                         "/a/by/x%zz"};
    struct route_match match;

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(find_deep("GET", broken[i], &match), DBK_INVALID);
    assert_int_equal(find_deep("GET", "/a/by/", &match), DBK_NOT_FOUND);
    assert_int_equal(find_deep("GET", "/a/by/x/", &match), DBK_NOT_FOUND);
    assert_int_equal(find_deep("DELETE", "/a/7/b/x", &match), DBK_INVALID);
    assert_int_equal(find_deep("GET", "/a/" ID "/b/x", &match), DBK_NOT_FOUND);
    assert_true(match.wrong_method);
    assert_string_equal(match.allow, "DELETE, OPTIONS");
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    struct route_match match;

    (void)state;
    assert_int_equal(find("PUT", "/persons", &match), DBK_NOT_FOUND);
    assert_true(match.wrong_method);
    assert_string_equal(match.allow, "GET, HEAD, POST, OPTIONS");
    assert_int_equal(find("GET", "/events/batch", &match), DBK_NOT_FOUND);
    assert_true(match.wrong_method);
    assert_string_equal(match.allow, "POST, OPTIONS");
    assert_int_equal(find("DELETE", "/tile/0/000.p/7", &match), DBK_NOT_FOUND);
    assert_string_equal(match.allow, "GET, HEAD, OPTIONS"); /* of two routes, once */
}

static void options_are_those_of_the_path(void **state)
{
    struct route_match match;

    (void)state;
    assert_int_equal(find("OPTIONS", "/persons/" ID, &match), DBK_OK);
    assert_true(match.options);
    assert_string_equal(match.allow, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
}

static void head_is_get_without_the_body(void **state)
{
    struct route_match match;

    (void)state;
    assert_int_equal(find("HEAD", "/events", &match), DBK_OK);
    assert_true(match.head);
    assert_string_equal(match.route->method, "GET");
    assert_int_equal(find("HEAD", "/events/batch", &match), DBK_NOT_FOUND);
    assert_true(match.wrong_method);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_found_by_its_own_path),
        cmocka_unit_test(what_the_path_names_is_read),
        cmocka_unit_test(an_encoded_path_is_the_same_path),
        cmocka_unit_test(an_encoded_slash_does_not_cut_the_path),
        cmocka_unit_test(broken_encoding_is_invalid),
        cmocka_unit_test(unknown_paths_are_not_found),
        cmocka_unit_test(a_tiles_path_is_left_to_its_handler),
        cmocka_unit_test(an_id_that_cannot_be_read_is_invalid),
        cmocka_unit_test(a_segment_of_any_length_is_harmless),
        cmocka_unit_test(a_text_may_have_any_characters),
        cmocka_unit_test(a_text_may_be_long),
        cmocka_unit_test(a_text_is_there_whole_or_not_at_all),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(options_are_those_of_the_path),
        cmocka_unit_test(head_is_get_without_the_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
