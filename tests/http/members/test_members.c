/* Two servers with memberships that the test sets, and sockets that play the leader. */
#include "fake_membership.h"
#include "forward.h"
#include "live.h"
#include "store/replicated.h"

#include <sys/time.h>

#define EVENT "{\"event_type\":\"e\",\"anonymous_id\":\"a\"}"
#define NOBODY "/persons/01932b7e-7f3a-7c1d-9a53-5d8a1c2f4b6e"

enum dbk_code __real_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *key, bool *replayed,
                                    struct dbk_error *err);
enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *key, bool *replayed,
                                    struct dbk_error *err);

static atomic_int
    refused_by_log;          /* a code of the next submissions; 0: the log decides */
static struct fake *deposes; /* who then sees that it follows n1, at this URL */
static char deposed_to[64];

enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *key, bool *replayed,
                                    struct dbk_error *err)
{
    int code = atomic_exchange(&refused_by_log, 0);

    if (code == 0)
        return __real_dbk_log_submit(log, commands, count, key, replayed, err);
    if (deposes)
        fake_set(deposes, "n2", "follows", "n1", deposed_to);
    return dbk_fail(err, (enum dbk_code)code, "another opened at 12");
}

struct two {
    struct fake fakes[2];
    struct live *leader, *other; /* n1, n2 */
    char url[64];                /* of n1 */
};

static struct live *begin(struct fake *fake, bool forward)
{
    struct live none = {0};
    struct dbk_server_options options = live_options(&none);

    fake_init(fake);
    fake->membership.forward = forward;
    options.membership = &fake->membership;
    options.request_timeout_ms = 3000;
    options.read_wait_ms = 200;
    return live_start(&options, NULL, NULL);
}

static int begin_two(void **state, bool forward)
{
    struct two *two = calloc(1, sizeof *two);

    two->leader = begin(&two->fakes[0], false);
    two->other = begin(&two->fakes[1], forward);
    snprintf(two->url, sizeof two->url, "http://127.0.0.1:%u",
             dbk_server_port(two->leader->server));
    fake_set(&two->fakes[0], "n1", "leads", "n1", two->url);
    fake_set(&two->fakes[1], "n2", "follows", "n1", two->url);
    *state = two;
    return 0;
}

static int begin_telling(void **state)
{
    return begin_two(state, false);
}

static int begin_forwarding(void **state)
{
    if (!forward_built())
        print_message("built without libcurl: nothing is sent on\n");
    return forward_built() ? begin_two(state, true) : 0;
}

static int end_two(void **state)
{
    struct two *two = *state;

    if (!two)
        return 0;
    atomic_store(&refused_by_log, 0);
    deposes = NULL;
    live_stop(two->leader);
    live_stop(two->other);
    free(two);
    return 0;
}

static void assert_header(const struct heard *heard, const char *name,
                          const char *expected)
{
    char value[256];

    assert_string_equal(heard_header(heard, name, value), expected);
}

static uint64_t head_of(const struct live *live)
{
    uint64_t head = 0;
    struct dbk_error err;

    assert_int_equal(dbk_log_head(live->log, &head, &err), DBK_OK);
    return head;
}

