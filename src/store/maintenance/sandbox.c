#include "sandbox.h"

#include "fault_watch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOLD_MAX 100
#define ASK_MS 200
#define TRIES 32

/* What a damaged file can end its reader with. */
static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

/* What the child tells the parent; smaller than PIPE_BUF, so each is written whole. */
struct message {
    enum { PROGRESS, FINDING, RESULT } kind;
    enum dbk_code code; /* RESULT */
    /* PROGRESS: constants, which a fork has where its parent has them. */
    const char *phase, *unit;
    uint64_t done, total; /* PROGRESS; FINDING: done is the sequence */
    struct dbk_verify_result result;
    char text[712]; /* FINDING; RESULT: the error */
};
_Static_assert(sizeof(struct message) <= 4096, "a message must fit a pipe's buffer");

/* The child's end of the pipe. */
struct teller {
    int fd;
    uint64_t findings;
};

/* Where the parent has gone, SIGPIPE ends this one. */
static void tell(const struct teller *teller, const struct message *message)
{
    (void)!write(teller->fd, message, sizeof *message);
}

static void tell_progress(void *context, const char *phase, const char *unit,
                          uint64_t done, uint64_t total)
{
    struct message message = {
        .kind = PROGRESS, .phase = phase, .unit = unit, .done = done, .total = total};

    tell(context, &message);
}

static void tell_finding(void *context, uint64_t sequence, const char *text)
{
    struct message message = {.kind = FINDING, .done = sequence};
    struct teller *teller = context;

    if (teller->findings++ >= TOLD_MAX)
        return;
    snprintf(message.text, sizeof message.text, "%s", text);
    tell(teller, &message);
}

/* LMDB's last words, and the C library's, are for nobody. The number stays taken: a file
 * of the log that were given it would get them. */
static void silence(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null >= 0)
        dup2(null, STDERR_FILENO);
}

/* Nobody waits for what a child of a dead parent finds, or copies. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it was quicker */
        _exit(1);
}

void sandbox_become_child(pid_t parent)
{
    die_with(parent);
    fault_leave_alone(); /* die at once, the parent says it better */
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    silence();
}

static _Noreturn void be_child(sandbox_body *run, const void *what,
                               const struct dbk_verify_options *parents, int fd)
{
    struct teller teller = {.fd = fd};
    struct dbk_verify_options options = {
        .scratch_dir = parents->scratch_dir,
        .keys = parents->keys,
        .finding = tell_finding,
        .context = &teller,
        .watch = {.progress = tell_progress, .context = &teller}};
    struct message message = {.kind = RESULT};
    struct dbk_error err = {.text = ""};

    message.code = run(what, &options, &message.result, &err);
    snprintf(message.text, sizeof message.text, "%s", err.text);
    tell(&teller, &message);
    _exit(0);
}

/* The parent's side. */
struct listener {
    const struct dbk_verify_options *options;
    int fd;
    pid_t child;
    bool stopped;             /* the watch said so */
    const char *phase, *unit; /* as told last; NULL: nothing was */
    uint64_t done, total;     /* the same */
    uint64_t findings;        /* told so far */
    struct message concluded; /* what it ended with, where it did */
};

static void ask(struct listener *listener)
{
    const struct dbk_watch *watch = &listener->options->watch;

    if (listener->stopped)
        return;
    if (listener->phase)
        listener->stopped =
            dbk_watch_progress(watch, listener->phase, listener->unit, listener->done,
                               listener->total, NULL) != DBK_OK;
    else
        listener->stopped = dbk_watch_stops(watch);
    if (!listener->stopped)
        return;
    assert(listener->child > 0); /* -1 would be everybody */
    kill(listener->child, SIGKILL);
}

/* Some steps are long and silent: whoever wants to stop need not wait for their end. */
static bool read_message(struct listener *listener, struct message *message)
{
    struct pollfd ready = {.fd = listener->fd, .events = POLLIN};
    ssize_t got;

    while (poll(&ready, 1, ASK_MS) == 0)
        ask(listener);
    do
        got = read(listener->fd, message, sizeof *message);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *message;
}

static void take_finding(struct listener *listener, const struct message *message)
{
    const struct dbk_verify_options *options = listener->options;

    listener->findings++;
    if (options->finding)
        options->finding(options->context, message->done, message->text);
}

/* Pass on what the child says. False: it ended without a result, or was stopped. */
static bool listen_to(struct listener *listener)
{
    struct message message;

    while (read_message(listener, &message)) {
        switch (message.kind) {
        case PROGRESS:
            listener->phase = message.phase;
            listener->unit = message.unit;
            listener->done = message.done;
            listener->total = message.total;
            ask(listener);
            break;
        case FINDING:
            take_finding(listener, &message);
            break;
        case RESULT:
            if (listener->stopped)
                break;
            listener->concluded = message;
            return true;
        }
    }
    return false;
}

static bool is_fatal(int status)
{
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == fatal[i])
            return true;
    }
    return false;
}

/* Died of what it read; or not, as where the system ran out of memory, which says nothing
 * about the log. */
static enum dbk_code conclude_dead(const struct listener *listener, int status,
                                   struct dbk_verify_result *result, uint64_t *died_at,
                                   struct dbk_error *err)
{
    if (listener->stopped)
        return dbk_fail(err, DBK_INTERRUPTED, "stopped at record %" PRIu64,
                        listener->done);
    if (!is_fatal(status))
        return dbk_fail(err, DBK_IO,
                        "the process that reads the log was ended from outside (%s %d)",
                        WIFSIGNALED(status) ? "signal" : "status",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    result->findings = listener->findings;
    result->head = listener->total;
    *died_at = listener->done + 1;
    return DBK_OK;
}

static enum dbk_code hear(struct listener *listener, struct dbk_verify_result *result,
                          uint64_t *died_at, struct dbk_error *err)
{
    bool concluded = listen_to(listener);
    const struct message *message = &listener->concluded;
    int status = 0;

    close(listener->fd);
    while (waitpid(listener->child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!concluded)
        return conclude_dead(listener, status, result, died_at, err);
    *result = message->result;
    return message->code == DBK_OK ? DBK_OK
                                   : dbk_fail(err, message->code, "%s", message->text);
}

static enum dbk_code run_once(sandbox_body *run, const void *what,
                              const struct dbk_verify_options *options,
                              struct dbk_verify_result *result, uint64_t *died_at,
                              struct dbk_error *err)
{
    struct listener listener = {.options = options};
    pid_t parent = getpid();
    int fds[2];

    memset(result, 0, sizeof *result);
    *died_at = 0;
    if (pipe(fds) != 0)
        return dbk_fail(err, DBK_IO, "pipe: %s", strerror(errno));
    listener.child = fork();
    if (listener.child == 0) {
        sandbox_become_child(parent);
        close(fds[0]);
        be_child(run, what, options, fds[1]);
    }
    close(fds[1]);
    listener.fd = fds[0];
    if (listener.child < 0) {
        close(fds[0]);
        return dbk_fail(err, DBK_IO, "fork: %s", strerror(errno));
    }
    return hear(&listener, result, died_at, err);
}

/* A child may have got a number that a process of another container has, which has the log
 * open; the next one has another. */
enum dbk_code sandbox_run(sandbox_body *run, const void *what,
                          const struct dbk_verify_options *options,
                          struct dbk_verify_result *result, uint64_t *died_at,
                          struct dbk_error *err)
{
    struct dbk_error why;
    enum dbk_code code = DBK_BUSY;

    for (int i = 0; code == DBK_BUSY && i < TRIES; i++)
        code = run_once(run, what, options, result, died_at, &why);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}
