/* Look-ups that are carried together: who carries, whom, and who is told. No PostgreSQL:
 * the carrying is scripted here. */
#include "gather.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CALLERS 10
#define CARRIERS 2

/* A PostgreSQL that answers when it is told to. */
static struct scene {
    struct gather gather;
    sem_t begun, may_end;
    atomic_uint carried, most, under_way;
    bool waits;
} scene;

static void carry(void *context, struct carrying *carrying,
                  struct dbk_look_up *const *asked, size_t count)
{
    struct scene *of = context;
    unsigned now = atomic_fetch_add(&of->under_way, 1) + 1;

    (void)carrying;
    if (now > CARRIERS)
        abort();
    atomic_fetch_add(&of->carried, 1);
    if (count > atomic_load(&of->most))
        atomic_store(&of->most, (unsigned)count);
    sem_post(&of->begun);
    if (of->waits)
        sem_wait(&of->may_end);
    for (size_t i = 0; i < count; i++) {
        asked[i]->code = asked[i]->limit % 2 ? DBK_NOT_FOUND : DBK_OK;
        asked[i]->error.text[0] = (char)asked[i]->limit;
    }
    atomic_fetch_sub(&of->under_way, 1);
}

static void begin(size_t most, bool waits)
{
    memset(&scene, 0, sizeof scene);
    sem_init(&scene.begun, 0, 0);
    sem_init(&scene.may_end, 0, 0);
    scene.waits = waits;
    assert_int_equal(gather_init(&scene.gather, most, CARRIERS, carry, &scene, NULL),
                     DBK_OK);
}

static unsigned peek(const unsigned *number)
{
    unsigned now;

    pthread_mutex_lock(&scene.gather.mutex);
    now = *number;
    pthread_mutex_unlock(&scene.gather.mutex);
    return now;
}

/* A thread of the gather's may still find that there is nothing for it to carry. */
static void await_calm(void)
{
    while (peek(&scene.gather.carriers) > 0)
        sched_yield();
}

/* Until the threads of the gather's sleep. */
static void await_parked(void)
{
    while (peek(&scene.gather.parked) < scene.gather.thread_count)
        sched_yield();
}

static void end(void)
{
    await_calm();
    assert_null(scene.gather.first);
    gather_finish(&scene.gather);
    sem_destroy(&scene.begun);
    sem_destroy(&scene.may_end);
}

static void *ask(void *argument)
{
    struct dbk_look_up look_up = {.limit = (unsigned)(uintptr_t)argument};

    gather_wait(&scene.gather, &look_up);
    return (void *)(uintptr_t)(look_up.code ==
                                   (look_up.limit % 2 ? DBK_NOT_FOUND : DBK_OK) &&
                               look_up.error.text[0] == (char)look_up.limit);
}

static void start_asking(pthread_t *threads, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        pthread_create(&threads[i], NULL, ask, (void *)(uintptr_t)(i + 1));
}

/* One after the other, for else one might take the other along. */
static void occupy_carriers(pthread_t *threads)
{
    for (unsigned i = 0; i < CARRIERS; i++) {
        start_asking(threads, i, 1);
        sem_wait(&scene.begun);
    }
}

/* Until that many wait behind the carriers. */
static void await_waiting(unsigned wanted)
{
    for (;;) {
        unsigned count = 0;

        pthread_mutex_lock(&scene.gather.mutex);
        for (struct dbk_look_up *one = scene.gather.first; one; one = one->next)
            count++;
        pthread_mutex_unlock(&scene.gather.mutex);
        if (count == wanted)
            return;
        sched_yield();
    }
}

static void join(pthread_t *threads, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        void *right;

        pthread_join(threads[i], &right);
        assert_non_null(right);
    }
}

static void a_lone_caller_carries_its_own(void **state)
{
    (void)state;
    begin(GATHER_MAX, false);
    assert_non_null(ask((void *)1));
    assert_non_null(ask((void *)2));
    assert_int_equal(scene.carried, 2);
    assert_int_equal(scene.most, 1);
    end();
}

static void those_that_wait_are_carried_together(void **state)
{
    pthread_t threads[CALLERS];

    (void)state;
    begin(GATHER_MAX, true);
    occupy_carriers(threads);
    start_asking(threads, CARRIERS, CALLERS - CARRIERS);
    await_waiting(CALLERS - CARRIERS);
    assert_int_equal(scene.carried, CARRIERS);
    sem_post(&scene.may_end); /* one carrier hands over, to one that takes them all */
    sem_wait(&scene.begun);
    for (int i = 0; i < CARRIERS; i++)
        sem_post(&scene.may_end);
    join(threads, CALLERS);
    assert_int_equal(scene.carried, CARRIERS + 1);
    assert_int_equal(scene.most, CALLERS - CARRIERS);
    end();
}

