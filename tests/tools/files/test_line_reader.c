#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "line_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

/* A file that is gone after each test. */
static char path[] = "/tmp/daybook-lines-XXXXXX";

static int make_path(void **state)
{
    int fd;

    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_plain(const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void write_gzip(const char *text, size_t length)
{
    gzFile file = gzopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)length), (int)length);
    assert_int_equal(gzclose(file), Z_OK);
}

static struct line_reader *open_path(void)
{
    struct line_reader *lines;
    struct dbk_error err = {0};

    if (line_reader_open(path, &lines, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return lines;
}

static void assert_line(struct line_reader *lines, uint64_t number,
                        const char *expected)
{
    struct dbk_slice line;
    struct dbk_error err = {0};

    assert_int_equal(line_reader_next(lines, &line, &err), LINE_READ);
    assert_true(dbk_slice_equal(line, dbk_slice(expected)));
    assert_int_equal(line_reader_number(lines), number);
}

static void assert_end(struct line_reader *lines)
{
    struct dbk_slice line;
    struct dbk_error err = {0};

    assert_int_equal(line_reader_next(lines, &line, &err), LINE_END);
    assert_int_equal(line_reader_next(lines, &line, &err), LINE_END);
    line_reader_close(lines);
}

static void plain_and_gzip_read_the_same(void **state)
{
    static const char text[] = "one\n\ntwo\r\n  three  \nfour";

    (void)state;
    for (int gzip = 0; gzip < 2; gzip++) {
        struct line_reader *lines;
        if (gzip)
            write_gzip(text, sizeof text - 1);
        else
            write_plain(text, sizeof text - 1);
        lines = open_path();
        assert_line(lines, 1, "one");
        assert_line(lines, 2, "");
        assert_line(lines, 3, "two");
        assert_line(lines, 4, "  three  ");
        assert_line(lines, 5, "four");
        assert_true(line_reader_share(lines) == 1);
        assert_end(lines);
    }
}

static void an_empty_file_has_no_lines(void **state)
{
    (void)state;
    write_plain("", 0);
    assert_end(open_path());
    write_gzip("", 0);
    assert_end(open_path());
}

static void many_lines_cross_the_edges_of_what_is_read(void **state)
{
    size_t count = 300000, used = 0;
    char *text = malloc(count * 24);
    struct line_reader *lines;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        used +=
            (size_t)sprintf(text + used, "line %zu%.*s\n", i, (int)(i % 9), "12345678");
    write_gzip(text, used);
    free(text);
    lines = open_path();
    for (size_t i = 0; i < count; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "line %zu%.*s", i, (int)(i % 9),
                 "12345678");
        assert_line(lines, i + 1, expected);
    }
    assert_end(lines);
}

/* A line of length bytes, then a short one. */
static void long_then_short(size_t length, enum line_read expected)
{
    char *text = malloc(length + 8);
    struct line_reader *lines;
    struct dbk_slice line;
    struct dbk_error err = {0};

    assert_non_null(text);
    memset(text, 'x', length);
    memcpy(text + length, "\nnext", 5);
    write_plain(text, length + 5);
    free(text);
    lines = open_path();
    assert_int_equal(line_reader_next(lines, &line, &err), expected);
    assert_int_equal(line_reader_number(lines), 1);
    if (expected == LINE_READ)
        assert_int_equal(line.length, length);
    assert_line(lines, 2, "next");
    assert_end(lines);
}

static void a_line_too_long_is_skipped_to_its_end(void **state)
{
    (void)state;
    long_then_short(LINE_READER_MAX, LINE_READ);
    long_then_short(LINE_READER_MAX + 1, LINE_TOO_LONG);
    long_then_short(5 * LINE_READER_MAX + 77, LINE_TOO_LONG);
}

static void a_file_cut_anywhere_fails_and_is_no_end(void **state)
{
    char text[4000], whole[8000];
    size_t size, cut;
    FILE *file;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) /* hard to compress */
        text[i] = i % 50 == 49 ? '\n' : (char)('0' + (i * i * 31 + i / 7) % 75);
    write_gzip(text, sizeof text);
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    for (cut = 4; cut < size; cut += cut < size - 12 ? 37 : 1) {
        struct line_reader *lines;
        struct dbk_slice line;
        struct dbk_error err = {0};
        enum line_read last;
        write_plain(whole, cut);
        lines = open_path();
        while ((last = line_reader_next(lines, &line, &err)) == LINE_READ)
            ;
        assert_int_equal(last, LINE_FAILED);
        assert_int_equal(err.code, DBK_DAMAGED);
        line_reader_close(lines);
    }
}

static void a_damaged_file_fails(void **state)
{
    struct line_reader *lines;
    struct dbk_slice line;
    struct dbk_error err = {0};
    FILE *file;

    (void)state;
    write_gzip("some text\nand more\n", 19);
    file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, -6, SEEK_END); /* in the checksum */
    fputc('!', file);
    fclose(file);
    lines = open_path();
    while (line_reader_next(lines, &line, &err) == LINE_READ)
        ;
    assert_int_equal(err.code, DBK_DAMAGED);
    assert_non_null(strstr(err.text, "damaged"));
    line_reader_close(lines);
}

static void what_is_no_file_is_refused(void **state)
{
    struct line_reader *lines;
    struct dbk_slice line;
    struct dbk_error err = {0};

    (void)state;
    assert_int_equal(line_reader_open("/nowhere/at/all", &lines, &err), DBK_NOT_FOUND);
    assert_null(lines);
    if (line_reader_open("/tmp", &lines, &err) == DBK_OK) {
        assert_int_equal(line_reader_next(lines, &line, &err), LINE_FAILED);
        line_reader_close(lines);
    }
    assert_int_equal(err.code, DBK_IO);
    line_reader_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_and_gzip_read_the_same, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_lines, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(many_lines_cross_the_edges_of_what_is_read,
                                        make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_line_too_long_is_skipped_to_its_end,
                                        make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_file_cut_anywhere_fails_and_is_no_end,
                                        make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_damaged_file_fails, make_path, remove_path),
        cmocka_unit_test(what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
