#include "signals.h"
#include "store/clock.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t ending(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void signals_hold(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set = ending();

    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* the write fails, which is told */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool signals_came(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT);
}

/* Else a signal ends the process, instead of waiting to be asked for. */
static bool are_held(void)
{
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    return sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGINT);
}

const char *signals_wait(void)
{
    sigset_t set = ending();
    int number = 0;

    assert(are_held());
    sigwait(&set, &number);
    return number == SIGINT ? "SIGINT" : "SIGTERM";
}

void signals_forget(void)
{
    const struct timespec now = {0};
    sigset_t set = ending();

    dbk_sleep_ms(100);
    while (sigtimedwait(&set, NULL, &now) > 0)
        continue;
}

void signals_release(void)
{
    sigset_t set = ending();

    signals_forget();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
