#include "sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the caller heard. */
struct heard {
    size_t findings, progress;
    bool stop;
};

static void note(void *context, uint64_t sequence, const char *text)
{
    struct heard *heard = context;

    assert_int_equal(sequence, 5);
    assert_string_equal(text, "wrong");
    heard->findings++;
}

static void hear(void *context, const char *phase, const char *unit, uint64_t done,
                 uint64_t total)
{
    struct heard *heard = context;

    assert_string_equal(phase, "reading");
    assert_string_equal(unit, "records");
    assert_int_equal(done, 7);
    assert_int_equal(total, 9);
    heard->progress++;
}

static bool asked_to_stop(void *context)
{
    const struct heard *heard = context;

    return heard->stop && heard->progress > 0;
}

static enum dbk_code tell_progress(const struct dbk_verify_options *options)
{
    return dbk_watch_progress(&options->watch, "reading", "records", 7, 9, NULL);
}

static enum dbk_code sandbox(sandbox_body *run, struct heard *heard,
                             struct dbk_verify_result *result, uint64_t *died_at,
                             struct dbk_error *err)
{
    const struct dbk_verify_options options = {
        .finding = note,
        .context = heard,
        .watch = {.progress = hear, .stop = asked_to_stop, .context = heard}};
    enum dbk_code code = sandbox_run(run, "dir", &options, result, died_at, err);

    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no process is left behind */
    assert_int_equal(errno, ECHILD);
    return code;
}

static enum dbk_code tell_all(const void *what,
                              const struct dbk_verify_options *options,
                              struct dbk_verify_result *result, struct dbk_error *err)
{
    if (strcmp(what, "dir") != 0)
        return dbk_fail(err, DBK_INTERNAL, "another directory");
    for (int i = 0; i < 150; i++)
        options->finding(options->context, 5, "wrong");
    tell_progress(options);
    *result = (struct dbk_verify_result){.head = 9, .records = 8, .findings = 150};
    return DBK_OK;
}

static void what_was_found_reaches_the_caller(void **state)
{
    struct dbk_verify_result result;
    struct heard heard = {0};
    struct dbk_error err;
    uint64_t died_at;

    (void)state;
    assert_int_equal(sandbox(tell_all, &heard, &result, &died_at, &err), DBK_OK);
    assert_int_equal(died_at, 0);
    assert_int_equal(result.findings, 150);
    assert_int_equal(heard.findings, 100);
    assert_int_equal(heard.progress, 1);
    assert_int_equal(result.records, 8);
}

static enum dbk_code fail_at_it(const void *what,
                                const struct dbk_verify_options *options,
                                struct dbk_verify_result *result, struct dbk_error *err)
{
    (void)options;
    (void)result;
    return dbk_fail(err, DBK_NOT_FOUND, "%s is not there", (const char *)what);
}

static void a_failure_reaches_the_caller(void **state)
{
    struct dbk_verify_result result;
    struct heard heard = {0};
    struct dbk_error err;
    uint64_t died_at;

    (void)state;
    assert_int_equal(sandbox(fail_at_it, &heard, &result, &died_at, &err),
                     DBK_NOT_FOUND);
    assert_string_equal(err.text, "dir is not there");
}

static enum dbk_code die(const struct dbk_verify_options *options, int number)
{
    options->finding(options->context, 5, "wrong");
    tell_progress(options);
    raise(number);
    return DBK_OK;
}

static enum dbk_code read_wild(const void *what,
                               const struct dbk_verify_options *options,
                               struct dbk_verify_result *result, struct dbk_error *err)
{
    (void)what;
    (void)err;
    result->records = 4; /* known to the one that dies only */
    return die(options, SIGBUS);
}

static void what_kills_its_reader_is_told_with_the_place(void **state)
{
    struct dbk_verify_result result;
    struct heard heard = {0};
    struct dbk_error err;
    uint64_t died_at;

    (void)state;
    assert_int_equal(sandbox(read_wild, &heard, &result, &died_at, &err), DBK_OK);
    assert_int_equal(died_at, 8);
    assert_int_equal(result.findings, 1);
    assert_int_equal(result.head, 9);
    assert_int_equal(result.records, 0);
    assert_false(result.whole);
}

