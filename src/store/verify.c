#include "store/verify.h"

#include "checker.h"
#include "refill_private.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOLD_MAX 100

/* What the child tells the parent; smaller than PIPE_BUF, so each is written whole. */
struct message {
    enum { PROGRESS, FINDING, RESULT } kind;
    enum dbk_code code;   /* RESULT */
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

static bool tell(const struct teller *teller, const struct message *message)
{
    return write(teller->fd, message, sizeof *message) == (ssize_t)sizeof *message;
}

/* False, and so the end, when the parent has gone. */
static bool tell_progress(void *context, uint64_t done, uint64_t total)
{
    struct message message = {.kind = PROGRESS, .done = done, .total = total};

    return tell(context, &message);
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

static _Noreturn void be_child(const char *dir, const char *scratch_dir, int fd)
{
    struct teller teller = {.fd = fd};
    struct dbk_verify_options options = {.scratch_dir = scratch_dir,
                                         .progress = tell_progress,
                                         .finding = tell_finding,
                                         .context = &teller};
    struct message message = {.kind = RESULT};
    struct dbk_error err = {.text = ""};
    const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGPIPE};

    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL); /* die at once, the parent says it better */
    fclose(stderr);                /* LMDB's last words */
    message.code = dbk_check_log(dir, &options, &message.result, &err);
    snprintf(message.text, sizeof message.text, "%s", err.text);
    tell(&teller, &message);
    _exit(0);
}

static bool read_message(int fd, struct message *message)
{
    ssize_t got;

    do
        got = read(fd, message, sizeof *message);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *message;
}

/* Pass on what the child says. *last: how far it was. False: it ended without a result. */
static bool listen_to(int fd, pid_t child, const struct dbk_verify_options *options,
                      struct message *message, struct message *last)
{
    bool stopped = false;

    while (read_message(fd, message)) {
        switch (message->kind) {
        case PROGRESS:
            *last = *message;
            if (!stopped && options->progress &&
                !options->progress(options->context, message->done, message->total)) {
                kill(child, SIGKILL);
                stopped = true;
            }
            break;
        case FINDING:
            last->result.findings++;
            if (options->finding)
                options->finding(options->context, message->done, message->text);
            break;
        case RESULT:
            if (!stopped)
                return true;
            break;
        }
    }
    last->code = stopped ? DBK_INTERRUPTED : DBK_OK;
    return false;
}

/* The child died while reading: that the file kills its reader is a finding. */
static enum dbk_code conclude_dead(const struct message *last,
                                   const struct dbk_verify_options *options,
                                   struct dbk_verify_result *result,
                                   struct dbk_error *err)
{
    if (last->code == DBK_INTERRUPTED)
        return dbk_fail(err, DBK_INTERRUPTED, "stopped at record %" PRIu64, last->done);
    *result = last->result;
    result->head = last->total;
    result->findings++;
    if (options->finding)
        options->finding(options->context, last->done + 1,
                         "the file's structure is damaged: reading from about here on "
                         "ended the reader; restore from a backup");
    return DBK_OK;
}

enum dbk_code dbk_log_verify(const char *dir, const struct dbk_verify_options *options,
                             struct dbk_verify_result *result, struct dbk_error *err)
{
    struct message message = {.kind = RESULT}, last = {.kind = PROGRESS};
    bool concluded;
    int fds[2];
    pid_t child;

    memset(result, 0, sizeof *result);
    dbk_refill_remove(options->scratch_dir);
    if (pipe(fds) != 0)
        return dbk_fail(err, DBK_IO, "pipe: %s", strerror(errno));
    child = fork();
    if (child == 0) {
        close(fds[0]);
        be_child(dir, options->scratch_dir, fds[1]);
    }
    close(fds[1]);
    if (child < 0) {
        close(fds[0]);
        return dbk_fail(err, DBK_IO, "fork: %s", strerror(errno));
    }
    concluded = listen_to(fds[0], child, options, &message, &last);
    close(fds[0]);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    dbk_refill_remove(options->scratch_dir); /* a killed child leaves it */
    if (!concluded)
        return conclude_dead(&last, options, result, err);
    *result = message.result;
    return message.code == DBK_OK ? DBK_OK
                                  : dbk_fail(err, message.code, "%s", message.text);
}
