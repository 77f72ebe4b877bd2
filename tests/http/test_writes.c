/* Events that come together on connections that idle are one submission, which can be held:
 * the first connection's is, while the others send. */
#include "lent.h"

#include "store/command.h"

#include <pthread.h>
#include <semaphore.h>

#define ROUNDS_MAX 200

static struct {
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

static int start(void **state)
{
    sem_init(&seen.released, 0, 0);
    return lent_start(state);
}

static int tear_down(void **state)
{
    sem_post(&seen.released); /* where a test has failed before it did */
    lent_stop(state);
    sem_destroy(&seen.released);
    memset(&seen, 0, sizeof seen);
    return 0;
}

/* The first connection's event waits for the disk, until it is let go. */
static void hold(void)
{
    atomic_store(&seen.held, false);
    atomic_store(&seen.holds, true);
    say_event(lent.fds[0], "held");
    for (int waited = 0; !atomic_load(&seen.held) && waited < PATIENCE_MS; waited++)
        usleep(1000);
    assert_true(atomic_load(&seen.held));
    atomic_store(&seen.most, 0);
}

static void let_go(void)
{
    sem_post(&seen.released);
    hear(lent.fds[0], 201, "\"held\"");
}

/* Where a thread was late to idle, its connection is not among them: then again, after a pause
 * that grows, for on a busy machine they take longer. */
static void pause_after(unsigned round)
{
    usleep(10000 + 1000 * round);
}

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
        pause_after(round);
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
    say_event(lent.fds[1], "one");
    event_body(body, "", "0190a1b2-0000-7000-8000-00000000dead", "nobody");
    say(lent.fds[2], "", body);
    say(lent.fds[3], "", "{\"event_type\":");
    event_body(body, id, person, "with an id");
    say(lent.fds[4], "", body);
    say(lent.fds[5], "", body);
    event_body(body, id, person, "another");
    say(lent.fds[6], "", body);
}

/* Of those with one id any may be the first. */
static void hear_of_all_kinds(unsigned round)
{
    unsigned made = 0, known = 0, refused = 0;

    (void)round;
    hear(lent.fds[1], 201, "\"one\"");
    hear(lent.fds[2], 404, "no person");
    hear(lent.fds[3], 400, "ends too early");
    for (size_t i = 4; i < 7; i++) {
        struct heard heard = live_hear(lent.fds[i], false);

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
        say_event(lent.fds[i], "leaves");
    gone_to = head();
    for (size_t i = 1; i < CONNECTIONS; i += 2) {
        close(lent.fds[i]);
        lent.fds[i] = -1;
    }
}

static void hear_those_that_stayed(unsigned round)
{
    (void)round;
    for (size_t i = 1; i < CONNECTIONS; i++) {
        if (lent.fds[i] >= 0)
            hear(lent.fds[i], 201, "\"leaves\"");
        else
            lent.fds[i] = connect_lent();
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
            say_event(lent.fds[i], "fails");
        let_go();
        for (size_t i = 1; i < CONNECTIONS; i++) {
            struct heard heard = live_hear(lent.fds[i], false);

            if (heard.status == status && strstr(heard.text, saying))
                failed++;
            else
                assert_heard(&heard, 201, "\"fails\"");
            heard_free(&heard);
        }
        assert_true(failed > 0);
        if (failed == CONNECTIONS - 1)
            return;
        pause_after(round);
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
        say_event(lent.fds[i], "again");
        hear(lent.fds[i], 201, "\"again\"");
    }
}

static void send_to_a_full_queue(unsigned round)
{
    (void)round;
    atomic_store(&seen.too_many, 2);
    for (size_t i = 1; i < CONNECTIONS; i++)
        say_event(lent.fds[i], "fits");
}

static void hear_that_each_fits(unsigned round)
{
    (void)round;
    for (size_t i = 1; i < CONNECTIONS; i++)
        hear(lent.fds[i], 201, "\"fits\"");
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
        say_event(lent.fds[i], "waits");
}

static void hear_that_none_fits(unsigned round)
{
    (void)round;
    for (size_t i = 1; i < CONNECTIONS; i++)
        hear(lent.fds[i], 503, "Retry-After: ");
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
    struct dbk_server *server = lent.live.server;
    pthread_t stopper;
    uint64_t before = head();
    struct heard heard;
    char value[256];

    (void)state;
    hold();
    pthread_create(&stopper, NULL, stop_server, server);
    for (;;) { /* until it refuses */
        heard = live_ask(&lent.live, "GET", "/log", "", NULL);
        if (heard.status == 503)
            break;
        heard_free(&heard);
        usleep(1000);
    }
    heard_free(&heard);
    say_event(lent.fds[1], "late");
    sem_post(&seen.released);
    heard = live_hear(lent.fds[0], false);
    assert_heard(&heard, 201, "\"held\"");
    assert_string_equal(heard_header(&heard, "Connection", value), "close");
    heard_free(&heard);
    assert_true(live_ends(lent.fds[0]));
    heard = live_hear(lent.fds[1], false);
    assert_true(heard.status == 503 || heard.status == 0);
    heard_free(&heard);
    pthread_join(stopper, NULL);
    lent.live.server = NULL;
    assert_int_equal(head(), before + 1);
}

/* Reads between writes are not lent with them: none waits for the others' commit. */
static void one_that_reads_between_waits_for_no_commit(void **state)
{
    char id[40], body[300], text[400];
    int fd = live_connect(&lent.live);

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
        say(lent.fds[i], "Idempotency-Key: k\r\n", body);
        heard = live_hear(lent.fds[i], false);
        assert_heard(&heard, 201, "\"keyed\"");
        assert_string_equal(heard_header(&heard, "Idempotency-Replayed", value),
                            i == 0 ? "" : "true");
        heard_free(&heard);
    }
    assert_int_equal(atomic_load(&seen.keyed), 2);
    assert_int_equal(head(), before + 1);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(each_of_those_that_come_together_gets_its_own_verdict),
        LIVE(a_client_that_goes_costs_the_others_nothing),
        LIVE(where_it_fails_all_are_told_and_go_on),
        LIVE(what_has_no_room_together_is_written_in_parts),
        LIVE(where_none_has_room_all_are_told),
        LIVE(those_under_way_are_answered_when_it_stops),
        LIVE(one_with_a_key_is_submitted_alone),
        LIVE(one_that_reads_between_waits_for_no_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