static void ask(const struct live *live, const char *method, const char *path,
                const char *headers, const char *body, int status, const char *saying)
{
    struct heard heard = live_ask(live, method, path, headers, body);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

static void a_follower_tells_where_a_write_is_taken(void **state)
{
    struct two *two = *state;
    char location[256];
    struct heard heard =
        live_ask(two->other, "POST", "/events?timestamps=rfc3339&x=%20", "", EVENT);

    snprintf(location, sizeof location, "%s/events?timestamps=rfc3339&x=%%20",
             two->url);
    assert_heard(&heard, 307, "/docs/errors.md#not-leader");
    assert_header(&heard, "Location", location);
    assert_header(&heard, "Daybook-Leader", two->url);
    heard_free(&heard);
    assert_int_equal(head_of(two->other), 0);
}

static void every_route_that_appends_is_told_so_and_no_other(void **state)
{
    static const char *const writes[][3] = {
        {"POST", "/persons", "{}"},
        {"PUT", NOBODY, "{}"},
        {"PATCH", NOBODY, "{}"},
        {"DELETE", NOBODY, NULL},
        {"POST", "/events", "{}"},
        {"POST", "/events/batch", "[]"},
        {"DELETE", "/events/01932b7e-7f3a-7c1d-9a53-5d8a1c2f4b6e", NULL},
        {"POST", NOBODY "/aliases", "{}"},
        {"DELETE", NOBODY "/aliases/a", NULL},
        {"PUT", "/persons/by/external_id/x", "{}"},
        {"POST", "/admin/cluster/hand-over", "{}"},
    };
    struct two *two = *state;

    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        ask(two->other, writes[i][0], writes[i][1], "", writes[i][2], 307, NULL);
    ask(two->other, "POST", "/admin/quarantine/retry", "", "", 503, "no read tables");
    ask(two->other, "GET", "/log", "", NULL, 200, NULL);
}

/* Before its body is read, but the connection lives on where that is small. */
static void a_connection_lives_on_after_a_redirect(void **state)
{
    static const char request[] = "POST /events HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Type: application/json\r\n"
                                  "Content-Length: 2\r\n\r\n{}";
    struct two *two = *state;
    int fd = live_connect(two->other);

    for (int i = 0; i < 2; i++) {
        struct heard heard;
        assert_true(live_send(fd, request, sizeof request - 1));
        heard = live_hear(fd, false);
        assert_heard(&heard, 307, NULL);
        heard_free(&heard);
    }
    close(fd);
}

static void a_large_body_is_not_waited_for(void **state)
{
    static const char request[] = "POST /events HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Type: application/json\r\n"
                                  "Content-Length: 1000000\r\n\r\n{";
    struct two *two = *state;
    struct heard heard = live_raw(two->other, request, sizeof request - 1);

    assert_heard(&heard, 307, NULL);
    assert_header(&heard, "Connection", "close");
    heard_free(&heard);
}

static void assert_nobody_leads(const struct live *live)
{
    struct heard heard = live_ask(live, "POST", "/events", "", EVENT);

    assert_heard(&heard, 503, "/docs/errors.md#no-leader");
    assert_header(&heard, "Retry-After", "1");
    assert_header(&heard, "Location", "");
    assert_header(&heard, "Daybook-Leader", "");
    heard_free(&heard);
}

static void without_a_leader_writes_are_to_come_again(void **state)
{
    struct two *two = *state;

    fake_set(&two->fakes[1], "n2", "follows", "", "");
    assert_nobody_leads(two->other);
    /* It was the leader, or is about to be: no client is sent to where it comes from. */
    fake_set(&two->fakes[1], "n2", "opens", "n2", two->url);
    assert_nobody_leads(two->other);
    fake_set(&two->fakes[1], "n2", "follows", "n1", "http://a\r\nX: y");
    assert_nobody_leads(two->other);
    fake_set(&two->fakes[1], "n2", "follows", "n1", "javascript:alert(1)");
    assert_nobody_leads(two->other);
}

static void who_leads_takes_writes(void **state)
{
    struct two *two = *state;

    ask(two->leader, "POST", "/events", "", EVENT, 201, NULL);
    assert_int_equal(head_of(two->leader), 1);
    assert_int_equal(atomic_load(&two->fakes[0].freshened), 0);
}

static void who_is_deposed_by_the_append_tells_who_leads(void **state)
{
    struct two *two = *state;

    fake_set(&two->fakes[1], "n2", "leads", "n2", "http://127.0.0.1:1");
    deposes = &two->fakes[1];
    snprintf(deposed_to, sizeof deposed_to, "%s", two->url);
    atomic_store(&refused_by_log, DBK_NOT_LEADER);
    ask(two->other, "POST", "/events", "", EVENT, 307, "not-leader");
    assert_int_equal(head_of(two->other), 0);
}

/* By the log itself, which knows before the membership is asked again. */
static void a_log_that_follows_takes_no_write(void **state)
{
    struct two *two = *state;
    struct dbk_place place = {.next = 1, .epoch = 0, .reseed = -1};
    struct dbk_error err;

    assert_int_equal(dbk_log_put_place(two->leader->log, &place, &err), DBK_OK);
    ask(two->leader, "POST", "/events", "", EVENT, 503, "just changed");
    fake_set(&two->fakes[0], "n1", "follows", "n2", "http://127.0.0.1:1");
    ask(two->leader, "GET", "/health/ready", "", NULL, 200, NULL);
    ask(two->leader, "GET", "/log", "", NULL, 200, NULL);
    assert_int_equal(head_of(two->leader), 0);
}

static void what_brokers_keep_from_being_written_is_no_disks_fault(void **state)
{
    struct two *two = *state;

    atomic_store(&refused_by_log, DBK_UNAVAILABLE);
    ask(two->leader, "POST", "/events", "", EVENT, 503, "nothing was written");
    atomic_store(&refused_by_log, DBK_IN_DOUBT);
    ask(two->leader, "POST", "/events", "", EVENT, 503, "is not known yet");
    atomic_store(&refused_by_log, DBK_IN_DOUBT);
    ask(two->leader, "POST", "/events", "", EVENT, 503, "errors.md#outcome-unknown");
}

/* Nothing is appended to refuse this, so the log asks nobody. */
static void who_was_deposed_unheard_refuses_nothing_by_what_it_knows(void **state)
{
    struct two *two = *state;
    struct fake *fake = &two->fakes[1];

    ask(two->leader, "PATCH", NOBODY, "", "{\"first_name\":\"K\"}", 404, NULL);
    assert_int_equal(atomic_load(&two->fakes[0].freshened), 1);
    fake_set(fake, "n2", "follows", "n1", two->url);
    fake->then = fake->look;
    fake_set(fake, "n2", "leads", "n2", "http://127.0.0.1:1");
    ask(two->other, "PATCH", NOBODY, "", "{\"first_name\":\"K\"}", 307, "not-leader");
}

static const struct live *late;

static void create_late(void)
{
    ask(late, "POST", "/persons", "",
        "{\"id\":\"01932b7e-7f3a-7c1d-9a53-5d8a1c2f4b6e\",\"email\":\"k@x.mock\","
        "\"first_name\":\"K\",\"last_name\":\"L\"}",
        201, NULL);
}

/* A copy shows what the leader has shipped before the leader has committed it: that is waited
 * for before anything is decided by what is here. */
static void what_others_show_already_is_known_to_who_decides(void **state)
{
    struct two *two = *state;

    late = two->leader;
    two->fakes[0].meanwhile = create_late;
    ask(two->leader, "PATCH", NOBODY, "", "{\"first_name\":\"M\"}", 200, NULL);
}

static void who_cannot_tell_whether_it_leads_refuses_nothing(void **state)
{
    struct two *two = *state;

    two->fakes[0].fresh = DBK_UNAVAILABLE;
    ask(two->leader, "PATCH", NOBODY, "", "{\"first_name\":\"K\"}", 503, "still leads");
    /* What is wrong whoever leads is said. */
    ask(two->leader, "POST", "/events", "", "{}", 400, NULL);
}

static void a_read_asks_the_others_first(void **state)
{
    static const char *const reads[] = {
        "/log",
        "/log/1",
        "/events/01932b7e-7f3a-7c1d-9a53-5d8a1c2f4b6e",
        "/persons",
        NOBODY,
        NOBODY "/aliases",
        NOBODY "/history",
        "/events/stats",
        "/persons/by/external_id/x",
    };
    struct two *two = *state;
    struct fake *fake = &two->fakes[1];

    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        struct heard heard = live_ask(two->other, "GET", reads[i], "", NULL);
        assert_int_equal(atomic_load(&fake->freshened), i + 1);
        heard_free(&heard);
    }
    ask(two->other, "GET", "/health", "", NULL, 200, NULL);
    ask(two->other, "GET", "/log", "Prefer: wait=0\r\n", NULL, 200, NULL);
    assert_int_equal(atomic_load(&fake->freshened), sizeof reads / sizeof *reads);
}

