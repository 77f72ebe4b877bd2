/* What one connection that sends events says: which heads are theirs, in how many pieces they
 * may come, and how it ends. */
#include "lent.h"

#include "store/command.h"
#include "writes.h"

static void who_asks_first_is_told_to_go_on(void **state)
{
    char text[1000], *body;

    (void)state;
    event_body(text, "", person, "asks");
    body = strdup(text);
    request_text(text, "1.1", "Expect: 100-continue\r\n", body);
    text[strlen(text) - strlen(body)] = '\0';
    say_text(lent.fds[0], text);
    {
        char told[64] = "";
        struct pollfd ready = {.fd = lent.fds[0], .events = POLLIN};

        assert_true(poll(&ready, 1, PATIENCE_MS) > 0);
        assert_true(recv(lent.fds[0], told, sizeof told - 1, 0) > 0);
        assert_string_equal(told, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    say_text(lent.fds[0], body);
    free(body);
    hear(lent.fds[0], 201, "\"asks\"");
}

/* In as many pieces as there may be between head and body. */
static void a_body_that_comes_later_is_waited_for(void **state)
{
    char text[1000], body[300], part[1000];
    size_t cuts[3];

    (void)state;
    event_body(body, "", person, "pieces");
    request_text(text, "1.1", "", body);
    cuts[0] = strlen(text) - strlen(body) - 2; /* amid the head's end */
    cuts[1] = strlen(text) - strlen(body);
    cuts[2] = strlen(text) - 1;
    for (size_t i = 0; i < 3; i++) {
        memcpy(part, text, cuts[i]);
        part[cuts[i]] = '\0';
        say_text(lent.fds[i], part);
        usleep(20000);
        say_text(lent.fds[i], text + cuts[i]);
        hear(lent.fds[i], 201, "\"pieces\"");
        say_event(lent.fds[i], "whole");
        hear(lent.fds[i], 201, "\"whole\"");
    }
}

/* Read one answer off the front of what has come. */
static void a_pipeline_is_answered_in_order(void **state)
{
    char body[300], first[1000], second[1000], both[2100];
    const char *one, *two;
    char told[8192] = "";
    size_t length = 0;

    (void)state;
    event_body(body, "", person, "p1");
    request_text(first, "1.1", "X-Request-Id: one\r\n", body);
    event_body(body, "", person, "p2");
    request_text(second, "1.1", "X-Request-Id: two\r\n", body);
    snprintf(both, sizeof both, "%s%s", first, second);
    say_text(lent.fds[0], both);
    do {
        struct pollfd ready = {.fd = lent.fds[0], .events = POLLIN};
        ssize_t got;

        assert_true(poll(&ready, 1, PATIENCE_MS) > 0);
        got = recv(lent.fds[0], told + length, sizeof told - 1 - length, 0);
        assert_true(got > 0);
        length += (size_t)got;
        told[length] = '\0';
        one = strstr(told, "X-Request-Id: one");
        two = strstr(told, "X-Request-Id: two");
    } while (!two || !strstr(two, "\"status\":201}}"));
    assert_non_null(one);
    assert_true(one < two);
    assert_true(strstr(told, "\"p1\"") < two);
}

static void the_connection_ends_as_the_client_says(void **state)
{
    char body[300], text[1000];

    (void)state;
    event_body(body, "", person, "last");
    say(lent.fds[0], "Connection: close\r\n", body);
    hear(lent.fds[0], 201, "Connection: close\r\n");
    assert_true(live_ends(lent.fds[0]));
    request_text(text, "1.0", "", body);
    say_text(lent.fds[1], text);
    hear(lent.fds[1], 201, "Connection: close\r\n");
    assert_true(live_ends(lent.fds[1]));
    request_text(text, "1.0", "Connection: keep-alive\r\n", body);
    say_text(lent.fds[2], text);
    hear(lent.fds[2], 201, "Connection: keep-alive\r\n");
    say_event(lent.fds[2], "goes on");
    hear(lent.fds[2], 201, "\"goes on\"");
    /* What it announces twice nobody can tell the end of. */
    snprintf(text, sizeof text, "Content-Length: %zu\r\n", strlen(body));
    say(lent.fds[3], text, body);
    hear(lent.fds[3], 400, "more than once");
    assert_true(live_ends(lent.fds[3]));
}

/* Their heads say who is written together, and who is not. */
static void what_is_told_of_a_head(void **state)
{
    static const struct {
        const char *head;
        size_t body;
        bool is;
    } heads[] = {
        {"POST /events HTTP/1.1\r\nContent-Length: 2\r\n\r\n", 2, true},
        {"POST /events HTTP/1.1\r\ncontent-length:2 \r\nHost: a\r\n\r\n", 2, true},
        {"POST /events HTTP/1.1\r\nContent-Length: 2\r\n\r\n", 3, false},
        {"POST /events HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 0, false},
        {"POST /events HTTP/1.1\r\nHost: a\r\n\r\n", 2, false},
        {"POST /events HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", 2,
         false},
        {"POST /events HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\n", 2, false},
        {"POST /events HTTP/1.1\r\nContent-Length: +2\r\n\r\n", 2, false},
        {"POST /events HTTP/1.1\r\nContent-Length: \r\n\r\n", 2, false},
        {"POST /events HTTP/1.0\r\nContent-Length: 2\r\n\r\n", 2, false},
        {"POST /events/ HTTP/1.1\r\nContent-Length: 2\r\n\r\n", 2, false},
        {"POST /events?key=a HTTP/1.1\r\nContent-Length: 2\r\n\r\n", 2, false},
        {"POST /events HTTP/1.1\r\nContent-Length: 2\r\nexpect: a\r\n\r\n", 2, false},
        {"POST /events HTTP/1.1\r\nContent-Length: 2\r\nPrefer: proof\r\n\r\n", 2,
         false},
        {"POST /events HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n",
         2, false},
        {"POST /events HTTP/1.1\r\nIdempotency-Key: a\r\nContent-Length: 2\r\n\r\n", 2,
         false},
        {"POST /events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 2, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        if (write_is(heads[i].head, strlen(heads[i].head), heads[i].body) !=
            heads[i].is)
            fail_msg("%s", heads[i].head);
    }
}

static void what_they_said_is_wiped_when_they_are_answered(void **state)
{
    struct writes writes;
    struct write_batch *batch;
    char *memory;

    (void)state;
    writes_init(&writes);
    batch = writes_take(&writes);
    assert_non_null(batch);
    assert_non_null(write_next(batch));
    memory = batch->list[0].head;
    memcpy(memory, "zanzibar", 9);
    batch->list[0].used = 9;
    batch->count = 1; /* as where it waited */
    writes_give(&writes, batch);
    assert_memory_equal(memory, "\0\0\0\0\0\0\0\0", 9);
    assert_ptr_equal(writes_take(&writes), batch);
    assert_int_equal(batch->count, 0);
    writes_give(&writes, batch);
    writes_finish(&writes);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, lent_start, lent_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_of_a_head),
        cmocka_unit_test(what_they_said_is_wiped_when_they_are_answered),
        LIVE(who_asks_first_is_told_to_go_on),
        LIVE(a_body_that_comes_later_is_waited_for),
        LIVE(a_pipeline_is_answered_in_order),
        LIVE(the_connection_ends_as_the_client_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
