#include "check.h"
#include "email.h"

/* 63 letters: the longest label there may be. */
#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void addresses_that_html_takes(void **state)
{
    static const char *const good[] = {
        "a@b",
        "kate.pryde@marauders.mock",
        "Max.Rolfson@test.mock",
        "95b383e48454@wiki.invalid",
        "!#$%&'*+/=?^_`{|}~-@x.y",
        ".a..b.@x",
        "a@1-2.3--4.c",
        "a@" LABEL63,
        "a@" LABEL63 "." LABEL63 "." LABEL63,
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!email_valid(dbk_slice(good[i])))
            fail_msg("refused: %s", good[i]);
    }
}

static void addresses_that_html_refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "@",
        "a@",
        "@b",
        "a",
        "a@b@c",
        "a b@c",
        "a@b c",
        " a@b",
        "a@b ",
        "a@-b",
        "a@b-",
        "a@b-.c",
        "a@.b",
        "a@b.",
        "a@b..c",
        "a@b_c",
        "a,b@c",
        "\"a\"@b",
        "a(b)@c",
        "a@[1.2.3.4]",
        "a@b\n",
        "a\t@b",
        "<a@b>",
        "a:b@c",
        "a;b@c",
        "a\\b@c",
        "a@" LABEL63 "h",
        "\xC3\xA9@b",
        "a@\xC3\xA9",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (email_valid(dbk_slice(bad[i])))
            fail_msg("taken: %s", bad[i]);
    }
}

static void at_most_254_bytes(void **state)
{
    char text[256];

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + 252, "@b", 2);
    assert_true(email_valid((struct dbk_slice){text, 254}));
    text[252] = 'a';
    memcpy(text + 253, "@b", 2);
    assert_false(email_valid((struct dbk_slice){text, 255}));
}

static void a_nul_is_no_part_of_an_address(void **state)
{
    (void)state;
    assert_false(email_valid((struct dbk_slice){"a\0@b", 4}));
    assert_false(email_valid((struct dbk_slice){"a@b\0", 4}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_html_takes),
        cmocka_unit_test(addresses_that_html_refuses),
        cmocka_unit_test(at_most_254_bytes),
        cmocka_unit_test(a_nul_is_no_part_of_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
