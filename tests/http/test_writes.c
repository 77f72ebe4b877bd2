/* Events that come together on connections that idle are one submission: a real server on a
 * real log, whose submissions can be held. */
#include "live.h"

#include "reactor.h"
#include "store/command.h"
#include "writes.h"

#include <pthread.h>
#include <semaphore.h>

#define CONNECTIONS 7 /* the first of them is held while the others send */
#define THREADS 16
#define ROUNDS_MAX 200

static const char person[] = "0190a1b2-0000-7000-8000-000000000001";

static struct {
    struct live live;
    int fds[CONNECTIONS];
    atomic_bool holds; /* the next submission, */
    atomic_bool held;  /* which has come, */
    sem_t released;    /* and waits for this */
    atomic_size_t
        too_many;       /* so many commands at once are refused: DBK_BUSY; 0: none */
    atomic_int failure; /* what the next one fails with; DBK_OK: nothing */
    atomic_size_t most; /* commands in one submission, since it was 0 */
    atomic_uint keyed;  /* submissions with a key */
} seen;

enum dbk_code __real_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *idempotency,
                                    bool *replayed, struct dbk_error *err);
enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *idempotency,
                                    bool *replayed, struct dbk_error *err);
void __wrap_reactor_look(struct reactor *reactor);

enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *idempotency,
                                    bool *replayed, struct dbk_error *err)
{
    int failure = atomic_exchange(&seen.failure, DBK_OK);
    size_t too_many = atomic_load(&seen.too_many);

    if (atomic_exchange(&seen.holds, false)) {
        atomic_store(&seen.held, true);
        sem_wait(&seen.released);
    }
    if (count > atomic_load(&seen.most))
        atomic_store(&seen.most, count);
    atomic_fetch_add(&seen.keyed, idempotency != NULL);
    if (failure != DBK_OK)
        return dbk_fail(err, (enum dbk_code)failure, "as the test says");
    if (too_many > 0 && count >= too_many)
        return dbk_fail(err, DBK_BUSY, "too many, says the test");
    return __real_dbk_log_submit(log, commands, count, idempotency, replayed, err);
}

/* Nobody else leads, however long one is held. */
void __wrap_reactor_look(struct reactor *reactor)
{
    (void)reactor;
}

static void event_body(char out[300], const char *id, const char *whose, const char *x)
{
    char member[80] = "";

    if (*id)
        snprintf(member, sizeof member, "\"id\":\"%s\",", id);
    snprintf(
        out, 300,
        "{%s\"event_type\":\"a\",\"person_id\":\"%s\",\"properties\":{\"x\":\"%s\"}}",
        member, whose, x);
}

static void say_text(int fd, const char *text)
{
    assert_true(live_send(fd, text, strlen(text)));
}

static void request_text(char out[1000], const char *version, const char *headers,
                         const char *body)
{
    snprintf(out, 1000,
             "POST /events HTTP/%s\r\nHost: localhost\r\nContent-Type: application/json"
             "\r\n%sContent-Length: %zu\r\n\r\n%s",
             version, headers, strlen(body), body);
}

static void say(int fd, const char *headers, const char *body)
{
    char text[1000];

    request_text(text, "1.1", headers, body);
    say_text(fd, text);
}

static void say_event(int fd, const char *x)
{
    char body[300];

    event_body(body, "", person, x);
    say(fd, "", body);
}

static void hear(int fd, int status, const char *saying)
{
    struct heard heard = live_hear(fd, false);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

static uint64_t head(void)
{
    struct dbk_error err;
    uint64_t head;

    assert_int_equal(dbk_log_head(seen.live.log, &head, &err), DBK_OK);
    return head;
}

/* Its next request is answered by who leads, once it idles. */
static int connect_lent(void)
{
    int fd = live_connect(&seen.live);

    say_event(fd, "first");
    hear(fd, 201, "\"first\"");
    usleep(20000);
    return fd;
}

static int start(void **state)
{
    struct dbk_server_options options = live_options(&seen.live);
    struct dbk_error err = {0};
    struct heard heard;
    char body[300];

    (void)state;
    scratch_dir_make(seen.live.dir);
    sem_init(&seen.released, 0, 0);
    options.threads = THREADS;
    if (dbk_log_open(seen.live.dir, NULL, &seen.live.log, &err) != DBK_OK ||
        dbk_server_start(seen.live.log, NULL, NULL, &options, &seen.live.server,
                         &err) != DBK_OK)
        fail_msg("%s", err.text);
    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"email\":\"kate@marauders.mock\",\"first_name\":\"Kate\","
             "\"last_name\":\"Pryde\"}",
             person);
    heard = live_ask(&seen.live, "POST", "/persons", "", body);
    assert_heard(&heard, 201, person);
    heard_free(&heard);
    for (size_t i = 0; i < CONNECTIONS; i++)
        seen.fds[i] = connect_lent();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sem_post(&seen.released); /* where a test has failed before it did */
    for (size_t i = 0; i < CONNECTIONS; i++)
        close(seen.fds[i]);
    if (seen.live.server)
        dbk_server_stop(seen.live.server, 2000);
    dbk_log_close(seen.live.log);
    scratch_dir_remove(seen.live.dir);
    sem_destroy(&seen.released);
    memset(&seen, 0, sizeof seen);
    return 0;
}

