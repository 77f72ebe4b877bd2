/* How a thread of ours begins: its signals, its name, its stack. */
#include "store/thread.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

    assert_int_equal(dbk_thread_start(&thread, "looker", look, &mask, NULL), DBK_OK);
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

struct seen {
    char name[DBK_THREAD_NAME_MAX + 1];
    size_t stack;
};

static void *look_at_itself(void *argument)
{
    struct seen *seen = argument;
    pthread_attr_t attributes;

    /* By now it has its name: who starts it gives it after it has begun. */
    while (pthread_getname_np(pthread_self(), seen->name, sizeof seen->name) == 0 &&
           strncmp(seen->name, "dbk-", 4) != 0)
        sched_yield();
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &seen->stack);
    pthread_attr_destroy(&attributes);
    return NULL;
}

static struct seen start_and_look(const char *name)
{
    struct seen seen = {.stack = 0};
    pthread_t thread;

    assert_int_equal(dbk_thread_start(&thread, name, look_at_itself, &seen, NULL),
                     DBK_OK);
    pthread_join(thread, NULL);
    return seen;
}

static void it_bears_its_name(void **state)
{
    (void)state;
    assert_string_equal(start_and_look("dbk-fifteen-cha").name, "dbk-fifteen-cha");
    assert_string_equal(start_and_look("dbk-is-longer-than-that").name,
                        "dbk-is-longer-t");
}

static void its_stack_is_of_the_size_that_the_header_says(void **state)
{
    (void)state;
    assert_int_equal(start_and_look("dbk-stack").stack, 1 << 20);
}

static int refuse(pthread_t *thread, const pthread_attr_t *attributes,
                  void *(*body)(void *), void *argument)
{
    (void)thread;
    (void)attributes;
    (void)body;
    (void)argument;
    return EAGAIN;
}

static bool refused;
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *argument)
{
    return (refused ? refuse : __real_pthread_create)(thread, attributes, body,
                                                      argument);
}

static void where_none_is_left_it_says_which(void **state)
{
    struct dbk_error err;
    pthread_t thread;

    (void)state;
    refused = true;
    assert_int_equal(dbk_thread_start(&thread, "dbk-late", look, NULL, &err), DBK_IO);
    refused = false;
    assert_non_null(strstr(err.text, "dbk-late"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_bears_its_name),
        cmocka_unit_test(its_stack_is_of_the_size_that_the_header_says),
        cmocka_unit_test(where_none_is_left_it_says_which),
        cmocka_unit_test(faults_of_its_own_are_explained),
        cmocka_unit_test(what_is_sent_to_the_process_is_for_others),
        cmocka_unit_test(who_starts_it_keeps_his_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
