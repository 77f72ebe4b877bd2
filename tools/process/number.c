#include "number.h"

#include "store/log.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 256
#define SIGNALLED 128 /* what a shell adds to the number of a signal */

/* What is passed on, and how the child's end is heard of. */
static sigset_t passed(void)
{
    static const int numbers[] = {SIGTERM, SIGINT,  SIGHUP, SIGQUIT,
                                  SIGUSR1, SIGUSR2, SIGCHLD};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&set, numbers[i]);
    return set;
}

/* As the child did. Number 1 of a namespace is not ended by its own signals. */
static _Noreturn void end_like(int status)
{
    const struct rlimit no_core = {0, 0};
    sigset_t set;
    int number;

    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    number = WTERMSIG(status);
    setrlimit(RLIMIT_CORE, &no_core); /* the child's is the one to look at */
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(SIGNALLED + number);
}

/* As number 1 we are given the orphans of all others here. */
static void reap(pid_t child)
{
    int status;
    pid_t ended;

    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
        if (ended == child)
            end_like(status);
    }
}

static _Noreturn void stand_for(pid_t child)
{
    sigset_t set = passed();
    siginfo_t info;

    for (;;) {
        reap(child);
        if (sigwaitinfo(&set, &info) < 0 || info.si_signo == SIGCHLD)
            continue;
        if (info.si_code != SI_KERNEL) /* a terminal tells its whole group */
            kill(child, info.si_signo);
    }
}

/* In the child: whether it has a number that is free. It ends with its parent, who stands
 * for it. */
static bool is_right(const char *log_dir, pid_t parent, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return getppid() == parent && !dbk_log_number_taken(log_dir) &&
           write(fd, "", 1) == 1;
}

/* The parent: whether the child stays. */
static bool stays(pid_t child, int fd)
{
    char byte;
    ssize_t got;

    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    close(fd);
    if (got == 1)
        return true;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return false;
}

/* The number that the child has, 0 in that, -1 where none can be made. */
static pid_t try_one(const char *log_dir, bool *fits)
{
    pid_t parent = getpid(), child;
    int fds[2];

    if (pipe(fds) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        close(fds[0]);
        if (!is_right(log_dir, parent, fds[1]))
            _exit(0);
        close(fds[1]);
        return 0;
    }
    close(fds[1]);
    if (child < 0)
        close(fds[0]);
    else
        *fits = stays(child, fds[0]);
    return child;
}

void number_settle(const char *log_dir, int *child)
{
    sigset_t set = passed(), before;
    bool fits = false;
    pid_t one = -1;

    *child = 0;
    if (!dbk_log_number_taken(log_dir))
        return;
    sigprocmask(SIG_BLOCK, &set, &before);
    for (int i = 0; i < TRIES && !fits && (i == 0 || one > 0); i++) {
        one = try_one(log_dir, &fits);
        if (one == 0) {
            sigprocmask(SIG_SETMASK, &before, NULL);
            *child = (int)getpid();
            return;
        }
    }
    if (fits)
        stand_for(one);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