static void a_read_of_unknown_age_is_refused_unless_that_is_fine(void **state)
{
    struct two *two = *state;

    two->fakes[1].fresh = DBK_UNAVAILABLE;
    ask(two->other, "GET", "/log", "", NULL, 503, "Prefer: wait=0");
    two->fakes[1].fresh = DBK_TIMEOUT;
    ask(two->other, "GET", "/log", "", NULL, 503, "Prefer: wait=0");
    ask(two->other, "GET", "/log", "Prefer: wait=0\r\n", NULL, 200, NULL);
    ask(two->other, "GET", "/log", "Daybook-Sequence: 0\r\n", NULL, 200, NULL);
}

static void *append_later(void *context)
{
    struct timespec moment = {.tv_nsec = 50000000};

    nanosleep(&moment, NULL);
    ask(context, "POST", "/events", "", EVENT, 201, NULL);
    return NULL;
}

static void a_read_waits_for_the_sequence_that_it_names(void **state)
{
    struct live *live = live_start(NULL, NULL, NULL); /* alone */
    struct dbk_server_options options = live_options(live);
    pthread_t thread;

    (void)state;
    live_stop(live);
    options.read_wait_ms = PATIENCE_MS;
    live = live_start(&options, NULL, NULL);
    pthread_create(&thread, NULL, append_later, live);
    ask(live, "GET", "/log/1", "Daybook-Sequence: 1\r\n", NULL, 200, "event.recorded");
    pthread_join(thread, NULL);
    /* It comes too late: answered is what is there. */
    ask(live, "GET", "/log/2", "Daybook-Sequence: 2\r\nPrefer: wait=1\r\n", NULL, 404,
        NULL);
    ask(live, "GET", "/log/2", "Daybook-Sequence: 2\r\nPrefer: wait=0\r\n", NULL, 404,
        NULL);
    live_stop(live);
}

