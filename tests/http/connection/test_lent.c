/* Connections that idle, and are answered by few threads: a real server on a real log. */
#include "live.h"

#include "quick.h"
#include "store/clock.h"
#include "worker.h"

#include <pthread.h>

#define CONNECTIONS 6
#define ROUNDS_MAX 1000
#define THREADS 16
#define HAMMERED 100
#define LARGE (60 << 10)
#define PILE_MAX 2000
#define AHEAD 3

static const char person[] = "0190a1b2-0000-7000-8000-000000000001";

static struct {
    struct live live;
    pthread_mutex_t mutex;
    size_t count;   /* requests that were answered, */
    pthread_t by;   /* the last one by this thread, */
    size_t running; /* so many by the same as the one before it, */
    char remote[64];
} seen = {.mutex = PTHREAD_MUTEX_INITIALIZER};

bool __real_quick_was(const struct worker *worker);
bool __wrap_quick_was(const struct worker *worker);

/* What waits for nothing is quick, however slow or busy the machine is. */
bool __wrap_quick_was(const struct worker *worker)
{
    ((struct worker *)worker)->request.began = dbk_clock_us();
    return __real_quick_was(worker);
}

static void on_access(void *context, const struct dbk_access *entry)
{
    (void)context;
    pthread_mutex_lock(&seen.mutex);
    seen.running += seen.count > 0 && pthread_equal(seen.by, pthread_self());
    seen.by = pthread_self();
    seen.count++;
    snprintf(seen.remote, sizeof seen.remote, "%s", entry->remote);
    pthread_mutex_unlock(&seen.mutex);
}

static size_t answered(void)
{
    size_t count;

    pthread_mutex_lock(&seen.mutex);
    count = seen.count;
    pthread_mutex_unlock(&seen.mutex);
    return count;
}

static size_t answered_running(void)
{
    size_t running;

    pthread_mutex_lock(&seen.mutex);
    running = seen.running;
    pthread_mutex_unlock(&seen.mutex);
    return running;
}

/* An answer is told after it is sent. */
static void await_answered(size_t count)
{
    for (int waited = 0; answered() < count && waited < PATIENCE_MS; waited++)
        usleep(1000);
    assert_true(answered() >= count);
}

static void event_id(unsigned number, char id[40])
{
    snprintf(id, 40, "0190a1b2-0000-7000-8000-%012u", 1000 + number);
}

static void make_event(unsigned number, size_t large)
{
    char id[40], path[64], *body = malloc(large + 300);
    struct heard heard;

    event_id(number, id);
    snprintf(path, sizeof path, "/events/%s", id);
    snprintf(body, 300,
             "{\"event_type\":\"a\",\"person_id\":\"%s\",\"properties\":{\"x\":\"",
             person);
    size_t length = strlen(body);
    memset(body + length, '#', large);
    strcpy(body + length + large, "~\"}}");
    heard = live_ask(&seen.live, "POST", path, "", body);
    assert_heard(&heard, 201, id);
    heard_free(&heard);
    free(body);
}

static int start(void **state)
{
    struct dbk_server_options options = live_options(&seen.live);

    (void)state;
    options.access = on_access;
    options.threads = THREADS;
    live_open(&seen.live, &options, NULL, NULL);
    live_add_person(&seen.live, person);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        make_event(i, 10);
    make_event(CONNECTIONS, LARGE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dbk_server_stop(seen.live.server, 2000);
    dbk_log_close(seen.live.log);
    scratch_dir_remove(seen.live.dir);
    return 0;
}

static void say_get(int fd, unsigned number, const char *headers)
{
    char id[40], head[400];

    event_id(number, id);
    snprintf(head, sizeof head, "GET /events/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
             id, headers);
    assert_true(live_send(fd, head, strlen(head)));
}

static void hear_event(int fd, unsigned number)
{
    struct heard heard = live_hear(fd, false);
    char id[40], begins[80];

    event_id(number, id);
    snprintf(begins, sizeof begins, "{\"data\":{\"id\":\"%s\"", id);
    assert_heard(&heard, 200, begins);
    heard_free(&heard);
}

static void get(int fd, unsigned number)
{
    size_t before = answered();

    say_get(fd, number, "");
    hear_event(fd, number);
    await_answered(before + 1);
}

static void connect_all(int fds[CONNECTIONS])
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        fds[i] = live_connect(&seen.live);
        get(fds[i], i);
    }
    usleep(50000); /* the last one has come to rest, too */
}

static void close_all(int fds[CONNECTIONS])
{
    for (unsigned i = 0; i < CONNECTIONS; i++)
        close(fds[i]);
}

/* Each connection has a thread, so that one answers twice running only for another. A thread
 * that is late to idle answers what comes on its connection by then. */
