#include "check.h"
#include "tap.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "POST / HTTP/1.1\r\nHost: x\r\n\r\n"
#define NEXT "GET / HTTP/1.1\r\n\r\n"

enum { PATIENCE_MS = 10000 };

static int ends[2]; /* ours, and the client's */

static int connect_both(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    tap_start();
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    tap_inside(false);
    tap_finish();
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void say(const char *text)
{
    assert_int_equal(send(ends[1], text, strlen(text), 0), strlen(text));
}

/* As civetweb reads: it waits, beside another descriptor in some versions, and receives. */
static void assert_read(const char *expected, nfds_t descriptors)
{
    struct pollfd list[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = -1}};
    char got[4096];
    ssize_t count;

    assert_int_equal(poll(list, descriptors, PATIENCE_MS), 1);
    assert_true(list[0].revents & POLLIN);
    assert_int_equal(list[1].revents, 0);
    count = recv(ends[0], got, sizeof got, 0);
    assert_int_equal(count, strlen(expected));
    assert_memory_equal(got, expected, (size_t)count);
}

static void a_head_is_given_without_what_follows(void **state)
{
    (void)state;
    for (nfds_t descriptors = 1; descriptors <= 2; descriptors++) {
        say(HEAD "abc" NEXT HEAD);
        assert_read(HEAD, descriptors);
        assert_true(tap_is_at_body());
        tap_inside(true);
        assert_read("abc" NEXT HEAD, descriptors);
        tap_inside(false);
        assert_false(tap_is_at_body());
    }
}

static void heads_that_come_together_are_given_one_by_one(void **state)
{
    char body[3];

    (void)state;
    say(HEAD "abc" NEXT HEAD "d");
    assert_read(HEAD, 1);
    tap_inside(true);
    assert_int_equal(tap_read(body, sizeof body, PATIENCE_MS), 3);
    assert_memory_equal(body, "abc", 3);
    tap_inside(false);
    assert_read(NEXT, 1);
    assert_read(HEAD, 2);
    assert_true(tap_is_at_body());
    assert_int_equal(tap_read(body, sizeof body, PATIENCE_MS), 1);
}

static void a_head_in_pieces_is_found(void **state)
{
    static const char text[] = HEAD;

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char piece[] = {text[i], '\0'};
        assert_false(tap_is_at_body());
        say(piece);
        assert_read(piece, 1);
    }
    assert_true(tap_is_at_body());
}

static void a_line_that_ends_without_cr_and_lf_is_noticed(void **state)
{
    static const char *const unclear[] = {
        "GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\n\n",
        "GET / HTTP/1.1\r\n\rHost: x\r\n\r\n", "\n\nGET / HTTP/1.1\r\n\r\n"};

    (void)state;
    say("\r\n" HEAD "a\nb\rc");
    assert_read("\r\n" HEAD, 1);
    assert_false(tap_is_unclear());
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
        tap_clear();
        say(unclear[i]);
        assert_read(unclear[i], 1);
        assert_true(tap_is_unclear());
    }
    tap_clear();
    assert_false(tap_is_unclear());
}

static void what_is_fed_comes_before_all_else(void **state)
{
    (void)state;
    say(HEAD "abc");
    assert_read(HEAD, 1);
    tap_inside(true);
    tap_feed("0\r\n\r\n");
    assert_read("0\r\n\r\n", 1);
    assert_read("abc", 1);
}

static void who_receives_without_our_poll_is_given_all(void **state)
{
    char got[4096];

    (void)state;
    say(HEAD "abc");
    assert_int_equal(recv(ends[0], got, sizeof got, 0), strlen(HEAD "abc"));
    assert_false(tap_is_at_body());
}

static void reading_on_ends_with_the_connection_or_in_time(void **state)
{
    char byte;

    (void)state;
    say(HEAD);
    assert_read(HEAD, 1);
    assert_int_equal(tap_read(&byte, 1, 1), 0);
    shutdown(ends[1], SHUT_WR);
    assert_int_equal(tap_read(&byte, 1, PATIENCE_MS), -1);
}

static void nothing_is_kept_for_the_next_connection(void **state)
{
    (void)state;
    say(HEAD "abc");
    assert_read(HEAD, 1);
    tap_clear();
    say(NEXT);
    assert_read(NEXT, 1);
}

#define CONNECTED(test) cmocka_unit_test_setup_teardown(test, connect_both, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTED(a_head_is_given_without_what_follows),
        CONNECTED(heads_that_come_together_are_given_one_by_one),
        CONNECTED(a_head_in_pieces_is_found),
        CONNECTED(a_line_that_ends_without_cr_and_lf_is_noticed),
        CONNECTED(what_is_fed_comes_before_all_else),
        CONNECTED(who_receives_without_our_poll_is_given_all),
        CONNECTED(reading_on_ends_with_the_connection_or_in_time),
        CONNECTED(nothing_is_kept_for_the_next_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