/* The first connection's event waits for the disk, until it is let go. */
static void hold(void)
{
    atomic_store(&seen.held, false);
    atomic_store(&seen.holds, true);
    say_event(seen.fds[0], "held");
    for (int waited = 0; !atomic_load(&seen.held) && waited < PATIENCE_MS; waited++)
        usleep(1000);
    assert_true(atomic_load(&seen.held));
    atomic_store(&seen.most, 0);
}

static void let_go(void)
{
    sem_post(&seen.released);
    hear(seen.fds[0], 201, "\"held\"");
}

/* Where a thread was late to idle, its connection is not among them: then again. */
static void send_until_together(size_t wanted, void (*send)(unsigned round),
                                void (*listen)(unsigned round))
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        hold();
        send(round);
        let_go();
        listen(round);
        if (atomic_load(&seen.most) >= wanted)
            return;
        usleep(10000);
    }
    fail_msg("never %zu together", wanted);
}

static void round_id(unsigned round, char id[40])
{
    snprintf(id, 40, "0190a1b2-0000-7000-8000-%012u", 1000 + round);
}

static void send_of_all_kinds(unsigned round)
{
    char body[300], id[40];

    round_id(round, id);
    say_event(seen.fds[1], "one");
    event_body(body, "", "0190a1b2-0000-7000-8000-00000000dead", "nobody");
    say(seen.fds[2], "", body);
    say(seen.fds[3], "", "{\"event_type\":");
    event_body(body, id, person, "with an id");
    say(seen.fds[4], "", body);
    say(seen.fds[5], "", body);
    event_body(body, id, person, "another");
    say(seen.fds[6], "", body);
}

/* Of those with one id any may be the first. */
static void hear_of_all_kinds(unsigned round)
{
    unsigned made = 0, known = 0, refused = 0;

    (void)round;
    hear(seen.fds[1], 201, "\"one\"");
    hear(seen.fds[2], 404, "no person");
    hear(seen.fds[3], 400, "ends too early");
    for (size_t i = 4; i < 7; i++) {
        struct heard heard = live_hear(seen.fds[i], false);

        made += heard.status == 201;
        known += heard.status == 200;
        refused += heard.status == 409;
        heard_free(&heard);
    }
    assert_int_equal(made, 1);
    assert_int_equal(known + refused, 2);
    assert_true(refused >= 1);
}

static void each_of_those_that_come_together_gets_its_own_verdict(void **state)
{
    uint64_t before = head();

    (void)state;
    /* All but the one whose JSON is broken, which asks the log nothing. */
    send_until_together(CONNECTIONS - 2, send_of_all_kinds, hear_of_all_kinds);
    assert_true(head() >= before + 3); /* the one held, the good one, one of the id */
}

static size_t gone_to; /* how far the log was when they had gone */

static void send_and_leave(unsigned round)
{
    (void)round;
    for (size_t i = 1; i < CONNECTIONS; i++)
        say_event(seen.fds[i], "leaves");
    gone_to = head();
    for (size_t i = 1; i < CONNECTIONS; i += 2) {
        close(seen.fds[i]);
        seen.fds[i] = -1;
    }
}

static void hear_those_that_stayed(unsigned round)
{
    (void)round;
    for (size_t i = 1; i < CONNECTIONS; i++) {
        if (seen.fds[i] >= 0)
            hear(seen.fds[i], 201, "\"leaves\"");
        else
            seen.fds[i] = connect_lent();
    }
    /* What was sent is written, whoever listens: the one held, theirs, the first ones. */
    assert_true(head() >= gone_to + CONNECTIONS + CONNECTIONS / 2);
}

static void a_client_that_goes_costs_the_others_nothing(void **state)
{
    (void)state;
    send_until_together(CONNECTIONS - 1, send_and_leave, hear_those_that_stayed);
}