static void those_that_idle_are_answered_by_one_thread(void **state)
{
    int fds[CONNECTIONS];
    size_t before;

    (void)state;
    connect_all(fds);
    before = answered_running();
    for (unsigned round = 0; round < ROUNDS_MAX && answered_running() == before;
         round++) {
        for (unsigned i = 0; i < CONNECTIONS; i++)
            get(fds[i], (i + round) % CONNECTIONS);
    }
    assert_true(answered_running() > before);
    assert_string_equal(seen.remote, "127.0.0.1");
    close_all(fds);
}

/* Whoever leads may be the next to go. */
static void when_one_leaves_the_others_are_answered(void **state)
{
    int fds[CONNECTIONS];

    (void)state;
    connect_all(fds);
    for (unsigned gone = 0; gone < CONNECTIONS; gone++) {
        for (unsigned i = gone; i < CONNECTIONS; i++)
            get(fds[i], i);
        close(fds[gone]);
    }
}

/* Its first request takes longer, for it is looked up whose it is. */
static int connect_lent(void)
{
    int fd = live_connect(&seen.live);

    for (unsigned i = 0; i < CONNECTIONS; i++)
        get(fd, i);
    usleep(50000);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_true(live_send(fd, text, strlen(text)));
}

static void hear(int fd, int status, const char *saying)
{
    struct heard heard = live_hear(fd, false);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

/* As many answers as end so, and no more, have come together. */
static void hear_together(int fd, unsigned count)
{
    static const char end[] = "}}";
    char text[8192] = "";
    size_t length = 0;

    for (unsigned found = 0; found < count;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        const char *at = text;

        assert_true(poll(&ready, 1, PATIENCE_MS) > 0);
        ssize_t got = recv(fd, text + length, sizeof text - 1 - length, 0);
        assert_true(got > 0);
        length += (size_t)got;
        text[length] = '\0';
        for (found = 0; (at = strstr(at, "\"status\":200}}")); at++)
            found++;
    }
    assert_string_equal(text + length - strlen(end), end);
}

static void whatever_else_comes_its_own_thread_answers(void **state)
{
    char body[300], head[600], id[40];
    int fds[CONNECTIONS];

    (void)state;
    connect_all(fds);
    event_id(0, id);
    /* In pieces. */
    snprintf(head, sizeof head, "GET /events/%s HTTP/1.1\r\nHo", id);
    say(fds[0], head);
    usleep(20000);
    say(fds[0], "st: localhost\r\n\r\n");
    hear_event(fds[0], 0);
    /* Two at once. */
    snprintf(head, sizeof head,
             "GET /events/%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
             "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
             id);
    say(fds[1], head);
    hear_together(fds[1], 2);
    get(fds[1], 1);
    /* With a body, and for the disk. */
    snprintf(body, sizeof body, "{\"event_type\":\"b\",\"person_id\":\"%s\"}", person);
    snprintf(
        head, sizeof head,
        "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
        "\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(body), body);
    say(fds[2], head);
    hear(fds[2], 201, "\"event_type\":\"b\"");
    get(fds[2], 2);
    /* What is waited for. */
    say_get(fds[3], 3, "daybook-sequence: 1\r\n");
    hear_event(fds[3], 3);
    get(fds[3], 3);
    /* What ends the connection. */
    say_get(fds[4], 4, "Connection: close\r\n");
    hear_event(fds[4], 4);
    assert_true(live_ends(fds[4]));
    say(fds[5], "GET /events/\001 HTTP/1.1\r\n\r\n");
    hear(fds[5], 400, "control character");
    assert_true(live_ends(fds[5]));
    /* With a body that is late: it is dropped, for a reset would cost the answer. */
    close(fds[5]);
    fds[5] = connect_lent();
    say_get(fds[5], 5, "Content-Length: 3\r\n");
    hear_event(fds[5], 5);
    say(fds[5], "a");
    usleep(50000);
    say(fds[5], "b");
    assert_true(live_ends(fds[5]));
    /* What ends it for what it is, with more behind. */
    close(fds[5]);
    fds[5] = connect_lent();
    snprintf(head, sizeof head, "GET /events/%s HTTP/1.1\r\n\r\n", id);
    say(fds[5], head);
    hear(fds[5], 400, "Host");
    say(fds[5], head);
    usleep(50000);
    say(fds[5], head);
    assert_true(live_ends(fds[5]));
    /* What is not there. */
    snprintf(head, sizeof head, "GET /events/%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
             person);
    say(fds[0], head);
    hear(fds[0], 404, "no event");
    get(fds[0], 0);
    close_all(fds);
}

/* All bytes of so many answers with the large event. */
static void hear_large(int fd, unsigned count)
{
    static char part[1 << 16];
    size_t large = 0;
    unsigned answers = 0;

    while (answers < count || large < (size_t)count * LARGE) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        assert_true(poll(&ready, 1, PATIENCE_MS) > 0);
        ssize_t got = recv(fd, part, sizeof part, 0);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++) {
            large += part[i] == '#';
            answers += part[i] == '~'; /* at the end of each */
        }
    }
    assert_int_equal(answers, count);
    assert_int_equal(large, (size_t)count * LARGE);
}

