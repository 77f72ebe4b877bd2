#include "dotenv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64];
    char path[80];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->dir, sizeof place->dir, "/tmp/daybook-dotenv-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/.env", place->dir);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    rmdir(place->path);
    rmdir(place->dir);
    free(place);
    return 0;
}

static void write_bytes(const struct place *place, const char *bytes, size_t length)
{
    FILE *file = fopen(place->path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static enum dbk_code read_text(const struct place *place, const char *text,
                               struct dotenv *out, struct dbk_error *err)
{
    write_bytes(place, text, strlen(text));
    return dotenv_read(place->path, out, err);
}

static void values_are_read_as_usual(void **state)
{
    static const struct {
        const char *line;
        const char *value;
    } cases[] = {
        {"X=plain", "plain"},
        {"X=", ""},
        {"  export  X = spaced  ", "spaced"},
        {"exported=1\nX=2", "2"},
        {"X=two words # comment", "two words"},
        {"X=a#b", "a#b"},
        {"X=#comment", ""},
        {"X=a=b=c", "a=b=c"},
        {"X=\"localhost\"", "localhost"},
        {"X=\"a # b\" # comment", "a # b"},
        {"X=\"q\\\"q\\\\ \\n \\$HOME \\z\"", "q\"q\\ \n $HOME \\z"},
        {"X='as \"it\" \\n stands'", "as \"it\" \\n stands"},
        {"X=''", ""},
        {"X=\"\"", ""},
        {"X=a\"b\"", "a\"b\""},
        {"X=$HOME", "$HOME"},
        {"X=crlf\r\nY=1\r\n", "crlf"},
        {"\xef\xbb\xbfX=after a byte order mark", "after a byte order mark"},
        {"X=first\nX=last", "last"},
        {"\n\n# X=9\n \t\nX=1\n\n", "1"},
        {"X=no newline at the end", "no newline at the end"},
    };
    struct dotenv dotenv;
    struct dbk_error err;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_text(*state, cases[i].line, &dotenv, &err), DBK_OK);
        assert_non_null(dotenv_find(&dotenv, "X"));
        assert_string_equal(dotenv_find(&dotenv, "X")->value, cases[i].value);
        dotenv_finish(&dotenv);
    }
}

static void errors_name_the_line(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"A=1\n\nB", "line 3: expected NAME=VALUE"},
        {"=1", "line 1: expected NAME=VALUE"},
        {"1A=1", "line 1: expected NAME=VALUE"},
        {"A B=1", "line 1: expected NAME=VALUE"},
        {"export", "line 1: expected NAME=VALUE"},
        {"A-B=1", "line 1: expected NAME=VALUE"},
        {"A=1\nB=\"x\nC=2\"", "line 2: the closing quote is missing"},
        {"B=\"x\\\"", "line 1: the closing quote is missing"},
        {"B=\"x\\", "line 1: the closing quote is missing"},
        {"B='", "line 1: the closing quote is missing"},
        {"B='x' y", "line 1: something follows the closing quote"},
    };
    struct dotenv dotenv;
    struct dbk_error err;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_text(*state, cases[i].text, &dotenv, &err), DBK_INVALID);
        assert_non_null(strstr(err.text, cases[i].message));
        assert_null(dotenv.text);
    }
}

static void line_numbers_count_every_line(void **state)
{
    struct dotenv dotenv;
    struct dbk_error err;

    assert_int_equal(read_text(*state, "# 1\n\r\nX=3\n", &dotenv, &err), DBK_OK);
    assert_int_equal(dotenv_find(&dotenv, "X")->line, 3);
    dotenv_finish(&dotenv);
}

static void a_missing_file_is_an_empty_one(void **state)
{
    struct place *place = *state;
    struct dotenv dotenv;
    struct dbk_error err;

    assert_int_equal(dotenv_read(place->path, &dotenv, &err), DBK_OK);
    assert_int_equal(dotenv.count, 0);
    assert_null(dotenv_find(&dotenv, "X"));
    dotenv_finish(&dotenv);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    struct dotenv dotenv;
    struct dbk_error err;

    write_bytes(*state, "A=1\0B=2\n", 8);
    assert_int_equal(dotenv_read(((struct place *)*state)->path, &dotenv, &err),
                     DBK_INVALID);
    assert_non_null(strstr(err.text, "NUL"));
}

static void a_file_without_end_is_refused(void **state)
{
    struct place *place = *state;
    struct dotenv dotenv;
    struct dbk_error err;
    char *text = malloc(DOTENV_SIZE_MAX + 1);

    memset(text, '#', DOTENV_SIZE_MAX + 1);
    write_bytes(place, text, DOTENV_SIZE_MAX);
    assert_int_equal(dotenv_read(place->path, &dotenv, &err), DBK_OK);
    dotenv_finish(&dotenv);
    write_bytes(place, text, DOTENV_SIZE_MAX + 1);
    assert_int_equal(dotenv_read(place->path, &dotenv, &err), DBK_TOO_LARGE);
    free(text);
}

static void a_fifo_or_directory_in_its_place_does_not_block(void **state)
{
    struct place *place = *state;
    struct dotenv dotenv;
    struct dbk_error err;

    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_int_equal(dotenv_read(place->path, &dotenv, &err), DBK_IO);
    unlink(place->path);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_int_equal(dotenv_read(place->path, &dotenv, &err), DBK_IO);
    assert_non_null(strstr(err.text, "not a file"));
}

static void any_bytes_are_read_or_refused(void **state)
{
    static const char alphabet[] = "A=\"'\\# \n\r\texport$\xef\xbb\xbf";
    struct dotenv dotenv;
    struct dbk_error err;
    unsigned seed = 1;

    for (int round = 0; round < 2000; round++) {
        char text[48];
        size_t length = 0;

        while (length < sizeof text) {
            seed = seed * 1103515245 + 12345;
            text[length++] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        write_bytes(*state, text, length);
        if (dotenv_read(((struct place *)*state)->path, &dotenv, &err) == DBK_OK)
            dotenv_finish(&dotenv);
    }
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(values_are_read_as_usual),
        IN_PLACE(errors_name_the_line),
        IN_PLACE(line_numbers_count_every_line),
        IN_PLACE(a_missing_file_is_an_empty_one),
        IN_PLACE(bytes_that_are_no_text_are_refused),
        IN_PLACE(a_file_without_end_is_refused),
        IN_PLACE(a_fifo_or_directory_in_its_place_does_not_block),
        IN_PLACE(any_bytes_are_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
