#include "store/fault.h"

#include "fault_watch.h"
#include "map.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_DAMAGED 1
#define LOGS_MAX 4 /* that one process has open: the most is two, to restore */

/* Of the process, as its signal handlers are. */
static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
static struct sigaction before[sizeof numbers / sizeof *numbers];
static bool explaining;

/* What the handler says is made before it is needed. A log is there once start is set. */
static struct watched {
    MDB_env *env;
    _Atomic uintptr_t start;
    uintptr_t end;
    char text[PATH_MAX + 160];
    size_t length;
} logs[LOGS_MAX];

/* The log that this thread reads or changes just now. */
static _Thread_local const struct watched *inside;

static _Noreturn void say_and_end(const struct watched *log)
{
    ssize_t written = write(STDERR_FILENO, log->text, log->length);

    (void)written;
    _exit(EXIT_DAMAGED);
}

static const struct watched *find(uintptr_t address)
{
    for (size_t i = 0; i < LOGS_MAX; i++) {
        uintptr_t start = atomic_load(&logs[i].start);

        if (start != 0 && address >= start && address < logs[i].end)
            return &logs[i];
    }
    return NULL;
}

/* Only what is safe in a signal handler. */
static void explain(int number, siginfo_t *info, void *context)
{
    const struct watched *log = NULL;

    (void)context;
    if (number == SIGABRT) /* malloc has found its heap written over */
        log = inside;
    else if (info->si_code > 0)
        log = inside ? inside : find((uintptr_t)info->si_addr);
    if (log)
        say_and_end(log);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] == number)
            sigaction(number, &before[i], NULL);
    }
    if (info->si_code <=
        0) /* abort, or another process; a fault comes again by itself */
        raise(number);
}

static void fail_assertion(MDB_env *env, const char *message)
{
    (void)message;
    say_and_end(mdb_env_get_userctx(env));
}

void dbk_fault_explain(void)
{
    struct sigaction action = {.sa_sigaction = explain, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, &before[i]);
    explaining = true;
}

void fault_leave_alone(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
    explaining = false;
}

static struct watched *find_env(const MDB_env *env)
{
    for (size_t i = 0; i < LOGS_MAX; i++) {
        if (logs[i].env == env)
            return &logs[i];
    }
    return NULL;
}

void fault_watch(MDB_env *env, const char *dir)
{
    struct watched *log = explaining ? find_env(NULL) : NULL;
    uintptr_t start = 0, end = 0;
    MDB_envinfo info;

    if (!log || mdb_env_info(env, &info) != 0)
        return;
    log->env = env;
    log->length =
        (size_t)snprintf(log->text, sizeof log->text,
                         "daybook: %.*s/data.mdb: its structure is damaged, or it was "
                         "changed by another "
                         "program, so it cannot be read on; run daybook verify\n",
                         PATH_MAX, dir);
    assert(log->length < sizeof log->text);
    mdb_env_set_userctx(env, log);
    mdb_env_set_assert(env, fail_assertion);
    while (map_find(info.me_mapsize, end, &start, &end)) {
        if (find(start)) /* another log's */
            continue;
        log->end = end;
        atomic_store(&log->start, start);
        return;
    }
}

void fault_enter(const MDB_env *env)
{
    assert(!inside);
    if (explaining)
        inside = find_env(env);
}

void fault_leave(void)
{
    inside = NULL;
}

void fault_forget(MDB_env *env)
{
    struct watched *log = env ? find_env(env) : NULL;

    if (!log)
        return;
    atomic_store(&log->start, 0);
    log->env = NULL;
}