static void a_sequence_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = {"",   "x",  "-1",   "1.5",
                                      "1x", "+1", "1, 2", "9999999999999999999"};
    struct two *two = *state;
    char header[64];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(header, sizeof header, "Daybook-Sequence: %s\r\n", bad[i]);
        ask(two->leader, "GET", "/log", header, NULL, 400, "Daybook-Sequence");
    }
    ask(two->leader, "GET", "/log", "Daybook-Sequence: 0\r\nDaybook-Sequence: 0\r\n",
        NULL, 400, "Daybook-Sequence");
}

static void health_tells_who_leads(void **state)
{
    struct two *two = *state;
    struct fake *fake = &two->fakes[1];

    ask(two->leader, "GET", "/health/leader", "", NULL, 200, "{\"leader\":true}");
    ask(two->other, "GET", "/health/leader", "", NULL, 503, "{\"leader\":false}");
    ask(two->other, "GET", "/health", "", NULL, 200,
        "\"role\":\"follower\",\"node\":\"n2\",\"state\":\"follows\",\"leader\":"
        "\"n1\"");
    ask(two->other, "GET", "/health/ready", "", NULL, 200, "\"leader\":\"n1\"");
    fake_set(fake, "n2", "halted", "n1", two->url);
    ask(two->other, "GET", "/health/ready", "", NULL, 503, "\"code\":\"member\"");
    ask(two->other, "GET", "/health", "", NULL, 503, "stopped following");
    fake_set(fake, "n2", "starting", "", "");
    ask(two->other, "GET", "/health/ready", "", NULL, 503, "\"code\":\"member\"");
    fake_set(fake, "n2", "follows", "", "");
    ask(two->other, "GET", "/health/ready", "", NULL, 200, NULL);
    ask(two->other, "GET", "/health", "", NULL, 503, "no server is known to lead");
}

static void alone_nothing_of_it_is_shown(void **state)
{
    struct live *live = live_start(NULL, NULL, NULL);
    struct heard heard = live_ask(live, "GET", "/metrics", "", NULL);

    (void)state;
    assert_null(strstr(heard.text, "daybook_cluster_leads"));
    heard_free(&heard);
    heard = live_ask(live, "GET", "/health", "", NULL);
    assert_null(strstr(heard.text, "\"role\""));
    heard_free(&heard);
    ask(live, "GET", "/health/leader", "", NULL, 200, "{\"leader\":true}");
    ask(live, "GET", "/admin/cluster", "", NULL, 200, "\"role\":\"single\"");
    ask(live, "POST", "/admin/cluster/hand-over", "", "{\"node\":\"n1\"}", 404,
        "CLUSTER_BROKERS");
    atomic_store(&refused_by_log, DBK_NOT_LEADER);
    ask(live, "POST", "/events", "", EVENT, 503, "started alone");
    live_stop(live);
}

