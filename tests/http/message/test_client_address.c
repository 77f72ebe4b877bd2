#include "check.h"
#include "client_address.h"

static void assert_client(const char *trusted, const char *forwarded,
                          const char *expected)
{
    char found[CLIENT_ADDRESS_TEXT];

    client_address("10.0.0.1", trusted, forwarded, found);
    assert_string_equal(found, expected);
}

static void the_peer_is_the_client(void **state)
{
    (void)state;
    assert_client(NULL, NULL, "10.0.0.1");
    assert_client("", "192.0.2.7", "10.0.0.1");
    assert_client(NULL, "192.0.2.7", "10.0.0.1");
    assert_client("10.0.0.1", NULL, "10.0.0.1");
}

static void only_the_trusted_proxy_is_believed(void **state)
{
    (void)state;
    assert_client("10.0.0.1", "192.0.2.7", "192.0.2.7");
    assert_client("10.0.0.2", "192.0.2.7", "10.0.0.1");
    assert_client("10.0.0.1", "2001:db8::7", "2001:db8::7");
}

static void several_are_believed(void **state)
{
    (void)state;
    assert_client("10.0.0.2,10.0.0.1", "192.0.2.7", "192.0.2.7");
    assert_client("10.0.0.1,10.0.0.2", "192.0.2.7", "192.0.2.7");
    assert_client("10.0.0.11,110.0.0.1,10.0.0", "192.0.2.7", "10.0.0.1");
}

static void what_the_client_itself_said_before_is_not_believed(void **state)
{
    (void)state;
    assert_client("10.0.0.1", "127.0.0.1, 203.0.113.9 ,\t192.0.2.7 ", "192.0.2.7");
    assert_client("10.0.0.1", "192.0.2.7,", "10.0.0.1");
}

static void what_is_no_address_is_not_taken_for_one(void **state)
{
    static const char *const wrong[] = {
        "",
        "unknown",
        "192.0.2.7:80",
        "192.0.2",
        "192.0.2.7 x",
        "[2001:db8::7]",
        "192.0.2.7\ninfo forged",
        "2001:0db8:0000:0000:0000:0000:0000:00070000000000000000000000000007"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_client("10.0.0.1", wrong[i], "10.0.0.1");
}

static void networks_are_counted_apart(void **state)
{
    uint32_t key = client_address_key("2001:db8:0:1::7");

    (void)state;
    assert_int_equal(client_address_key("2001:db8:0:1:ffff::9"), key);
    assert_int_not_equal(client_address_key("2001:db8:0:2::7"), key);
    assert_int_not_equal(client_address_key("2001:db9:0:1::7"), key);
    assert_int_not_equal(client_address_key("192.0.2.7"),
                         client_address_key("192.0.2.8"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_is_the_client),
        cmocka_unit_test(only_the_trusted_proxy_is_believed),
        cmocka_unit_test(several_are_believed),
        cmocka_unit_test(what_the_client_itself_said_before_is_not_believed),
        cmocka_unit_test(what_is_no_address_is_not_taken_for_one),
        cmocka_unit_test(networks_are_counted_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
