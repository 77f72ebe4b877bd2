/* thread.h - threads that wait on the monotonic clock and leave signals to others. */
#ifndef DBK_PROJECTIONS_THREAD_H
#define DBK_PROJECTIONS_THREAD_H

#include "deadline.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

/* Signals are for the program's main thread, but for those of a fault of this one: blocked,
 * they would end the process before anybody explained it (store/fault.h). Answers as
 * pthread_create. */
static inline int thread_start(pthread_t *thread, void *(*body)(void *), void *argument)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t others, before;
    int rc;

    sigfillset(&others);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&others, own[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    rc = pthread_create(thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

/* Its timed waits are until a time of thread_until. */
static inline void thread_init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static inline struct timespec thread_until(dbk_deadline deadline)
{
    return (struct timespec){.tv_sec = (time_t)(deadline / 1000),
                             .tv_nsec = (long)(deadline % 1000) * 1000000};
}

#endif
