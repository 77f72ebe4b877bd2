#include "store/thread.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { STACK_BYTES = 1 << 20 };

static void name_it(pthread_t thread, const char *name)
{
    char cut[DBK_THREAD_NAME_MAX + 1];

    snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(thread, cut);
}

void dbk_thread_name(const char *name)
{
    name_it(pthread_self(), name);
}

static sigset_t all_but_faults(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t set;

    sigfillset(&set);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&set, faults[i]);
    return set;
}

enum dbk_code dbk_thread_start(pthread_t *thread, const char *name,
                               void *(*body)(void *argument), void *argument,
                               struct dbk_error *err)
{
    sigset_t masked = all_but_faults(), before;
    pthread_attr_t attributes;
    int rc;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &masked, &before); /* what begins inherits it */
    rc = pthread_create(thread, &attributes, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (rc != 0)
        return dbk_fail(err, DBK_IO, "start the thread %s: %s", name, strerror(rc));
    name_it(*thread, name);
    return DBK_OK;
}
