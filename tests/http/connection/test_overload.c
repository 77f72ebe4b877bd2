/* Real sockets, and a clock of the test's own. */
#include "overload.h"

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define VISITORS 8
#define A "127.0.0.1"
#define B "127.0.0.2"

struct place {
    int listener, port;
    struct overload *overload;
    struct parked *parked; /* passed over; NULL: none */
    unsigned count;
    int there[VISITORS], here[VISITORS]; /* the two ends, in the order they came */
    uint16_t from[VISITORS];
};

static int open_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    assert_non_null(place);
    place->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(place->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(place->listener, VISITORS), 0);
    getsockname(place->listener, (struct sockaddr *)&at, &(socklen_t){sizeof at});
    place->port = ntohs(at.sin_port);
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;

    for (unsigned i = 0; i < place->count; i++) {
        close(place->there[i]);
        close(place->here[i]);
    }
    close(place->listener);
    overload_destroy(place->overload);
    free(place);
    return 0;
}

static void visit(struct place *place, const char *address)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)place->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    place->there[place->count] = fd;
    place->here[place->count] =
        accept(place->listener, (struct sockaddr *)&from, &(socklen_t){sizeof from});
    assert_true(place->here[place->count] >= 0);
    place->from[place->count++] = from.sin_port;
}

/* It has arrived when this returns. */
static void say(const struct place *place, unsigned who)
{
    struct pollfd ready = {.fd = place->here[who], .events = POLLIN};

    assert_int_equal(send(place->there[who], "G", 1, 0), 1);
    assert_int_equal(poll(&ready, 1, 60000), 1);
}

/* A letter each: who visits, in this order. */
static void visit_all(struct place *place, const char *who)
{
    for (; *who; who++)
        visit(place, *who == 'A' ? A : B);
}

static void open_overload(struct place *place, unsigned threads, unsigned queue,
                          unsigned bound)
{
    place->overload = overload_create(threads, queue, bound, place->parked);
    assert_non_null(place->overload);
}

static void decide(struct place *place, int64_t now)
{
    overload_decide(place->overload, now);
    overload_end(place->overload, place->port);
}

static void look(struct place *place, int64_t now)
{
    overload_look(place->overload, place->port, now);
}