/* What its socket does not take waits for it, and for nobody else. */
static void a_client_that_does_not_read_holds_up_nobody(void **state)
{
    int fds[CONNECTIONS], slow = live_connect(&seen.live);
    unsigned asked = 0;
    bool taken = true;

    (void)state;
    connect_all(fds);
    while (taken && asked < PILE_MAX) {
        size_t before = answered();

        say_get(slow, CONNECTIONS, "");
        asked++;
        for (int waited = 0; answered() == before && waited < 200; waited++)
            usleep(1000);
        taken = answered() > before;
        for (unsigned i = 0; i < CONNECTIONS; i += 3)
            get(fds[i], i);
    }
    assert_false(taken); /* its answers have piled up */
    hear_large(slow, asked);
    get(slow, 1);
    close(slow);
    close_all(fds);
}

static void *hammer(void *argument)
{
    const unsigned own = *(const unsigned *)argument;
    int fd = live_connect(&seen.live);

    for (unsigned i = 0; i < HAMMERED; i++) {
        unsigned number = (own + i) % CONNECTIONS;

        say_get(fd, number, i % 10 ? "" : "Daybook-Sequence: 1\r\n");
        hear_event(fd, number);
    }
    close(fd);
    return NULL;
}

static void each_client_hears_the_answer_to_its_own_question(void **state)
{
    pthread_t threads[THREADS - 4];
    unsigned own[THREADS - 4];

    (void)state;
    for (unsigned i = 0; i < THREADS - 4; i++) {
        own[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &own[i]), 0);
    }
    for (unsigned i = 0; i < THREADS - 4; i++)
        pthread_join(threads[i], NULL);
}

static void *stop_slowly(void *argument)
{
    (void)argument;
    dbk_server_stop(seen.live.server, PATIENCE_MS);
    return NULL;
}

static bool is_answered(int fd, unsigned number)
{
    size_t before = answered();

    say_get(fd, number, "");
    for (int waited = 0; answered() == before && waited < 200; waited++)
        usleep(1000);
    return answered() > before;
}

/* How many answers with the event come, and whether the last one is whole. */
static unsigned hear_to_end(int fd, bool *whole)
{
    static char part[1 << 16];
    unsigned answers = 0;
    ssize_t got;

    *whole = false;
    while ((got = recv(fd, part, sizeof part, 0)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            answers += part[i] == '~';
        *whole = part[got - 1] == '}';
        usleep(5000); /* no faster than it is sent */
    }
    return answers;
}

/* The last one that was answered is on its way for longer than connections are waited for.
 * A small one in between, for what it was asked of last has its connection lent. */
static void a_server_that_stops_waits_for_what_is_not_taken_yet(void **state)
{
    int slow = live_connect(&seen.live);
    unsigned asked = 0;
    pthread_t stops;
    bool whole;

    get(slow, 1);
    do {
        usleep(2000);
        asked++;
    } while (asked < PILE_MAX && is_answered(slow, asked % 2 ? CONNECTIONS : 1));
    for (unsigned i = 0; i < AHEAD; i++) /* so that some are not read when it stops */
        say_get(slow, 1, "");
    assert_int_equal(pthread_create(&stops, NULL, stop_slowly, NULL), 0);
    usleep(1500000);
    assert_true(hear_to_end(slow, &whole) >= asked - 1);
    close(slow);
    pthread_join(stops, NULL);
    assert_true(whole);
    dbk_log_close(seen.live.log);
    scratch_dir_remove(seen.live.dir);
    memset(&seen.live, 0, sizeof seen.live);
    start(state);
}

static void a_server_stops_while_connections_are_lent(void **state)
{
    int fds[CONNECTIONS];

    connect_all(fds);
    tear_down(state);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        assert_true(live_ends(fds[i]));
    close_all(fds);
    memset(&seen.live, 0, sizeof seen.live);
    start(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_idle_are_answered_by_one_thread),
        cmocka_unit_test(when_one_leaves_the_others_are_answered),
        cmocka_unit_test(whatever_else_comes_its_own_thread_answers),
        cmocka_unit_test(a_client_that_does_not_read_holds_up_nobody),
        cmocka_unit_test(each_client_hears_the_answer_to_its_own_question),
        cmocka_unit_test(a_server_that_stops_waits_for_what_is_not_taken_yet),
        cmocka_unit_test(a_server_stops_while_connections_are_lent),
    };

    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
