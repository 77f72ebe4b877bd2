#include "check.h"
#include "tap.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "POST / HTTP/1.1\r\nHost: x\r\n\r\n"
#define NEXT "GET / HTTP/1.1\r\n\r\n"
#define SHOWN "GET / HTTP/1.1\r\n\r\n"

enum { PATIENCE_MS = 60000, SHORT_MS = 50 };

static int ends[2]; /* ours, and the client's */
static atomic_bool stopping;

static void start(int head_ms)
{
    struct reactor_seat *const none[TAP_SEATS] = {NULL};

    tap_finish();
    tap_start(head_ms, &stopping, none);
    tap_open();
}

static int connect_both(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    start(PATIENCE_MS);
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
static ssize_t ask(char *got, size_t size, nfds_t descriptors)
{
    struct pollfd list[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = -1}};

    assert_int_equal(poll(list, descriptors, PATIENCE_MS), 1);
    assert_true(list[0].revents & (POLLIN | POLLHUP));
    assert_int_equal(list[1].revents, 0);
    return recv(ends[0], got, size, 0);
}

/* It is shown the same, whatever came, and we are inside then. */
static void assert_head(enum tap_head expected, const char *text, nfds_t descriptors)
{
    char got[TAP_HEAD_MAX], *head;
    ssize_t count = ask(got, sizeof got, descriptors);
    size_t length;

    assert_int_equal(count, strlen(SHOWN));
    assert_memory_equal(got, SHOWN, (size_t)count);
    tap_inside(true);
    assert_int_equal(tap_head(&head, &length), expected);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(head, text, length);
}

static void assert_body(const char *text)
{
    char got[4096];
    size_t length = strlen(text);

    for (size_t i = 0; i < length;) {
        ssize_t count = tap_read(got, length - i, PATIENCE_MS);
        assert_true(count > 0);
        assert_memory_equal(got, text + i, (size_t)count);
        i += (size_t)count;
    }
}

static void heads_and_bodies_that_come_together_are_parted(void **state)
{
    (void)state;
    for (nfds_t descriptors = 1; descriptors <= 2; descriptors++) {
        say(HEAD "abc" NEXT HEAD "d");
        assert_head(TAP_WHOLE, HEAD, descriptors);
        assert_body("abc");
        tap_inside(false);
        assert_head(TAP_WHOLE, NEXT, descriptors);
        tap_inside(false);
        assert_head(TAP_WHOLE, HEAD, descriptors);
        assert_body("d");
        say("ef");
        assert_body("e");
        assert_body("f");
        tap_inside(false);
    }
}

static void *say_slowly(void *text)
{
    for (const char *at = text; *at; at++) {
        send(ends[1], at, 1, 0);
        usleep(1000);
    }
    return NULL;
}

static void a_head_in_pieces_is_put_together(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, say_slowly, "\r\n\r\n" HEAD "a"), 0);
    assert_head(TAP_WHOLE, HEAD, 1);
    assert_body("a");
    pthread_join(thread, NULL);
}

static void empty_lines_before_a_head_are_skipped(void **state)
{
    (void)state;
    say("\r\n\r\n" HEAD);
    assert_head(TAP_WHOLE, HEAD, 1);
    tap_inside(false);
    say("\r\n" NEXT);
    assert_head(TAP_WHOLE, NEXT, 1);
}

static void a_byte_that_belongs_in_no_head_ends_it(void **state)
{
    static const struct {
        const char *said, *kept;
    } broken[] = {
        {"GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1"},
        {"GET / HTTP/1.1\r\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x"},
        {"GET / HTTP/1.1\r\n\rHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r"},
        {"\n\nGET / HTTP/1.1\r\n\r\n", ""},
        {"GET / HTTP/1.1\r\nX: a\x01", "GET / HTTP/1.1\r\nX: a"},
        {"\x16\x03\x01", ""},
        {"G\x7f", "G"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        tap_close();
        tap_open();
        say(broken[i].said);
        assert_head(TAP_BROKEN, broken[i].kept, 1);
        tap_inside(false);
    }
    tap_close();
    tap_open();
    say("GET / HTTP/1.1\r\nX: \t\xff\r\n\r\n");
    assert_head(TAP_WHOLE, "GET / HTTP/1.1\r\nX: \t\xff\r\n\r\n", 1);
}

static void a_head_that_is_too_long_is_cut(void **state)
{
    char text[TAP_HEAD_MAX + 2] = HEAD;

    (void)state;
    memset(text + 20, 'x', sizeof text - 21);
    strcpy(text + TAP_HEAD_MAX - 4, "\r\n\r\n");
    say(text);
    assert_head(TAP_WHOLE, text, 1);
    tap_inside(false);
    memset(text + 20, 'x', sizeof text - 21);
    text[TAP_HEAD_MAX] = '\0';
    say(text);
    assert_head(TAP_TOO_LONG, text, 1);
}

static void a_head_that_does_not_end_is_late_or_cut(void **state)
{
    (void)state;
    start(SHORT_MS);
    say("GET /");
    assert_head(TAP_LATE, "GET /", 1);
    tap_inside(false);
    start(PATIENCE_MS);
    atomic_store(&stopping, true);
    say("GET /");
    assert_head(TAP_LATE, "GET /", 1);
    tap_inside(false);
    tap_open();
    atomic_store(&stopping, false);
    say("GET /");
    shutdown(ends[1], SHUT_WR);
    assert_head(TAP_CUT, "GET /", 1);
}

static void a_connection_that_ends_without_a_head_has_none(void **state)
{
    char got[64];

    (void)state;
    say("\r\n");
    shutdown(ends[1], SHUT_WR);
    assert_int_equal(ask(got, sizeof got, 1), 0);
}

static void reading_on_ends_with_the_connection_or_in_time(void **state)
{
    char byte;

    (void)state;
    say(HEAD);
    assert_head(TAP_WHOLE, HEAD, 1);
    assert_int_equal(tap_read(&byte, 1, 1), 0);
    shutdown(ends[1], SHUT_WR);
    assert_int_equal(tap_read(&byte, 1, PATIENCE_MS), -1);
}

static void much_is_read_at_once(void **state)
{
    static char much[100000], got[sizeof much];
    size_t length = 0;

    (void)state;
    memset(much, 'x', sizeof much - 1);
    say(HEAD);
    assert_head(TAP_WHOLE, HEAD, 1);
    say(much);
    while (length < sizeof much - 1) {
        ssize_t count = tap_read(got + length, sizeof got - length, PATIENCE_MS);
        assert_true(count > 0);
        length += (size_t)count;
    }
    assert_string_equal(got, much);
}

static void nothing_is_kept_for_the_next_connection(void **state)
{
    (void)state;
    say(HEAD "abc");
    assert_head(TAP_WHOLE, HEAD, 1);
    tap_inside(false);
    tap_close();
    tap_open();
    say(NEXT);
    assert_head(TAP_WHOLE, NEXT, 1);
}

static void assert_wiped(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bytes[i], 0);
}

