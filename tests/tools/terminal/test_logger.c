#include "logger.h"

#include "http/tokens.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the next writes do: fail with an error number, or take no more than so many
 * bytes; 0: what they really do. */
struct step {
    int error;
    size_t most;
};
static const struct step *steps;

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    struct step step;

    if (!steps)
        return __real_write(fd, bytes, length);
    step = *steps;
    steps = step.error || step.most ? steps + 1 : NULL;
    errno = step.error;
    if (step.error)
        return -1;
    return __real_write(fd, bytes,
                        step.most && step.most < length ? step.most : length);
}

struct place {
    int read_end;
    struct logger logger;
    char text[1 << 16];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    place->read_end = ends[0];
    place->logger = (struct logger){.fd = ends[1], .level = LOG_LEVEL_INFO};
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    close(place->read_end);
    close(place->logger.fd);
    free(place);
    return 0;
}

/* What was written since, behind the time, which is 27 characters. */
static const char *written(struct place *place)
{
    ssize_t got = read(place->read_end, place->text, sizeof place->text - 1);

    place->text[got > 0 ? got : 0] = '\0';
    return place->text;
}

static void log_value(struct place *place, const char *value)
{
    struct log_field field = {.key = "k", .text = value};

    logger_write(&place->logger, LOG_LEVEL_INFO, "m", &field, 1);
}

static void a_line_has_time_level_message_and_fields(void **state)
{
    struct place *place = *state;
    struct log_field fields[] = {{.key = "path", .text = "/a"},
                                 {.key = "status", .number = -7}};

    logger_write(&place->logger, LOG_LEVEL_WARN, "a message", fields, 2);
    assert_string_equal(written(place) + 27, " warn a message path=/a status=-7\n");
    assert_int_equal(place->text[10], 'T');
    assert_int_equal(place->text[26], 'Z');
}

static void a_token_is_hidden_wherever_it_comes(void **state)
{
    static const char secret[] = "dbk_0123456789-_abcdefghijklmnopqrstuvwxyzABCDE";
    struct place *place = *state;
    char path[128];

    assert_int_equal(strlen(secret), DBK_TOKEN_SECRET);
    snprintf(path, sizeof path, "/persons?access_token=%s&limit=1", secret);
    log_value(place, path);
    assert_string_equal(written(place) + 27,
                        " info m k=\"/persons?access_token=dbk_"
                        "*******************************************&limit=1\"\n");
    place->logger.json = true;
    log_value(place, secret);
    assert_null(strstr(written(place), "0123"));
}

static void json_has_the_same(void **state)
{
    struct place *place = *state;
    struct log_field fields[] = {{.key = "path", .text = "/a\"\\\n"},
                                 {.key = "status", .number = 200}};

    place->logger.json = true;
    logger_write(&place->logger, LOG_LEVEL_ERROR, "m\"", fields, 2);
    assert_non_null(strstr(written(place),
                           "Z\",\"level\":\"error\",\"message\":\"m\\\"\","
                           "\"path\":\"/a\\\"\\\\\\u000a\",\"status\":200}\n"));
}

static void entries_past_the_level_are_dropped(void **state)
{
    struct place *place = *state;

    place->logger.level = LOG_LEVEL_WARN;
    logger_line(&place->logger, LOG_LEVEL_INFO, "dropped");
    assert_string_equal(written(place), "");
    logger_line(&place->logger, LOG_LEVEL_ERROR, "kept");
    assert_non_null(strstr(written(place), "error kept\n"));
}

