#include "signals.h"
#include "command.h"
#include "store/clock.h"
#include "store/thread.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { TERMINAL_STEP_MS = 1000 };

/* What the thread that ends us late has to know. */
static atomic_int latest_status = TOOL_FAILED;
static int held_fd = -1;  /* readable while a signal waits to be taken */
static int taken_fd = -1; /* readable once one was taken */
static int terminal_fd =
    -1; /* hung up once the terminal is closed; -1: of no concern */

/* One that is ignored must not be held back: the kernel keeps it then all the same. */
static sigset_t ending(void)
{
    struct sigaction hangup;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&set, SIGHUP);
    return set;
}

/* The kernel tells the first process of a terminal only that it is closed. Where that is
 * not a shell but make, or a terminal's own command, it tells nobody, and waits for us. */
static void await_signal(void)
{
    struct pollfd any[] = {{.fd = held_fd, .events = POLLIN},
                           {.fd = taken_fd, .events = POLLIN},
                           {.fd = terminal_fd}};
    /* Else we were left to ourselves, as by a shell's disown. */
    bool before_it = tcgetpgrp(terminal_fd) == getpgrp();

    while (!any[0].revents && !any[1].revents) {
        poll(any, 3, any[2].fd >= 0 ? TERMINAL_STEP_MS : -1);
        if (any[2].fd < 0)
            continue;
        if (!any[2].revents) {
            before_it = tcgetpgrp(terminal_fd) == getpgrp();
            continue;
        }
        any[2].fd = -1;
        if (before_it)
            kill(getpid(), SIGHUP);
    }
}

static void *end_late(void *begun)
{
    static const char line[] =
        "daybook: what it waits for does not end: ended at once\n";

    sem_post(begun); /* which is gone then */
    await_signal();
    dbk_sleep_ms(SIGNALS_LATEST_MS);
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    _exit(atomic_load(&latest_status));
}

/* Without the thread, all that is missing is its help. It is waited for until it runs: a
 * process that is forked while another thread begins may find its locks held for ever. */
static void start_late_end(void)
{
    sigset_t set = ending();
    pthread_t thread;
    sem_t begun;

    if (held_fd >= 0)
        return;
    held_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    taken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sem_init(&begun, 0, 0);
    if (held_fd >= 0 && taken_fd >= 0 &&
        dbk_thread_start(&thread, "dbk-ender", end_late, &begun, NULL) == DBK_OK) {
        pthread_detach(thread);
        while (sem_wait(&begun) != 0 && errno == EINTR)
            ;
    }
    sem_destroy(&begun);
}

static void note_taken(void)
{
    if (taken_fd >= 0)
        eventfd_write(taken_fd, 1);
}

void signals_latest_status(int status)
{
    atomic_store(&latest_status, status);
}

/* Where SIGHUP is ignored, so is what happens to the terminal. */
static void look_at_terminal(void)
{
    struct sigaction hangup, ignore = {.sa_handler = SIG_IGN};

    if (terminal_fd >= 0 || sigaction(SIGHUP, NULL, &hangup) != 0 ||
        hangup.sa_handler == SIG_IGN)
        return;
    terminal_fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (terminal_fd < 0)
        sigaction(SIGHUP, &ignore, NULL);
}

void signals_hold(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    sigaction(SIGPIPE, &ignore, NULL);
    look_at_terminal();
    sigaction(SIGXFSZ, &ignore, NULL); /* the write fails, which is told */
    set = ending();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    start_late_end();
}

bool signals_came(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) ||
           sigismember(&pending, SIGHUP);
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
    note_taken();
    switch (number) {
    case SIGINT:
        return "SIGINT";
    case SIGHUP:
        return "SIGHUP";
    default:
        return "SIGTERM";
    }
}

void signals_forget(void)
{
    const struct timespec now = {0};
    sigset_t set = ending();

    dbk_sleep_ms(100);
    while (sigtimedwait(&set, NULL, &now) > 0)
        note_taken();
}

void signals_release(void)
{
    sigset_t set = ending();

    signals_forget();
    sigdelset(&set, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
