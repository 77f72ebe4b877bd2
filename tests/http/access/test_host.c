#include "check.h"

#include "host.h"

static void our_own_names_are_known(void **state)
{
    static const char *const own[] = {
        "localhost",         "localhost:8080", "LocalHost:1",
        "daybook.localhost", "127.0.0.1",      "127.0.0.1:",
        "127.1.2.3:65535",   "[::1]",          "[::1]:8080"};

    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (!host_is_loopback(own[i]))
            fail_msg("%s is not known", own[i]);
    }
}

static void all_others_are_not(void **state)
{
    static const char *const others[] = {"",
                                         ":8080",
                                         "x",
                                         "example.org",
                                         "127.0.0.1.example.org",
                                         "localhost.example.org",
                                         "notlocalhost",
                                         "localhost@example.org",
                                         "localhost:80:80",
                                         "localhost:x",
                                         "localhost:8080.example.org",
                                         "128.0.0.1",
                                         "0.0.0.0",
                                         "10.127.0.1",
                                         "127.1",
                                         "2130706433",
                                         "127.0.0.1, example.org",
                                         "[::2]",
                                         "[::1].example.org",
                                         "[::1",
                                         "::1",
                                         "127.0.0.1/x",
                                         "localhost ",
                                         "localhost."};
    char longest[1024];

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (host_is_loopback(others[i]))
            fail_msg("\"%s\" is taken for this machine", others[i]);
    }
    memset(longest, 'a', sizeof longest);
    strcpy(longest + sizeof longest - sizeof ".localhost", ".localhost");
    assert_false(host_is_loopback(longest));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_names_are_known),
        cmocka_unit_test(all_others_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