static void a_value_cannot_leave_its_place(void **state)
{
    static const struct {
        const char *value;
        const char *text;
    } cases[] = {
        {"", "k=\"\""},
        {"a b", "k=\"a b\""},
        {"a=b", "k=\"a=b\""},
        {"x\n2026-11-23T17:00:00.000000Z info forged",
         "k=\"x\\n2026-11-23T17:00:00.000000Z info forged\""},
        {"\" forged=1 \"", "k=\"\\\" forged=1 \\\"\""},
        {"a\\", "k=\"a\\\\\""},
        {"\x1b[2J\r\t\x7f\x01", "k=\"\\x1b[2J\\r\\t\\x7f\\x01\""},
        {"\xc3\xa9", "k=\"\xc3\xa9\""},
        {"\xff\xc3", "k=\"\\xff\\xc3\""},          /* not UTF-8 */
        {"\xc0\x8a", "k=\"\\xc0\\x8a\""},          /* an overlong newline */
        {"\xc0\xaf", "k=\"\\xc0\\xaf\""},          /* an overlong slash */
        {"\xed\xa0\x80", "k=\"\\xed\\xa0\\x80\""}, /* a surrogate */
        {"\xc2\x85", "k=\"\\xc2\\x85\""},          /* NEXT LINE */
        {"\xe2\x80\xa8", "k=\"\\xe2\\x80\\xa8\""}, /* LINE SEPARATOR */
        {"\xe2\x80\xae", "k=\"\\xe2\\x80\\xae\""}, /* right to left */
        {"\xf4\x90\x80\x80", "k=\"\\xf4\\x90\\x80\\x80\""},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[256] = " info m ";

        strcat(strcat(expected, cases[i].text), "\n");
        log_value(place, cases[i].value);
        assert_string_equal(written(place) + 27, expected);
    }
}

static void a_message_cannot_break_its_line(void **state)
{
    struct place *place = *state;

    logger_line(&place->logger, LOG_LEVEL_INFO, "one\ntwo\x1b");
    assert_string_equal(written(place) + 27, " info one\\ntwo\\x1b\n");
}

static void json_replaces_what_is_not_utf8(void **state)
{
    struct place *place = *state;

    place->logger.json = true;
    log_value(place, "a\xff\xe2\x80\xa8\xf0\x9f\x98\x80");
    assert_non_null(
        strstr(written(place), "\"k\":\"a\\ufffd\\u2028\xf0\x9f\x98\x80\"}\n"));
}

static void too_much_is_cut_and_says_so(void **state)
{
    struct place *place = *state;
    char *value = malloc(100000);

    memset(value, '\n', 99999);
    value[99999] = '\0';
    log_value(place, value);
    assert_string_equal(written(place) + 27, " info m cut=true\n");
    place->logger.json = true;
    log_value(place, value);
    assert_non_null(strstr(written(place), "\"message\":\"m\",\"cut\":true}\n"));
    logger_line(&place->logger, LOG_LEVEL_INFO, value);
    assert_non_null(strstr(written(place), "\\u000a\",\"cut\":true}\n"));
    assert_true(strlen(place->text) <= 4096);
    free(value);
}

static void a_line_is_written_to_its_end(void **state)
{
    static const struct step bumpy[] = {{EINTR, 0},  {0, 5},  {EINTR, 0}, {0, 1},
                                        {EAGAIN, 0}, {0, 30}, {0, 0}};
    struct place *place = *state;

    steps = bumpy;
    log_value(place, "aaaaaaaaaaaaaaaaaaaa");
    assert_string_equal(written(place) + 27, " info m k=aaaaaaaaaaaaaaaaaaaa\n");
}

static void a_line_that_cannot_be_written_is_given_up(void **state)
{
    static const struct step broken[] = {{EPIPE, 0}, {0, 0}};
    struct place *place = *state;

    steps = broken;
    log_value(place, "lost");
    assert_string_equal(written(place), "");
    log_value(place, "b");
    assert_string_equal(written(place) + 27, " info m k=b\n");
}

#define THREADS 4
#define LINES 200

static void *log_lines(void *context)
{
    for (int i = 0; i < LINES; i++)
        log_value(context, "aaaaaaaaaaaaaaaaaaaa");
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    struct place *place = *state;
    pthread_t threads[THREADS];
    size_t count = 0;
    char *line;

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, place), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    written(place);
    for (line = strtok(place->text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_string_equal(line + 27, " info m k=aaaaaaaaaaaaaaaaaaaa");
        count++;
    }
    assert_int_equal(count, THREADS * LINES);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_line_has_time_level_message_and_fields),
        IN_PLACE(a_token_is_hidden_wherever_it_comes),
        IN_PLACE(json_has_the_same),
        IN_PLACE(entries_past_the_level_are_dropped),
        IN_PLACE(a_value_cannot_leave_its_place),
        IN_PLACE(a_message_cannot_break_its_line),
        IN_PLACE(json_replaces_what_is_not_utf8),
        IN_PLACE(too_much_is_cut_and_says_so),
        IN_PLACE(a_line_is_written_to_its_end),
        IN_PLACE(a_line_that_cannot_be_written_is_given_up),
        IN_PLACE(lines_of_threads_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