/* It would outlive an erasure, for as long as the connection idles. */
static void what_was_read_is_wiped_once_it_is_answered(void **state)
{
    char *head;
    size_t length;

    (void)state;
    say(HEAD "abcdefghi");
    assert_head(TAP_WHOLE, HEAD, 1);
    tap_head(&head, &length);
    assert_body("abcdefghi");
    tap_inside(false);
    assert_wiped(head, length + 9);

    say(HEAD "abc" NEXT); /* what is behind it stays, and leaves nothing where it lay */
    assert_head(TAP_WHOLE, HEAD, 1);
    assert_body("abc");
    tap_inside(false);
    assert_wiped(head, length + 3);
    assert_head(TAP_WHOLE, NEXT, 1);
    tap_inside(false);
    assert_wiped(head, length + 3 + strlen(NEXT));

    say(HEAD); /* a body whose pieces are read to the same place */
    assert_head(TAP_WHOLE, HEAD, 1);
    say("a long piece");
    assert_body("a long piece");
    say("a");
    assert_body("a");
    tap_close();
    assert_wiped(head, length + 12);
    tap_open();
}

/* civetweb drops what still comes before it closes; libpq reads while we are inside. */
static void who_reads_no_head_is_given_the_bytes(void **state)
{
    char got[64], *head;
    size_t length;

    (void)state;
    say(HEAD);
    assert_head(TAP_WHOLE, HEAD, 1);
    say("abc");
    assert_int_equal(ask(got, sizeof got, 1), 3);
    assert_memory_equal(got, "abc", 3);
    tap_inside(false);
    assert_int_equal(tap_head(&head, &length), TAP_NONE);
    tap_close();
    say("def");
    assert_int_equal(ask(got, sizeof got, 1), 3);
    assert_memory_equal(got, "def", 3);
}

/* As civetweb ends a connection. */
static void end_connection(int fd)
{
    tap_inside(false);
    tap_close();
    shutdown(fd, SHUT_WR);
    close(fd);
}

static void what_is_taken_over_outlives_it(void **state)
{
    char got[8];
    int taken;

    (void)state;
    say(HEAD);
    assert_head(TAP_WHOLE, HEAD, 1);
    taken = tap_take_over();
    assert_true(taken >= 0);
    end_connection(dup(ends[0])); /* another descriptor's end is an end */
    assert_int_equal(recv(ends[1], got, sizeof got, 0), 0);
    close(taken);
    close_both(state);
    connect_both(state);

    say(HEAD);
    assert_head(TAP_WHOLE, HEAD, 1);
    taken = tap_take_over();
    end_connection(ends[0]);
    assert_int_equal(send(taken, "still", 5, MSG_DONTWAIT), 5);
    assert_int_equal(recv(ends[1], got, sizeof got, 0), 5);
    close(taken);
    assert_int_equal(recv(ends[1], got, sizeof got, 0), 0);
    ends[0] = dup(ends[1]); /* what is closed in the end */
}

#define CONNECTED(test) cmocka_unit_test_setup_teardown(test, connect_both, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTED(heads_and_bodies_that_come_together_are_parted),
        CONNECTED(a_head_in_pieces_is_put_together),
        CONNECTED(empty_lines_before_a_head_are_skipped),
        CONNECTED(a_byte_that_belongs_in_no_head_ends_it),
        CONNECTED(a_head_that_is_too_long_is_cut),
        CONNECTED(a_head_that_does_not_end_is_late_or_cut),
        CONNECTED(a_connection_that_ends_without_a_head_has_none),
        CONNECTED(reading_on_ends_with_the_connection_or_in_time),
        CONNECTED(much_is_read_at_once),
        CONNECTED(nothing_is_kept_for_the_next_connection),
        CONNECTED(what_was_read_is_wiped_once_it_is_answered),
        CONNECTED(who_reads_no_head_is_given_the_bytes),
        CONNECTED(what_is_taken_over_outlives_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