/* The one that all others are in fails, or where they are several the first. */
static void fail_together(enum dbk_code code, int status, const char *saying)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        unsigned failed = 0;

        hold();
        atomic_store(&seen.failure, (int)code);
        for (size_t i = 1; i < CONNECTIONS; i++)
            say_event(seen.fds[i], "fails");
        let_go();
        for (size_t i = 1; i < CONNECTIONS; i++) {
            struct heard heard = live_hear(seen.fds[i], false);

            if (heard.status == status && strstr(heard.text, saying))
                failed++;
            else
                assert_heard(&heard, 201, "\"fails\"");
            heard_free(&heard);
        }
        assert_true(failed > 0);
        if (failed == CONNECTIONS - 1)
            return;
        usleep(10000);
    }
    fail_msg("never all");
}

static void where_it_fails_all_are_told_and_go_on(void **state)
{
    (void)state;
    fail_together(DBK_NO_ROOM, 503, "disk is full");
    fail_together(DBK_IN_DOUBT, 503, "\"data\":null");
    fail_together(DBK_NOT_LEADER, 503, "several copies");
    for (size_t i = 0; i < CONNECTIONS; i++) {
        say_event(seen.fds[i], "again");
        hear(seen.fds[i], 201, "\"again\"");
    }
}

static void send_to_a_full_queue(unsigned round)
{
    (void)round;
    atomic_store(&seen.too_many, 2);
    for (size_t i = 1; i < CONNECTIONS; i++)
        say_event(seen.fds[i], "fits");
}

static void hear_that_each_fits(unsigned round)
{
    (void)round;
    for (size_t i = 1; i < CONNECTIONS; i++)
        hear(seen.fds[i], 201, "\"fits\"");
    atomic_store(&seen.too_many, 0);
}

/* All at once are more than may wait for the log, and each alone is not. */
static void what_has_no_room_together_is_written_in_parts(void **state)
{
    (void)state;
    send_until_together(CONNECTIONS - 1, send_to_a_full_queue, hear_that_each_fits);
}

static void send_where_there_is_no_room(unsigned round)
{
    (void)round;
    atomic_store(&seen.too_many, 1);
    for (size_t i = 1; i < CONNECTIONS; i++)
        say_event(seen.fds[i], "waits");
}

static void hear_that_none_fits(unsigned round)
{
    (void)round;
    for (size_t i = 1; i < CONNECTIONS; i++)
        hear(seen.fds[i], 503, "Retry-After: ");
    atomic_store(&seen.too_many, 0);
}

static void where_none_has_room_all_are_told(void **state)
{
    (void)state;
    send_until_together(CONNECTIONS - 1, send_where_there_is_no_room,
                        hear_that_none_fits);
}

static void *stop_server(void *server)
{
    dbk_server_stop(server, PATIENCE_MS);
    return NULL;
}

/* What was accepted is written, answered, and its connection ended; then there is no more. */
static void those_under_way_are_answered_when_it_stops(void **state)
{
    struct dbk_server *server = seen.live.server;
    pthread_t stopper;
    uint64_t before = head();
    struct heard heard;
    char value[256];

    (void)state;
    hold();
    pthread_create(&stopper, NULL, stop_server, server);
    for (;;) { /* until it refuses */
        heard = live_ask(&seen.live, "GET", "/log", "", NULL);
        if (heard.status == 503)
            break;
        heard_free(&heard);
        usleep(1000);
    }
    heard_free(&heard);
    say_event(seen.fds[1], "late");
    sem_post(&seen.released);
    heard = live_hear(seen.fds[0], false);
    assert_heard(&heard, 201, "\"held\"");
    assert_string_equal(heard_header(&heard, "Connection", value), "close");
    heard_free(&heard);
    assert_true(live_ends(seen.fds[0]));
    heard = live_hear(seen.fds[1], false);
    assert_true(heard.status == 503 || heard.status == 0);
    heard_free(&heard);
    pthread_join(stopper, NULL);
    seen.live.server = NULL;
    assert_int_equal(head(), before + 1);
}