/* A letter each: S, it stays; L, it leaves; X, it is cut off, and takes no answer. */
static void assert_left(const struct place *place, const char *expected)
{
    char found[VISITORS + 1] = "", byte;

    for (unsigned i = 0; i < place->count; i++) {
        bool reads = recv(place->here[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0;
        bool answered = send(place->here[i], "", 0, MSG_NOSIGNAL) == 0;
        found[i] = reads ? 'S' : answered ? 'L' : 'X';
    }
    assert_string_equal(found, expected);
}

static void assert_over(const struct place *place, const char *expected)
{
    char found[VISITORS + 1] = "";

    for (unsigned i = 0; i < place->count; i++)
        found[i] = overload_is_over(place->overload, place->here[i], place->from[i])
                       ? '+'
                       : '-';
    assert_string_equal(found, expected);
}

static void nobody_leaves_while_a_thread_is_free(void **state)
{
    struct place *place = *state;

    open_overload(place, 5, 8, 1);
    visit_all(place, "AAAAB");
    look(place, 0);
    decide(place, 0);
    look(place, 5000);
    decide(place, 5000);
    assert_left(place, "SSSSS");
    assert_over(place, "-----");
}

static void an_address_keeps_its_bound_while_another_waits(void **state)
{
    struct place *place = *state;

    open_overload(place, 3, 8, 2);
    visit_all(place, "AAABAB");
    look(place, 0);
    decide(place, 0);
    assert_left(place, "SSLSLS");
    assert_over(place, "--+-+-");
}

/* They have no thread, and wait for none. */
static void those_that_are_parked_are_none_of_them(void **state)
{
    struct place *place = *state;
    struct parked *parked = parked_create();

    assert_non_null(parked);
    place->parked = parked;
    open_overload(place, 3, 8, 2);
    visit_all(place, "AAAB");
    for (unsigned i = 0; i < 3; i++)
        assert_true(parked_add(parked, place->here[i]));
    for (int64_t now = 0; now <= 5000; now += 2500) {
        look(place, now);
        assert_false(overload_waits(place->overload));
        decide(place, now);
    }
    assert_left(place, "SSSS");
    for (unsigned i = 0; i < 3; i++)
        parked_remove(parked, place->here[i]);
    look(place, 10000);
    assert_true(overload_waits(place->overload));
    decide(place, 10000);
    assert_left(place, "SSLL"); /* one above the bound, and one that sends nothing */
    parked_destroy(parked);
}

static void an_address_has_all_while_nobody_else_waits(void **state)
{
    struct place *place = *state;

    open_overload(place, 3, 8, 2);
    visit_all(place, "AAAAAB");
    look(place, 0);
    overload_tell(place->overload, place->here[5], OVERLOAD_IDLE, 0);
    decide(place, 0);
    assert_left(place, "SSSSSS");
}

static void behind_a_full_queue_others_may_wait(void **state)
{
    struct place *place = *state;

    open_overload(place, 3, 2, 2);
    visit_all(place, "AAAA");
    look(place, 0);
    decide(place, 0);
    assert_left(place, "SSSS");
    visit_all(place, "A");
    look(place, 50);
    decide(place, 50);
    assert_left(place, "SSLLL");
}

static void without_a_bound_there_is_none(void **state)
{
    struct place *place = *state;

    open_overload(place, 3, 2, 0);
    visit_all(place, "AAAAB");
    look(place, 0);
    decide(place, 0);
    assert_left(place, "SSSSS");
}

static void newcomers_that_send_nothing_leave(void **state)
{
    struct place *place = *state;

    open_overload(place, 1, 8, 0);
    visit_all(place, "AAA");
    look(place, 0);
    decide(place, 0);
    look(place, OVERLOAD_QUIET_MS - 1);
    decide(place, OVERLOAD_QUIET_MS - 1);
    assert_left(place, "SSS");
    say(place, 1);
    visit_all(place, "A");
    look(place, OVERLOAD_QUIET_MS);
    decide(place, OVERLOAD_QUIET_MS);
    assert_left(place, "LSLS");
}

/* Its thread has read what it sent, and it sends no more. */
static void a_newcomer_that_goes_silent_leaves(void **state)
{
    struct place *place = *state;
    char byte;

    open_overload(place, 1, 8, 0);
    visit_all(place, "AA");
    say(place, 0);
    say(place, 1);
    look(place, 0);
    decide(place, 0);
    look(place, 5000);
    decide(place, 5000);
    assert_int_equal(recv(place->here[0], &byte, 1, 0), 1);
    look(place, 5500);
    decide(place, 5500);
    assert_left(place, "SS");
    look(place, 5000 + OVERLOAD_QUIET_MS);
    decide(place, 5000 + OVERLOAD_QUIET_MS);
    assert_left(place, "LS");
}

static void told(struct place *place, enum overload_state state, int64_t since,
                 int64_t now)
{
    look(place, now);
    for (unsigned i = 0; i < place->count - 1; i++)
        overload_tell(place->overload, place->here[i], state, since);
    decide(place, now);
}

static void of_those_above_the_bound_the_idle_leave(void **state)
{
    struct place *place = *state;

    open_overload(place, 2, 8, 1);
    visit_all(place, "AAB");
    told(place, OVERLOAD_IDLE, 0, 0);
    assert_left(place, "SLS");
}

static void a_request_above_the_bound_may_come_for_a_while(void **state)
{
    struct place *place = *state;

    open_overload(place, 2, 8, 1);
    visit_all(place, "AAB");
    told(place, OVERLOAD_READING, 0, OVERLOAD_BUSY_MS - 1);
    assert_left(place, "SSS");
    told(place, OVERLOAD_READING, 0, OVERLOAD_BUSY_MS);
    assert_left(place, "SLS");
}

static void an_answer_above_the_bound_may_go_for_a_while(void **state)
{
    struct place *place = *state;

    open_overload(place, 2, 8, 1);
    visit_all(place, "AAB");
    told(place, OVERLOAD_WRITING, 0, OVERLOAD_BUSY_MS - 1);
    assert_left(place, "SSS");
    told(place, OVERLOAD_WRITING, 0, OVERLOAD_BUSY_MS);
    assert_left(place, "SXS");
}

static void our_own_work_is_finished(void **state)
{
    struct place *place = *state;

    open_overload(place, 2, 8, 1);
    visit_all(place, "AAB");
    told(place, OVERLOAD_WORKING, 0, 10 * OVERLOAD_BUSY_MS);
    assert_left(place, "SSS");
    assert_over(place, "-+-");
}

/* Else each look would find others, and in the end all would leave. */
static void who_is_above_the_bound_stays_so(void **state)
{
    struct place *place = *state;

    open_overload(place, 2, 8, 1);
    visit_all(place, "BAA");
    look(place, 0);
    decide(place, 0);
    assert_over(place, "--+");
    look(place, 50);
    overload_tell(place->overload, place->here[2], OVERLOAD_WORKING, 0);
    decide(place, 50);
    assert_over(place, "--+");
    assert_left(place, "SSL");
}

/* The descriptor is the same, and who is behind it is not. */
static void another_on_the_same_descriptor_is_not_meant(void **state)
{
    struct place *place = *state;
    int fd;

    open_overload(place, 2, 8, 1);
    visit_all(place, "BAA");
    look(place, 0);
    overload_decide(place->overload, 0);
    fd = place->here[2];
    visit_all(place, "A");
    assert_int_equal(dup2(place->here[3], fd), fd);
    overload_end(place->overload, place->port);
    assert_left(place, "SSSS");
    assert_false(overload_is_over(place->overload, fd, place->from[3]));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_PLACE(nobody_leaves_while_a_thread_is_free),
        IN_PLACE(an_address_keeps_its_bound_while_another_waits),
        IN_PLACE(those_that_are_parked_are_none_of_them),
        IN_PLACE(an_address_has_all_while_nobody_else_waits),
        IN_PLACE(behind_a_full_queue_others_may_wait),
        IN_PLACE(without_a_bound_there_is_none),
        IN_PLACE(newcomers_that_send_nothing_leave),
        IN_PLACE(a_newcomer_that_goes_silent_leaves),
        IN_PLACE(of_those_above_the_bound_the_idle_leave),
        IN_PLACE(a_request_above_the_bound_may_come_for_a_while),
        IN_PLACE(an_answer_above_the_bound_may_go_for_a_while),
        IN_PLACE(our_own_work_is_finished),
        IN_PLACE(who_is_above_the_bound_stays_so),
        IN_PLACE(another_on_the_same_descriptor_is_not_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