static enum dbk_code be_killed(const void *what,
                               const struct dbk_verify_options *options,
                               struct dbk_verify_result *result, struct dbk_error *err)
{
    (void)what;
    (void)result;
    (void)err;
    return die(options, SIGKILL);
}

static void killed_from_outside_says_nothing_about_the_log(void **state)
{
    struct dbk_verify_result result;
    struct heard heard = {0};
    struct dbk_error err;
    uint64_t died_at;

    (void)state;
    assert_int_equal(sandbox(be_killed, &heard, &result, &died_at, &err), DBK_IO);
    assert_non_null(strstr(err.text, "signal 9"));
}

static enum dbk_code go_on_for_ever(const void *what,
                                    const struct dbk_verify_options *options,
                                    struct dbk_verify_result *result,
                                    struct dbk_error *err)
{
    (void)what;
    (void)result;
    while (tell_progress(options) == DBK_OK)
        continue;
    return dbk_fail(err, DBK_INTERNAL, "nobody hears this");
}

static void it_is_stopped(void **state)
{
    struct dbk_verify_result result;
    struct heard heard = {.stop = true};
    struct dbk_error err;
    uint64_t died_at;

    (void)state;
    assert_int_equal(sandbox(go_on_for_ever, &heard, &result, &died_at, &err),
                     DBK_INTERRUPTED);
    assert_int_equal(heard.progress, 1);
}

static enum dbk_code be_silent(const void *what,
                               const struct dbk_verify_options *options,
                               struct dbk_verify_result *result, struct dbk_error *err)
{
    (void)what;
    (void)options;
    (void)result;
    for (;;)
        pause();
    return dbk_fail(err, DBK_INTERNAL, "nobody hears this");
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

static void a_silent_one_is_stopped_too(void **state)
{
    const struct dbk_verify_options options = {.watch = {.stop = at_once}};
    struct dbk_verify_result result;
    struct dbk_error err;
    uint64_t died_at;

    (void)state;
    assert_int_equal(sandbox_run(be_silent, "dir", &options, &result, &died_at, &err),
                     DBK_INTERRUPTED);
}

static bool tell_and_go_on(void *context)
{
    return write(*(int *)context, ".", 1) != 1;
}

/* All that lives has the pipe open: its end is theirs. */
static void it_dies_with_its_parent(void **state)
{
    struct dbk_verify_options options = {.watch = {.stop = tell_and_go_on}};
    struct pollfd ready = {.events = POLLIN};
    struct dbk_verify_result result;
    uint64_t died_at;
    pid_t parent;
    char byte;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    options.watch.context = &fds[1];
    parent = fork();
    if (parent == 0) {
        close(fds[0]);
        sandbox_run(be_silent, "dir", &options, &result, &died_at, NULL);
        _exit(1);
    }
    close(fds[1]);
    ready.fd = fds[0];
    assert_int_equal(read(fds[0], &byte, 1), 1); /* both are there */
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    do
        assert_int_equal(poll(&ready, 1, 10000), 1);
    while (read(fds[0], &byte, 1) == 1);
    close(fds[0]);
}

/* A library that complains must not do so into a file of the log. */
static enum dbk_code look_at_stderr(const void *what,
                                    const struct dbk_verify_options *options,
                                    struct dbk_verify_result *result,
                                    struct dbk_error *err)
{
    struct stat status;

    (void)what;
    (void)options;
    (void)result;
    if (fstat(STDERR_FILENO, &status) != 0)
        return dbk_fail(err, DBK_IO, "the next file that is opened becomes stderr");
    if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
        return dbk_fail(err, DBK_IO, "not /dev/null");
    return DBK_OK;
}

static void last_words_go_nowhere(void **state)
{
    struct dbk_verify_result result;
    struct heard heard = {0};
    struct dbk_error err = {.text = ""};
    uint64_t died_at;

    (void)state;
    sandbox(look_at_stderr, &heard, &result, &died_at, &err);
    assert_string_equal(err.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_found_reaches_the_caller),
        cmocka_unit_test(a_failure_reaches_the_caller),
        cmocka_unit_test(what_kills_its_reader_is_told_with_the_place),
        cmocka_unit_test(killed_from_outside_says_nothing_about_the_log),
        cmocka_unit_test(it_is_stopped),
        cmocka_unit_test(a_silent_one_is_stopped_too),
        cmocka_unit_test(it_dies_with_its_parent),
        cmocka_unit_test(last_words_go_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