static void metrics_tell_where_it_is(void **state)
{
    static const char *const lines[] = {
        "\ndaybook_cluster_leads 0\n",
        "\ndaybook_cluster_leader_known 1\n",
        "\ndaybook_cluster_epoch 7\n",
        "\ndaybook_cluster_lag_messages 4\n",
        "\ndaybook_cluster_ships_total 0\n",
        "state{state=\"follows\"} 1\n",
        "\ndaybook_cluster_state{state=\"halted\"} 0\n"};
    struct two *two = *state;
    struct heard heard = live_ask(two->other, "GET", "/metrics", "", NULL);

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_heard(&heard, 200, lines[i]);
    heard_free(&heard);
}

static void operators_see_the_members_and_hand_over(void **state)
{
    struct two *two = *state;
    struct fake *fake = &two->fakes[0];

    ask(two->leader, "GET", "/admin/cluster", "", NULL, 200,
        "\"members\":[{\"node\":\"n1\"},{\"node\":\"n2\"}]");
    fake->members = DBK_UNAVAILABLE;
    ask(two->leader, "GET", "/admin/cluster", "", NULL, 200, "\"members\":null");
    ask(two->leader, "POST", "/admin/cluster/hand-over", "", "{\"node\":\"n2\"}", 200,
        "{\"leader\":\"n2\"}");
    assert_string_equal(fake->handed, "n2");
    ask(two->leader, "POST", "/admin/cluster/hand-over", "", "{\"node\":7}", 400,
        "node");
    ask(two->leader, "POST", "/admin/cluster/hand-over", "", "{}", 400, "node");
    fake->hand_over = DBK_NOT_FOUND;
    ask(two->leader, "POST", "/admin/cluster/hand-over", "", "{\"node\":\"n9\"}", 404,
        "no member called n9");
    fake->hand_over = DBK_TIMEOUT;
    ask(two->leader, "POST", "/admin/cluster/hand-over", "", "{\"node\":\"n2\"}", 503,
        "leads on");
}

/* Forwarding. */

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

static void a_refusal_of_the_leader_comes_back_as_it_is(void **state)
{
    struct two *two = *state;

    if (!two)
        skip();
    ask(two->other, "POST", "/events", "", "{}", 400, "invalid-fields");
    ask(two->other, "DELETE", NOBODY, "", NULL, 404, "not-found");
    ask(two->other, "POST", "/events", "Content-Type: text/html\r\n", "x", 415, NULL);
    assert_int_equal(atomic_load(&two->leader->accesses), 2); /* 415 needs nobody */
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
    assert_int_equal(atomic_load(&two->leader->accesses), 1);
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
#define TELLS(test) cmocka_unit_test_setup_teardown(test, begin_telling, end_two)
#define FORWARDS(test) cmocka_unit_test_setup_teardown(test, begin_forwarding, end_two)
    static const struct CMUnitTest tests[] = {
        TELLS(a_follower_tells_where_a_write_is_taken),
        TELLS(every_route_that_appends_is_told_so_and_no_other),
        TELLS(a_connection_lives_on_after_a_redirect),
        TELLS(a_large_body_is_not_waited_for),
        TELLS(without_a_leader_writes_are_to_come_again),
        TELLS(who_leads_takes_writes),
        TELLS(who_is_deposed_by_the_append_tells_who_leads),
        TELLS(a_log_that_follows_takes_no_write),
        TELLS(what_brokers_keep_from_being_written_is_no_disks_fault),
        TELLS(who_was_deposed_unheard_refuses_nothing_by_what_it_knows),
        TELLS(who_cannot_tell_whether_it_leads_refuses_nothing),
        TELLS(what_others_show_already_is_known_to_who_decides),
        TELLS(a_read_asks_the_others_first),
        TELLS(a_read_of_unknown_age_is_refused_unless_that_is_fine),
        cmocka_unit_test(a_read_waits_for_the_sequence_that_it_names),
        TELLS(a_sequence_that_is_none_is_refused),
        TELLS(health_tells_who_leads),
        cmocka_unit_test(alone_nothing_of_it_is_shown),
        TELLS(metrics_tell_where_it_is),
        TELLS(operators_see_the_members_and_hand_over),
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
