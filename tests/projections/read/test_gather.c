/* Look-ups that are carried together: who carries, whom, and who is told. No PostgreSQL:
 * the carrying is scripted here. */
#include "gather.h"

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
                  struct look_up *const *asked, size_t count)
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
    gather_init(&scene.gather, most, CARRIERS, carry, &scene);
}

static void end(void)
{
    assert_null(scene.gather.first);
    assert_int_equal(scene.gather.carriers, 0);
    gather_finish(&scene.gather);
    sem_destroy(&scene.begun);
    sem_destroy(&scene.may_end);
}

static void *ask(void *argument)
{
    struct look_up look_up = {.limit = (unsigned)(uintptr_t)argument};

    gather_ask(&scene.gather, &look_up);
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
        for (struct look_up *one = scene.gather.first; one; one = one->next)
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
                              struct look_up *const *asked, size_t count)
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

static void who_waits_longest_carries_next(void **state)
{
    pthread_t threads[CARRIERS + 2];

    (void)state;
    begin(1, true);
    occupy_carriers(threads);
    start_asking(threads, CARRIERS, 1);
    await_waiting(1);
    start_asking(threads, CARRIERS + 1, 1);
    await_waiting(2);
    sem_post(&scene.may_end);
    sem_wait(&scene.begun);
    await_waiting(1);
    assert_int_equal(scene.gather.first->limit, CARRIERS + 2);
    assert_int_equal(scene.gather.carriers, CARRIERS);
    for (int i = 0; i < CARRIERS + 1; i++)
        sem_post(&scene.may_end);
    join(threads, CARRIERS + 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_caller_carries_its_own),
        cmocka_unit_test(those_that_wait_are_carried_together),
        cmocka_unit_test(no_more_than_the_most_go_together),
        cmocka_unit_test(who_has_passed_on_is_not_waited_for),
        cmocka_unit_test(who_waits_longest_carries_next),
        cmocka_unit_test(under_load_everybody_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
