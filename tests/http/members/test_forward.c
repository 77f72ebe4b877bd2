/* Writes that a member sends on to the leader; sockets play leaders that fail. */
#include "two_members.h"

#include <sys/time.h>

static void a_write_sent_on_is_answered_as_the_leader_does(void **state)
{
    struct two *two = *state;
    struct heard heard, again;
    char value[256];

    if (!two)
        skip();
    heard = live_ask(two->other, "POST", "/events?timestamps=rfc3339",
                     "Idempotency-Key: k\r\nX-Request-Id: mine\r\n", EVENT);
    assert_heard(&heard, 201, "\"anonymous_id\":\"a\"");
    assert_header(&heard, "Daybook-Sequence", "1");
    assert_header(&heard, "X-Request-Id", "mine");
    assert_header(&heard, "Daybook-Leader", two->url);
    assert_string_not_equal(heard_header(&heard, "Date", value), "");
    assert_string_not_equal(heard_header(&heard, "Content-Type", value), "");
    /* Each once. */
    assert_null(strcasestr(strcasestr(heard.text, "X-Request-Id") + 1, "X-Request-Id"));
    assert_null(strcasestr(strcasestr(heard.text, "Date: ") + 1, "Date: "));
    assert_int_equal(head_of(two->leader), 1);
    assert_int_equal(head_of(two->other), 0);
    again = live_ask(two->leader, "POST", "/events?timestamps=rfc3339",
                     "Idempotency-Key: k\r\n", EVENT);
    assert_heard(&again, 201, NULL);
    assert_header(&again, "Idempotency-Replayed", "true");
    assert_string_equal(again.body, heard.body);
    heard_free(&again);
    heard_free(&heard);
}

/* They are told a little after the answer. */
static void await_accesses(struct live *live, unsigned count)
{
    for (int waited = 0; atomic_load(&live->accesses) < count && waited < 10000;
         waited++)
        usleep(1000);
    assert_int_equal(atomic_load(&live->accesses), count);
}

static void a_refusal_of_the_leader_comes_back_as_it_is(void **state)
{
    struct two *two = *state;

    if (!two)
        skip();
    ask(two->other, "POST", "/events", "", "{}", 400, "invalid-fields");
    ask(two->other, "DELETE", NOBODY, "", NULL, 404, "not-found");
    ask(two->other, "POST", "/events", "Content-Type: text/html\r\n", "x", 415, NULL);
    await_accesses(two->leader, 2); /* 415 needs nobody */
}

static void a_connection_is_kept_and_many_go_along(void **state)
{
    struct two *two = *state;

    if (!two)
        skip();
    for (int i = 0; i < 20; i++)
        ask(two->other, "POST", "/events", "", EVENT, 201, NULL);
    assert_int_equal(head_of(two->leader), 20);
}

static void what_was_sent_on_is_not_sent_on_again(void **state)
{
    struct two *two = *state;

    if (!two)
        skip();
    fake_set(&two->fakes[0], "n1", "follows", "n2", "http://127.0.0.1:1");
    two->fakes[0].membership.forward = true;
    ask(two->other, "POST", "/events", "", EVENT, 503, "no-leader");
    await_accesses(two->leader, 1);
}

static void who_is_deposed_by_the_append_sends_it_on(void **state)
{
    struct two *two = *state;

    if (!two)
        skip();
    fake_set(&two->fakes[1], "n2", "leads", "n2", "http://127.0.0.1:1");
    deposes = &two->fakes[1];
    snprintf(deposed_to, sizeof deposed_to, "%s", two->url);
    atomic_store(&refused_by_log, DBK_NOT_LEADER);
    ask(two->other, "POST", "/events", "", EVENT, 201, NULL);
    assert_int_equal(head_of(two->leader), 1);
    assert_int_equal(head_of(two->other), 0);
}