static void who_asks_first_is_told_to_go_on(void **state)
{
    char text[1000], *body;

    (void)state;
    event_body(text, "", person, "asks");
    body = strdup(text);
    request_text(text, "1.1", "Expect: 100-continue\r\n", body);
    text[strlen(text) - strlen(body)] = '\0';
    say_text(seen.fds[0], text);
    {
        char told[64] = "";
        struct pollfd ready = {.fd = seen.fds[0], .events = POLLIN};

        assert_true(poll(&ready, 1, PATIENCE_MS) > 0);
        assert_true(recv(seen.fds[0], told, sizeof told - 1, 0) > 0);
        assert_string_equal(told, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    say_text(seen.fds[0], body);
    free(body);
    hear(seen.fds[0], 201, "\"asks\"");
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
        say_text(seen.fds[i], part);
        usleep(20000);
        say_text(seen.fds[i], text + cuts[i]);
        hear(seen.fds[i], 201, "\"pieces\"");
        say_event(seen.fds[i], "whole");
        hear(seen.fds[i], 201, "\"whole\"");
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
    say_text(seen.fds[0], both);
    do {
        struct pollfd ready = {.fd = seen.fds[0], .events = POLLIN};
        ssize_t got;

        assert_true(poll(&ready, 1, PATIENCE_MS) > 0);
        got = recv(seen.fds[0], told + length, sizeof told - 1 - length, 0);
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
    say(seen.fds[0], "Connection: close\r\n", body);
    hear(seen.fds[0], 201, "Connection: close\r\n");
    assert_true(live_ends(seen.fds[0]));
    request_text(text, "1.0", "", body);
    say_text(seen.fds[1], text);
    hear(seen.fds[1], 201, "Connection: close\r\n");
    assert_true(live_ends(seen.fds[1]));
    request_text(text, "1.0", "Connection: keep-alive\r\n", body);
    say_text(seen.fds[2], text);
    hear(seen.fds[2], 201, "Connection: keep-alive\r\n");
    say_event(seen.fds[2], "goes on");
    hear(seen.fds[2], 201, "\"goes on\"");
    /* What it announces twice nobody can tell the end of. */
    snprintf(text, sizeof text, "Content-Length: %zu\r\n", strlen(body));
    say(seen.fds[3], text, body);
    hear(seen.fds[3], 400, "more than once");
    assert_true(live_ends(seen.fds[3]));
}

/* Reads between writes are not lent with them: none waits for the others' commit. */
static void one_that_reads_between_waits_for_no_commit(void **state)
{
    char id[40], body[300], text[400];
    int fd = live_connect(&seen.live);

    (void)state;
    round_id(0, id);
    event_body(body, id, person, "read");
    snprintf(text, sizeof text, "GET /events/%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
             id);
    say(fd, "", body);
    hear(fd, 201, "\"read\"");
    for (unsigned round = 0; round < 3; round++) {
        say_text(fd, text);
        hear(fd, 200, "\"read\"");
        say_event(fd, "between");
        hear(fd, 201, "\"between\"");
        usleep(20000);
        hold();
        say_text(fd, text);
        hear(fd, 200, "\"read\"");
        let_go();
        say_event(fd, "between");
        hear(fd, 201, "\"between\"");
    }
    close(fd);
}

/* With a key it is a submission of its own, whose second time is told as the first. */
static void one_with_a_key_is_submitted_alone(void **state)
{
    char body[300], value[256];
    struct heard heard;
    uint64_t before = head();

    (void)state;
    event_body(body, "", person, "keyed");
    for (unsigned i = 0; i < 2; i++) {
        say(seen.fds[i], "Idempotency-Key: k\r\n", body);
        heard = live_hear(seen.fds[i], false);
        assert_heard(&heard, 201, "\"keyed\"");
        assert_string_equal(heard_header(&heard, "Idempotency-Replayed", value),
                            i == 0 ? "" : "true");
        heard_free(&heard);
    }
    assert_int_equal(atomic_load(&seen.keyed), 2);
    assert_int_equal(head(), before + 1);
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

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_of_a_head),
        cmocka_unit_test(what_they_said_is_wiped_when_they_are_answered),
        LIVE(each_of_those_that_come_together_gets_its_own_verdict),
        LIVE(a_client_that_goes_costs_the_others_nothing),
        LIVE(where_it_fails_all_are_told_and_go_on),
        LIVE(what_has_no_room_together_is_written_in_parts),
        LIVE(where_none_has_room_all_are_told),
        LIVE(those_under_way_are_answered_when_it_stops),
        LIVE(who_asks_first_is_told_to_go_on),
        LIVE(a_body_that_comes_later_is_waited_for),
        LIVE(a_pipeline_is_answered_in_order),
        LIVE(the_connection_ends_as_the_client_says),
        LIVE(one_with_a_key_is_submitted_alone),
        LIVE(one_that_reads_between_waits_for_no_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
