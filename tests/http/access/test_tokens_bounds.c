/* What a token may do: its scopes and the origins that it is bound to. */
#include "tokens_place.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

static void scopes_are_named_in_order(void **state)
{
    static const char *const bad[] = {"",     ",",         "read,",     ",read",
                                      "Read", "readwrite", "read write"};
    char text[DBK_SCOPES_TEXT];
    unsigned scopes = 0;

    (void)state;
    assert_true(dbk_scopes_parse("admin,audit,read,write,read", 27, &scopes));
    dbk_scopes_format(scopes, text);
    assert_string_equal(text, "read,write,audit,admin");
    dbk_scopes_format(DBK_SCOPE_AUDIT, text);
    assert_string_equal(text, "audit");
    assert_true(dbk_scopes_parse("ingest", 6, &scopes));
    dbk_scopes_format(scopes, text);
    assert_string_equal(text, "read,write,audit,admin,ingest");
    assert_true(dbk_scopes_parse("metrics", 7, &scopes));
    dbk_scopes_format(scopes, text);
    assert_string_equal(text, "read,write,audit,admin,ingest,metrics");
    assert_true(dbk_scopes_parse("erase", 5, &scopes));
    dbk_scopes_format(scopes, text);
    assert_string_equal(text, "read,write,audit,admin,ingest,metrics,erase");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dbk_scopes_parse(bad[i], strlen(bad[i]), &scopes));
}

static void origins_are_of_tokens_that_only_ingest(void **state)
{
    struct place *place = *state;
    struct dbk_token_bounds bounds = {.origins = "https://shop.example"};
    char secret[DBK_TOKEN_SECRET + 1];

    assert_int_equal(dbk_tokens_create(place->dir, "web",
                                       DBK_SCOPE_INGEST | DBK_SCOPE_READ, &bounds,
                                       secret, &place->err),
                     DBK_INVALID);
    strcpy(bounds.origins, "https://shop.example ");
    assert_int_equal(dbk_tokens_create(place->dir, "web", DBK_SCOPE_INGEST, &bounds,
                                       secret, &place->err),
                     DBK_INVALID);
    bounds = (struct dbk_token_bounds){.rate = DBK_RATE_MAX + 1};
    assert_int_equal(dbk_tokens_create(place->dir, "web", DBK_SCOPE_INGEST, &bounds,
                                       secret, &place->err),
                     DBK_INVALID);
    assert_int_equal(access(place->path, F_OK), -1);
}

static void an_origin_is_let_as_a_whole(void **state)
{
    struct dbk_token_bounds bounds = {.origins =
                                          "https://shop.example,http://localhost:3000"};

    (void)state;
    assert_true(dbk_token_origin_let(&bounds, "https://shop.example"));
    assert_true(dbk_token_origin_let(&bounds, "http://localhost:3000"));
    assert_false(dbk_token_origin_let(&bounds, "http://localhost:300"));
    assert_false(dbk_token_origin_let(&bounds, "http://localhost:30000"));
    assert_false(dbk_token_origin_let(&bounds, bounds.origins));
    assert_false(dbk_token_origin_let(&bounds, ""));
    assert_false(dbk_token_origin_let(&bounds, "*"));
    assert_false(dbk_token_origin_let(&bounds, "null"));
    strcpy(bounds.origins, "*");
    assert_true(dbk_token_origin_let(&bounds, "null"));
    strcpy(bounds.origins, "");
    assert_false(dbk_token_origin_let(&bounds, ""));
    assert_false(dbk_token_origin_let(&bounds, "https://shop.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_are_named_in_order),
        TEST(origins_are_of_tokens_that_only_ingest),
        cmocka_unit_test(an_origin_is_let_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