static void no_more_than_the_most_go_together(void **state)
{
    pthread_t threads[CALLERS];

    (void)state;
    begin(3, true);
    occupy_carriers(threads);
    start_asking(threads, CARRIERS, CALLERS - CARRIERS);
    await_waiting(CALLERS - CARRIERS);
    for (int i = 0; i < CALLERS; i++)
        sem_post(&scene.may_end);
    join(threads, CALLERS);
    assert_int_equal(scene.most, 3);
    end();
}

/* Carried by one that passes on before it is done. */
static void carry_and_pass_on(void *context, struct carrying *carrying,
                              struct dbk_look_up *const *asked, size_t count)
{
    struct scene *of = context;

    atomic_fetch_add(&of->carried, 1);
    gather_pass_on(carrying);
    gather_pass_on(carrying); /* once is all it can */
    sem_post(&of->begun);
    sem_wait(&of->may_end);
    for (size_t i = 0; i < count; i++) {
        asked[i]->code = asked[i]->limit % 2 ? DBK_NOT_FOUND : DBK_OK;
        asked[i]->error.text[0] = (char)asked[i]->limit;
    }
}

static void who_has_passed_on_is_not_waited_for(void **state)
{
    pthread_t threads[CALLERS];

    (void)state;
    begin(GATHER_MAX, true);
    scene.gather.carry = carry_and_pass_on;
    scene.gather.carriers_max = 1;
    for (unsigned i = 0; i < CALLERS; i++) {
        start_asking(threads, i, 1);
        sem_wait(&scene.begun);
    }
    assert_int_equal(scene.carried, CALLERS);
    for (int i = 0; i < CALLERS; i++)
        sem_post(&scene.may_end);
    join(threads, CALLERS);
    end();
}

struct later {
    struct dbk_look_up look_up;
    pthread_t by;
    sem_t answered;
};

static void note(struct dbk_look_up *look_up)
{
    struct later *later = (struct later *)look_up;

    later->by = pthread_self();
    sem_post(&later->answered);
}

static void begin_later(struct later *later)
{
    *later = (struct later){.look_up = {.limit = 1, .answered = note}};
    sem_init(&later->answered, 0, 0);
}

static void who_asks_does_not_wait_for_other_statements(void **state)
{
    pthread_t threads[CARRIERS];
    struct later later;

    (void)state;
    begin(GATHER_MAX, true);
    occupy_carriers(threads);
    begin_later(&later);
    gather_ask(&scene.gather, &later.look_up);
    assert_int_equal(sem_trywait(&later.answered), -1);
    for (int i = 0; i < CARRIERS + 1; i++)
        sem_post(&scene.may_end);
    sem_wait(&later.answered);
    assert_int_equal(later.look_up.code, DBK_NOT_FOUND);
    assert_false(pthread_equal(later.by, pthread_self()));
    join(threads, CARRIERS);
    sem_destroy(&later.answered);
    end();
}

static void who_carries_answers_itself(void **state)
{
    struct later later;

    (void)state;
    begin(GATHER_MAX, false);
    await_parked(); /* else one of them may be quicker */
    begin_later(&later);
    gather_ask(&scene.gather, &later.look_up);
    assert_int_equal(sem_trywait(&later.answered), 0);
    assert_true(pthread_equal(later.by, pthread_self()));
    sem_destroy(&later.answered);
    end();
}

static void *ask_often(void *argument)
{
    uintptr_t right = 1;

    for (int i = 0; i < 500; i++)
        right &= (uintptr_t)ask(argument);
    return (void *)right;
}

static void under_load_everybody_is_answered(void **state)
{
    pthread_t threads[CALLERS];

    (void)state;
    begin(4, false);
    for (unsigned i = 0; i < CALLERS; i++)
        pthread_create(&threads[i], NULL, ask_often, (void *)(uintptr_t)(i + 1));
    join(threads, CALLERS);
    end();
}

/* Threads that may still be had; below 0: all. */
static int threads_left = -1;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *argument)
{
    if (threads_left == 0)
        return EAGAIN;
    threads_left -= threads_left > 0;
    return __real_pthread_create(thread, attributes, body, argument);
}

static void where_threads_are_scarce_nothing_is_left_behind(void **state)
{
    struct gather gather;
    struct dbk_error err;

    (void)state;
    for (threads_left = 0; threads_left <= CARRIERS; threads_left++) {
        int left = threads_left;

        assert_int_equal(gather_init(&gather, 1, CARRIERS, carry, NULL, &err),
                         DBK_NO_MEMORY);
        gather_finish(&gather); /* as who made it does with all it has */
        threads_left = left;
    }
    threads_left = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_caller_carries_its_own),
        cmocka_unit_test(those_that_wait_are_carried_together),
        cmocka_unit_test(no_more_than_the_most_go_together),
        cmocka_unit_test(who_has_passed_on_is_not_waited_for),
        cmocka_unit_test(who_asks_does_not_wait_for_other_statements),
        cmocka_unit_test(who_carries_answers_itself),
        cmocka_unit_test(where_threads_are_scarce_nothing_is_left_behind),
        cmocka_unit_test(under_load_everybody_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
