/* Connections that idle, and who waits for them. */
#include "reactor.h"

#include "check.h"
#include "store/clock.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 20
#define IDLE_MS 60000
#define PATIENCE_MS 20000

/* What is sent: it is answered; its own thread is to answer; who serves it hangs meanwhile. */
#define QUICK 'q'
#define LEFT 'l'
#define HANGS 'h'

static struct place {
    struct reactor *reactor;
    sem_t released; /* as many as hang */
    atomic_bool ends, ended[THREADS];
    atomic_uint hanging, answered, called[THREADS];
    atomic_size_t leader; /* who served last, */
    atomic_size_t most;   /* how many at once, since it was 0 */
    int there[THREADS], here[THREADS];
    pthread_t threads[THREADS];
} place;

static void serve_one(struct reactor_seat *seat, bool *left)
{
    char bytes[16];
    ssize_t got = recv(seat->lent.fd, bytes, sizeof bytes, MSG_DONTWAIT);

    *left = got == 0;
    for (ssize_t i = 0; i < got; i++) {
        *left = *left || bytes[i] == LEFT;
        atomic_fetch_add(&place.hanging, bytes[i] == HANGS);
        if (bytes[i] == HANGS)
            sem_wait(&place.released);
        atomic_fetch_sub(&place.hanging, bytes[i] == HANGS);
        atomic_fetch_add(&place.answered, bytes[i] == QUICK);
    }
}

static void serve(void *context, void *thread, struct reactor_seat **seats,
                  size_t count, bool *left)
{
    (void)context;
    atomic_store(&place.leader, (size_t)((int *)thread - place.here));
    if (count > atomic_load(&place.most))
        atomic_store(&place.most, count);
    for (size_t i = 0; i < count; i++) {
        serve_one(seats[i], &left[i]);
        if (!left[i])
            continue;
        reactor_leave(seats[i]);
        seats[i] = NULL;
    }
}

static void *idle(void *argument)
{
    const size_t own = (size_t)((int *)argument - place.here);
    struct reactor_seat *seat = reactor_join(place.reactor, argument);

    while (!atomic_load(&place.ends) && !atomic_load(&place.ended[own])) {
        seat->lent = (struct lent){.fd = place.here[own]};
        if (reactor_wait(seat, IDLE_MS))
            atomic_fetch_add(&place.called[own], 1);
    }
    reactor_part(seat);
    return NULL;
}

static void say(size_t to, char byte)
{
    assert_int_equal(send(place.there[to], &byte, 1, 0), 1);
}

static void await(atomic_uint *count, unsigned wanted)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    while (atomic_load(count) < wanted && dbk_deadline_left(until) > 0)
        usleep(200);
    assert_true(atomic_load(count) >= wanted);
}

static int start_with(size_t batch, bool gathers)
{
    memset(&place, 0, sizeof place);
    sem_init(&place.released, 0, 0);
    place.reactor = reactor_create(THREADS, batch, gathers, serve, NULL);
    assert_non_null(place.reactor);
    for (size_t i = 0; i < THREADS; i++) {
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        place.there[i] = ends[0];
        place.here[i] = ends[1];
        assert_int_equal(pthread_create(&place.threads[i], NULL, idle, &place.here[i]),
                         0);
    }
    for (size_t i = 0; i < THREADS; i++) { /* one after the other: all idle then */
        say(i, QUICK);
        await(&place.answered, (unsigned)i + 1);
    }
    atomic_store(&place.answered, 0);
    return 0;
}

static int start(void **state)
{
    (void)state;
    return start_with(REACTOR_BATCH_MAX, false);
}

static int start_gathering(void **state)
{
    (void)state;
    return start_with(REACTOR_BATCH_MAX, true);
}

static int start_gathering_two(void **state)
{
    (void)state;
    return start_with(2, true);
}

static int tear_down(void **state)
{
    (void)state;
    atomic_store(&place.ends, true);
    for (size_t i = 0; i < THREADS; i++) {
        sem_post(&place.released); /* where a test has failed before it did */
        if (!atomic_load(&place.ended[i]))
            say(i, LEFT);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(place.threads[i], NULL);
        close(place.there[i]);
        close(place.here[i]);
    }
    reactor_destroy(place.reactor);
    sem_destroy(&place.released);
    return 0;
}

