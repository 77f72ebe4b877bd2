/* Reads of scripted read tables that are behind, away, or taken from a client that is slow. */
#include "scripted_reads.h"

#include <pthread.h>

static void a_person_not_yet_projected_is_not_said_to_be_missing(void **state)
{
    struct heard made = live_ask(*state, "POST", "/persons", "",
                                 "{\"email\":\"a@b.cc\",\"first_name\":\"a\","
                                 "\"last_name\":\"b\"}");
    struct heard heard;
    char path[256];

    heard_header(&made, "Location", path);
    heard_free(&made);
    atomic_store(&script.wait_code, DBK_TIMEOUT);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_heard(&heard, 503, "not yet in the read tables");
    heard_free(&heard);
    atomic_store(&script.projected, 100);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_heard(&heard, 503, "set aside");
    heard_free(&heard);
    heard = live_ask(*state, "GET", "/persons/f4cc4f34-3f7c-4a0c-b333-df23f72ebc68", "",
                     NULL);
    assert_heard(&heard, 404, "no person");
    heard_free(&heard);
}

static void a_log_that_is_away_is_not_called_postgresql(void **state)
{
    struct heard heard;

    atomic_store(&script.log_away, true);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_heard(&heard, 503, "The log cannot be read");
    assert_null(strstr(heard.text, "GET /log and GET /events/{id} go on"));
    heard_free(&heard);
}

static void a_client_that_has_it_is_told_so(void **state)
{
    static const char path[] = "/persons/f4cc4f34-3f7c-4a0c-b333-df23f72ebc68";
    char tag[256], header[300];
    struct heard heard;

    atomic_store(&script.has_person, true);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_memory_equal(heard_header(&heard, "ETag", tag), "\"7-", 3);
    heard_free(&heard);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", tag);
    heard = live_ask(*state, "GET", path, header, NULL);
    assert_heard(&heard, 304, tag);
    assert_string_equal(heard.body, "");
    heard_free(&heard);
    heard = live_ask(*state, "GET",
                     "/persons/f4cc4f34-3f7c-4a0c-b333-df23f72ebc68"
                     "?events_limit=1",
                     header, NULL);
    assert_heard(&heard, 200, NULL);
    heard_free(&heard);
}

static void a_record_that_is_wrong_about_its_place_is_shown_once(void **state)
{
    struct heard heard =
        live_ask(*state, "POST", "/persons", "",
                 "{\"email\":\"kate@marauders.mock\",\"first_name\":"
                 "\"Kate\",\"last_name\":\"Pryde\",\"role\":\"user\"}");

    assert_heard(&heard, 201, NULL);
    heard_free(&heard);
    atomic_store(&script.says, 1);
    heard = live_ask(*state, "GET", "/log", "Accept: application/x-ndjson\r\n", NULL);
    assert_heard(&heard, 200, "\"type\":\"event.recorded\",\"sequence\":1,");
    assert_true(heard.announced > 0); /* whole at once, as two records are */
    heard_free(&heard);
}

/* One thread, and a client that takes none of a long answer: the next must be served. */
static void a_client_that_does_not_read_is_cut_off(void **state)
{
    static const char text[] =
        "GET /events?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct dbk_server_options options = live_options(NULL);
    struct heard heard;
    struct live *live;
    int fd, small = 4096;

    (void)state;
    options.threads = 1;
    options.request_timeout_ms = 300;
    live = start_with(&options);
    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 1500);
    fd = live_connect(live);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_true(live_send(fd, text, sizeof text - 1));
    heard = live_ask(live, "GET", "/health", "", NULL);
    assert_heard(&heard, 200, NULL);
    heard_free(&heard);
    close(fd);
    live_stop(live);
}

static void *stop_server(void *live)
{
    live_stop(live);
    return NULL;
}

static void a_read_under_way_is_finished_when_stopping(void **state)
{
    static const char text[] = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct live *live = start_with(NULL);
    pthread_t stopping;
    struct heard heard;
    int idle = live_connect(live), fd = live_connect(live);

    (void)state;
    atomic_store(&script.rows, 3);
    assert_true(live_send(idle, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 41));
    heard = live_hear(idle, false);
    heard_free(&heard);
    atomic_store(&script.wait_blocks, true);
    assert_true(live_send(fd, text, sizeof text - 1));
    while (!atomic_load(&script.waiting))
        usleep(1000);
    assert_int_equal(pthread_create(&stopping, NULL, stop_server, live), 0);
    assert_true(live_ends(idle)); /* so the server has begun to stop */
    atomic_store(&script.wait_blocks, false);
    heard = live_hear(fd, false);
    assert_heard(&heard, 200, "Connection: close");
    assert_rows(&heard, 3);
    pthread_join(stopping, NULL);
    heard_free(&heard);
    close(idle);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_person_not_yet_projected_is_not_said_to_be_missing),
        LIVE(a_log_that_is_away_is_not_called_postgresql),
        LIVE(a_client_that_has_it_is_told_so),
        LIVE(a_record_that_is_wrong_about_its_place_is_shown_once),
        cmocka_unit_test(a_client_that_does_not_read_is_cut_off),
        cmocka_unit_test(a_read_under_way_is_finished_when_stopping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
