#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compress.h"
#include "digest.h"
#include "made_log.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#define TEXT_SIZE 700000

static const enum compression kinds[] = {COMPRESSION_NONE, COMPRESSION_GZIP,
                                         COMPRESSION_ZSTD};

/* Text that compresses somewhat. */
static char *make_text(void)
{
    char *text = malloc(TEXT_SIZE);
    uint32_t state = 7;

    for (size_t i = 0; i < TEXT_SIZE; i++) {
        state = state * 1664525 + 1013904223;
        text[i] = (char)('a' + (state >> 24) % (i % 100 < 50 ? 4 : 26));
    }
    return text;
}

/* Compress text in pieces to the file; returns how long the file is. */
static uint64_t write_file(struct made *made, const char *name, enum compression kind,
                           const char *text, size_t length)
{
    int fd = open(made_path(made, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct compress_writer *writer;
    uint64_t written;

    assert_int_equal(compress_writer_open(fd, kind, &writer, &made->err), DBK_OK);
    for (size_t done = 0; done < length;) {
        size_t piece = length - done < 99999 ? length - done : 99999;
        assert_int_equal(compress_write(writer, text + done, piece, &made->err),
                         DBK_OK);
        done += piece;
    }
    assert_int_equal(compress_end(writer, &made->err), DBK_OK);
    written = compress_written(writer);
    compress_writer_close(writer);
    close(fd);
    return written;
}

static char *read_whole(struct made *made, const char *name, size_t *length)
{
    FILE *file = fopen(made_path(made, name), "rb");
    char *bytes = malloc(2 * TEXT_SIZE);

    assert_non_null(file);
    *length = fread(bytes, 1, 2 * TEXT_SIZE, file);
    fclose(file);
    return bytes;
}

/* Read all of it; returns the code, *length how much came. */
static enum dbk_code read_all(struct compress_reader *reader, char *out, size_t size,
                              size_t *length, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    size_t got = 1;

    for (*length = 0; code == DBK_OK && got > 0;) {
        size_t room = size - *length < 5000 ? size - *length : 5000;
        code = compress_read(reader, out + *length, room, &got, err);
        if (code == DBK_OK)
            *length += got;
    }
    compress_reader_close(reader);
    return code;
}

static enum dbk_code read_bytes(const char *bytes, size_t length, char *out,
                                size_t *got, struct dbk_error *err)
{
    struct compress_reader *reader;

    assert_int_equal(
        compress_reader_open_bytes((struct dbk_slice){bytes, length}, &reader, err),
        DBK_OK);
    return read_all(reader, out, 3 * TEXT_SIZE, got, err);
}

static void what_is_written_is_read_whatever_its_name(void **state)
{
    struct made *made = *state;
    char *text = make_text(), *out = malloc(3 * TEXT_SIZE);

    for (size_t i = 0; i < 3; i++) {
        struct compress_reader *reader;
        struct dbk_slice front;
        size_t length;
        uint64_t written = write_file(made, "file", kinds[i], text, TEXT_SIZE);
        assert_true(i == 0 ? written == TEXT_SIZE : written < TEXT_SIZE * 3 / 4);
        assert_int_equal(
            compress_reader_open(made_path(made, "file"), NULL, &reader, &made->err),
            DBK_OK);
        assert_int_equal(compress_front(reader, &front, &made->err), DBK_OK);
        assert_int_equal(front.length, COMPRESS_FRONT);
        assert_memory_equal(front.data, text, COMPRESS_FRONT);
        assert_true(compress_share(reader) > 0);
        assert_int_equal(read_all(reader, out, 3 * TEXT_SIZE, &length, &made->err),
                         DBK_OK);
        assert_int_equal(length, TEXT_SIZE);
        assert_memory_equal(out, text, TEXT_SIZE);
    }
    free(text);
    free(out);
}

static void the_same_bytes_give_the_same_file(void **state)
{
    struct made *made = *state;
    char *text = make_text();

    for (size_t i = 0; i < 3; i++) {
        size_t first_length, second_length;
        char *first, *second;
        write_file(made, "file", kinds[i], text, TEXT_SIZE);
        first = read_whole(made, "file", &first_length);
        write_file(made, "file", kinds[i], text, TEXT_SIZE);
        second = read_whole(made, "file", &second_length);
        assert_int_equal(first_length, second_length);
        assert_memory_equal(first, second, first_length);
        free(first);
        free(second);
    }
    free(text);
}

static void an_empty_file_is_empty(void **state)
{
    struct made *made = *state;
    char out[16];

    for (size_t i = 0; i < 3; i++) {
        struct compress_reader *reader;
        struct dbk_slice front;
        size_t length;
        write_file(made, "file", kinds[i], "", 0);
        assert_int_equal(
            compress_reader_open(made_path(made, "file"), NULL, &reader, &made->err),
            DBK_OK);
        assert_int_equal(compress_front(reader, &front, &made->err), DBK_OK);
        assert_int_equal(front.length, 0);
        assert_int_equal(read_all(reader, out, sizeof out, &length, &made->err),
                         DBK_OK);
        assert_int_equal(length, 0);
    }
}

static void two_streams_in_a_row_are_one(void **state)
{
    struct made *made = *state;
    char out[3 * 64];

    for (size_t i = 1; i < 3; i++) {
        size_t length, got;
        char *bytes;
        write_file(made, "file", kinds[i], "hello ", 6);
        bytes = read_whole(made, "file", &length);
        memcpy(bytes + length, bytes, length);
        struct compress_reader *reader;
        assert_int_equal(
            compress_reader_open_bytes((struct dbk_slice){bytes, 2 * length}, &reader,
                                       &made->err),
            DBK_OK);
        assert_int_equal(read_all(reader, out, sizeof out, &got, &made->err), DBK_OK);
        assert_int_equal(got, 12);
        assert_memory_equal(out, "hello hello ", 12);
        free(bytes);
    }
}

static void cut_anywhere_it_fails(void **state)
{
    struct made *made = *state;
    char *text = make_text(), *out = malloc(3 * TEXT_SIZE);

    for (size_t i = 1; i < 3; i++) {
        size_t length, got;
        char *bytes;
        write_file(made, "file", kinds[i], text, 3000);
        bytes = read_whole(made, "file", &length);
        for (size_t cut = 4; cut < length; cut++) {
            assert_int_equal(read_bytes(bytes, cut, out, &got, &made->err),
                             DBK_DAMAGED);
            assert_non_null(strstr(made->err.text, "cut short"));
        }
        free(bytes);
    }
    free(text);
    free(out);
}

static void a_flipped_bit_fails_or_changes_nothing(void **state)
{
    struct made *made = *state;
    char *text = make_text(), *out = malloc(3 * TEXT_SIZE);

    for (size_t i = 1; i < 3; i++) {
        size_t length, got, failed = 0;
        char *bytes;
        write_file(made, "file", kinds[i], text, 1000);
        bytes = read_whole(made, "file", &length);
        for (size_t at = 4; at < length; at++) {
            bytes[at] ^= 4;
            if (read_bytes(bytes, length, out, &got, &made->err) == DBK_DAMAGED) {
                failed++;
            } else { /* in what a header says of time and system */
                assert_int_equal(got, 1000);
                assert_memory_equal(out, text, 1000);
            }
            bytes[at] ^= 4;
        }
        assert_true(failed >= length - 10);
        free(bytes);
    }
    free(text);
    free(out);
}

static void bytes_behind_the_end_are_damage(void **state)
{
    struct made *made = *state;
    char out[64];

    for (size_t i = 1; i < 3; i++) {
        struct compress_reader *reader;
        size_t length, got;
        char *bytes;
        write_file(made, "file", kinds[i], "hello", 5);
        bytes = read_whole(made, "file", &length);
        memcpy(bytes + length, "more", 4);
        assert_int_equal(
            compress_reader_open_bytes((struct dbk_slice){bytes, length + 4}, &reader,
                                       &made->err),
            DBK_OK);
        assert_int_equal(read_all(reader, out, sizeof out, &got, &made->err),
                         DBK_DAMAGED);
        free(bytes);
    }
}

static void what_was_flushed_can_be_read(void **state)
{
    struct made *made = *state;

    for (size_t i = 0; i < 3; i++) {
        struct compress_writer *writer;
        struct compress_reader *reader;
        char out[64];
        size_t got = 0, length;
        char *bytes;
        int fd = open(made_path(made, "file"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(compress_writer_open(fd, kinds[i], &writer, &made->err),
                         DBK_OK);
        assert_int_equal(compress_write(writer, "hello", 5, &made->err), DBK_OK);
        assert_int_equal(compress_flush(writer, &made->err), DBK_OK);
        bytes = read_whole(made, "file", &length);
        assert_int_equal(compress_reader_open_bytes((struct dbk_slice){bytes, length},
                                                    &reader, &made->err),
                         DBK_OK);
        assert_int_equal(compress_read(reader, out, sizeof out, &got, &made->err),
                         DBK_OK);
        assert_int_equal(got, 5);
        assert_memory_equal(out, "hello", 5);
        compress_reader_close(reader);
        compress_writer_close(writer);
        close(fd);
        free(bytes);
    }
}

static void a_pipe_nobody_reads_is_told(void **state)
{
    struct made *made = *state;
    struct compress_writer *writer;
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(
        compress_writer_open(fds[1], COMPRESSION_NONE, &writer, &made->err), DBK_OK);
    assert_int_equal(compress_write(writer, "hello", 5, &made->err), DBK_UNAVAILABLE);
    compress_writer_close(writer);
    close(fds[1]);
}

static bool third_time(void *context)
{
    return ++*(int *)context == 3;
}

static void waiting_for_a_pipe_can_be_stopped(void **state)
{
    struct made *made = *state;
    struct compress_reader *reader;
    char out[64];
    size_t got;
    int asked = 0, fd;
    const struct dbk_watch watch = {.stop = third_time, .context = &asked};

    assert_int_equal(mkfifo(made_path(made, "fifo"), 0600), 0);
    fd = open(made_path(made, "fifo"), O_RDWR);
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(
        compress_reader_open(made_path(made, "fifo"), &watch, &reader, &made->err),
        DBK_OK);
    assert_int_equal(compress_read(reader, out, sizeof out, &got, &made->err), DBK_OK);
    assert_int_equal(got, 5);
    assert_true(compress_share(reader) < 0);
    assert_int_equal(compress_read(reader, out, sizeof out, &got, &made->err),
                     DBK_INTERRUPTED);
    assert_int_equal(asked, 3);
    compress_reader_close(reader);
    close(fd);
}

static void a_name_says_how_to_compress(void **state)
{
    (void)state;
    assert_int_equal(compression_of("a.ndjson.gz"), COMPRESSION_GZIP);
    assert_int_equal(compression_of("/b/c.zst"), COMPRESSION_ZSTD);
    assert_int_equal(compression_of("a.gz.ndjson"), COMPRESSION_NONE);
    assert_int_equal(compression_of("gz"), COMPRESSION_NONE);
}

/* Source of the digests: FIPS 180-2, appendix B. */
static void a_digest_is_sha256(void **state)
{
    struct made *made = *state;
    struct digest *digest;
    char hex[DIGEST_HEX + 1];

    assert_int_equal(digest_create(&digest, &made->err), DBK_OK);
    digest_add(digest, "a", 1);
    digest_add(digest, "bc", 2);
    assert_int_equal(digest_hex(digest, hex, &made->err), DBK_OK);
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(digest_hex(digest, hex, &made->err), DBK_OK); /* and once more */
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_destroy(digest);
    digest_destroy(NULL);
}

#define WITH_DIRECTORY(test)                                                           \
    cmocka_unit_test_setup_teardown(test, made_setup, made_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(what_is_written_is_read_whatever_its_name),
        WITH_DIRECTORY(the_same_bytes_give_the_same_file),
        WITH_DIRECTORY(an_empty_file_is_empty),
        WITH_DIRECTORY(two_streams_in_a_row_are_one),
        WITH_DIRECTORY(cut_anywhere_it_fails),
        WITH_DIRECTORY(a_flipped_bit_fails_or_changes_nothing),
        WITH_DIRECTORY(bytes_behind_the_end_are_damage),
        WITH_DIRECTORY(what_was_flushed_can_be_read),
        WITH_DIRECTORY(a_pipe_nobody_reads_is_told),
        WITH_DIRECTORY(waiting_for_a_pipe_can_be_stopped),
        cmocka_unit_test(a_name_says_how_to_compress),
        WITH_DIRECTORY(a_digest_is_sha256),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