/* While one hangs, two come together: then there are two who lead. */
static void let_two_lead(void)
{
    unsigned before = atomic_load(&place.answered);

    say(0, HANGS);
    await(&place.hanging, 1);
    for (size_t i = 1; i < THREADS; i++)
        say(i, QUICK);
    sem_post(&place.released);
    await(&place.answered, before + THREADS - 1);
}

static void who_leads_is_called_by_another_who_leads(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        let_two_lead();
        for (size_t i = 0; i < THREADS; i++) {
            unsigned before = atomic_load(&place.called[i]);

            say(i, LEFT);
            await(&place.called[i], before + 1);
        }
    }
}

/* As the guard does it. */
static void await_looking(atomic_uint *count, unsigned wanted)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    while (atomic_load(count) < wanted && dbk_deadline_left(until) > 0) {
        reactor_look(place.reactor);
        usleep(20000);
    }
    assert_true(atomic_load(count) >= wanted);
}

static void where_all_who_lead_hang_another_one_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < THREADS - 2; i++) {
        say(i, HANGS);
        await_looking(&place.hanging, (unsigned)i + 1);
    }
    for (size_t i = THREADS - 2; i < THREADS; i++) {
        say(i, QUICK);
        await_looking(&place.answered, (unsigned)(i - (THREADS - 2)) + 1);
    }
    for (size_t i = 0; i < THREADS - 2; i++)
        sem_post(&place.released);
}

/* How many of the others are served at once that come while one hangs. */
static size_t gathered(void)
{
    unsigned before = atomic_load(&place.answered);

    say(0, HANGS);
    await(&place.hanging, 1);
    atomic_store(&place.most, 0);
    for (size_t i = 1; i < THREADS; i++)
        say(i, QUICK);
    sem_post(&place.released);
    await(&place.answered, before + THREADS - 1);
    return atomic_load(&place.most);
}

/* Also once another one led while one hung: then there is one again. */
static void those_that_gather_are_served_by_one(void **state)
{
    unsigned waited = 0;

    (void)state;
    say(0, HANGS);
    await(&place.hanging, 1);
    say(1, QUICK);
    await_looking(&place.answered, 1);
    sem_post(&place.released);
    while (gathered() < THREADS - 1 && waited < PATIENCE_MS)
        waited++;
    for (unsigned round = 0; round < ROUNDS; round++)
        assert_int_equal(gathered(), THREADS - 1);
}

static void where_more_gather_than_are_served_at_once_two_lead(void **state)
{
    (void)state;
    say(0, HANGS);
    await(&place.hanging, 1);
    say(1, HANGS);
    say(2, HANGS);
    say(3, QUICK);
    sem_post(&place.released);
    await(&place.answered, 1); /* while the two hang */
    sem_post(&place.released);
    sem_post(&place.released);
}

/* The end comes with a request, and is no event of its own. */
static void one_that_ends_is_called(void **state)
{
    (void)state;
    say(0, HANGS);
    await(&place.hanging, 1);
    say(1, QUICK);
    shutdown(place.there[1], SHUT_WR);
    sem_post(&place.released);
    await(&place.answered, 1);
    await(&place.called[1], 1);
    atomic_store(&place.ended[1], true);
}

/* But for who leads: its own thread is what serves the next. */
static void one_that_is_left_does_not_wait_for_the_next(void **state)
{
    size_t left;

    (void)state;
    say(0, HANGS);
    await(&place.hanging, 1);
    left = atomic_load(&place.leader) == 1 ? 2 : 1;
    say(left, LEFT);
    say(3, HANGS);
    sem_post(&place.released);
    await(&place.called[left], 1);
    sem_post(&place.released);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_leads_is_called_by_another_who_leads, start,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_left_does_not_wait_for_the_next,
                                        start, tear_down),
        cmocka_unit_test_setup_teardown(one_that_ends_is_called, start, tear_down),
        cmocka_unit_test_setup_teardown(where_all_who_lead_hang_another_one_does, start,
                                        tear_down),
        cmocka_unit_test_setup_teardown(those_that_gather_are_served_by_one,
                                        start_gathering, tear_down),
        cmocka_unit_test_setup_teardown(
            where_more_gather_than_are_served_at_once_two_lead, start_gathering_two,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