static int listen_here(char url[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(url, 64, "http://127.0.0.1:%d/below", ntohs(at.sin_port));
    return fd;
}

static void nothing_was_written_where_nobody_is_reached(void **state)
{
    struct two *two = *state;
    char url[64];

    if (!two)
        skip();
    close(listen_here(url));
    fake_set(&two->fakes[1], "n2", "follows", "n1", url);
    ask(two->other, "POST", "/events", "", EVENT, 503, "errors.md#unavailable");
}

/* Plays the leader: takes connections, and lets each request on them end as told. */
struct player {
    int listener;
    atomic_int connection; /* that it has now */
    atomic_uint requests, connections;
    atomic_uint last; /* the connection, by number, that the last request came on */
    unsigned answers; /* that it gives before it ends connections unanswered */
    bool silent;      /* it does not even end them */
    char first[8192]; /* the first request */
};

static bool take_request(int fd, char *out, size_t size)
{
    size_t used = 0;

    while (used + 1 < size) {
        ssize_t got = recv(fd, out + used, size - 1 - used, 0);
        if (got <= 0)
            return false;
        used += (size_t)got;
        out[used] = '\0';
        if (strstr(out, "\r\n\r\n" EVENT))
            return true;
    }
    return false;
}

static void *play(void *context)
{
    static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n"
                                 "X-Other: 1\r\nConnection: keep-alive\r\n\r\n{}";
    struct player *player = context;
    char text[8192];
    int fd, held = -1;

    while ((fd = accept(player->listener, NULL, NULL)) >= 0) {
        bool open = true;
        atomic_store(&player->connection, fd);
        atomic_fetch_add(&player->connections, 1);
        while (open && take_request(fd, text, sizeof text)) {
            atomic_store(&player->last, atomic_load(&player->connections));
            if (atomic_fetch_add(&player->requests, 1) == 0)
                memcpy(player->first, text, sizeof text);
            open = atomic_load(&player->requests) <= player->answers;
            if (open)
                live_send(fd, answer, sizeof answer - 1);
        }
        if (player->silent && !open)
            held = fd;
        else
            close(fd);
    }
    if (held >= 0)
        close(held);
    return NULL;
}

static void play_begin(struct player *player, pthread_t *thread, struct two *two)
{
    char url[64];

    player->listener = listen_here(url);
    fake_set(&two->fakes[1], "n2", "follows", "n1", url);
    pthread_create(thread, NULL, play, player);
}

static void play_end(struct player *player, pthread_t thread)
{
    shutdown(player->listener, SHUT_RDWR);
    shutdown(atomic_load(&player->connection), SHUT_RDWR); /* which is kept */
    pthread_join(thread, NULL);
    close(player->listener);
}

static void headers_of_the_client_go_along_and_those_of_the_hop_do_not(void **state)
{
    struct two *two = *state;
    struct player player = {.answers = 1};
    pthread_t thread;
    struct heard heard;

    if (!two)
        skip();
    play_begin(&player, &thread, two);
    heard =
        live_ask(two->other, "POST", "/events?key=a%2Fb",
                 "Authorization: Bearer t\r\nIdempotency-Key: k\r\n"
                 "If-Match: \"1\"\r\nPrefer: wait=3\r\nX-Request-Id: r1\r\n"
                 "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
                 "01\r\nConnection: X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\n"
                 "X-Forwarded-For: 1.2.3.4\r\nDaybook-Sequence: 3\r\n",
                 EVENT);
    assert_heard(&heard, 201, "{}");
    assert_header(&heard, "X-Other", "1");
    heard_free(&heard);
    play_end(&player, thread);
    static const char *const there[] = {"POST /below/events?key=a%2Fb HTTP/1.1\r\n",
                                        "\r\nAuthorization: Bearer t\r\n",
                                        "\r\nIdempotency-Key: k\r\n",
                                        "\r\nIf-Match: \"1\"\r\n",
                                        "\r\nPrefer: wait=3\r\n",
                                        "\r\nX-Request-Id: r1\r\n",
                                        "\r\ntraceparent: 00-0af7",
                                        "\r\nX-Forwarded-For: 127.0.0.1\r\n",
                                        "\r\nContent-Type: application/json\r\n",
                                        "\r\nDaybook-Forwarded: 1\r\n"};
    static const char *const not_there[] = {"X-Hop",  "TE:",        "1.2.3.4",
                                            "Expect", "User-Agent", "Accept"};

    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        if (!strstr(player.first, there[i]))
            fail_msg("no \"%s\" in %s", there[i], player.first);
    }
    for (size_t i = 0; i < sizeof not_there / sizeof *not_there; i++) {
        if (strstr(player.first, not_there[i]))
            fail_msg("\"%s\" in %s", not_there[i], player.first);
    }
}

/* A kept connection that ends without an answer is where a client would try again. */
static void what_was_sent_is_never_sent_twice(void **state)
{
    struct two *two = *state;
    struct player player = {.answers = 1};
    pthread_t thread;

    if (!two)
        skip();
    play_begin(&player, &thread, two);
    ask(two->other, "POST", "/events", "", EVENT, 201, NULL);
    ask(two->other, "POST", "/events", "", EVENT, 503, "errors.md#outcome-unknown");
    assert_int_equal(atomic_load(&player.requests), 2);
    play_end(&player, thread);
    assert_int_equal(atomic_load(&player.requests), 2);
    assert_int_equal(atomic_load(&player.last), 1); /* the connection was kept */
}

static void a_silent_leader_leaves_it_unknown(void **state)
{
    struct two *two = *state;
    struct player player = {.silent = true};
    pthread_t thread;

    if (!two)
        skip();
    play_begin(&player, &thread, two);
    ask(two->other, "POST", "/events", "", EVENT, 503, "errors.md#outcome-unknown");
    play_end(&player, thread);
    ask(two->other, "GET", "/metrics", "", NULL, 200,
        "daybook_cluster_forwards_total{outcome=\"unknown\"} ");
}

int main(void)
{
#define FORWARDS(test) cmocka_unit_test_setup_teardown(test, begin_forwarding, end_two)
    static const struct CMUnitTest tests[] = {
        FORWARDS(a_write_sent_on_is_answered_as_the_leader_does),
        FORWARDS(a_refusal_of_the_leader_comes_back_as_it_is),
        FORWARDS(a_connection_is_kept_and_many_go_along),
        FORWARDS(what_was_sent_on_is_not_sent_on_again),
        FORWARDS(who_is_deposed_by_the_append_sends_it_on),
        FORWARDS(nothing_was_written_where_nobody_is_reached),
        FORWARDS(headers_of_the_client_go_along_and_those_of_the_hop_do_not),
        FORWARDS(what_was_sent_is_never_sent_twice),
        FORWARDS(a_silent_leader_leaves_it_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
