/* What signals a thread of ours takes. */
#include "thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void *look(void *mask)
{
    pthread_sigmask(SIG_SETMASK, NULL, mask);
    return NULL;
}

static sigset_t mask_of_a_thread(void)
{
    pthread_t thread;
    sigset_t mask;

    assert_int_equal(thread_start(&thread, look, &mask), 0);
    pthread_join(thread, NULL);
    return mask;
}

/* Blocked, a fault ends the process without a word. */
static void faults_of_its_own_are_explained(void **state)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t mask = mask_of_a_thread();

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_int_equal(sigismember(&mask, faults[i]), 0);
}

static void what_is_sent_to_the_process_is_for_others(void **state)
{
    static const int sent[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE};
    sigset_t mask = mask_of_a_thread();

    (void)state;
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
        assert_int_equal(sigismember(&mask, sent[i]), 1);
}

static void who_starts_it_keeps_his_own(void **state)
{
    sigset_t before, after;

    (void)state;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    mask_of_a_thread();
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < SIGRTMIN; number++)
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_of_its_own_are_explained),
        cmocka_unit_test(what_is_sent_to_the_process_is_for_others),
        cmocka_unit_test(who_starts_it_keeps_his_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
