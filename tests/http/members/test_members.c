/* What a member answers: who leads, who reads, who writes. */
#include "two_members.h"

#include "store/replicated.h"

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

int main(void)
{
#define TELLS(test) cmocka_unit_test_setup_teardown(test, begin_telling, end_two)
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
