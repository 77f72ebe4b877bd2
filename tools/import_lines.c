#include "import_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK ((size_t)256 * 1024)

struct import_lines {
    gzFile file; /* reads what is not gzip as it is */
    double size; /* of the file, as it lies on disk; 0: unknown */
    uint64_t number;
    bool ended;   /* nothing more comes from the file */
    size_t start; /* what is read and not yet given: buffer[start..end) */
    size_t end;
    char buffer[IMPORT_LINE_MAX + CHUNK];
};

static enum dbk_code open_file(const char *path, struct import_lines *lines,
                               struct dbk_error *err)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return dbk_fail(err, errno == ENOENT ? DBK_NOT_FOUND : DBK_IO, "%s: %s", path,
                        strerror(errno));
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        lines->size = (double)status.st_size;
    lines->file = gzdopen(fd, "rb");
    if (!lines->file) {
        close(fd);
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory while opening %s", path);
    }
    gzbuffer(lines->file, (unsigned)CHUNK);
    return DBK_OK;
}

enum dbk_code import_lines_open(const char *path, struct import_lines **lines,
                                struct dbk_error *err)
{
    enum dbk_code code;

    *lines = calloc(1, sizeof **lines);
    if (!*lines)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory while opening %s", path);
    code = open_file(path, *lines, err);
    if (code != DBK_OK) {
        free(*lines);
        *lines = NULL;
    }
    return code;
}

void import_lines_close(struct import_lines *lines)
{
    if (!lines)
        return;
    gzclose(lines->file);
    free(lines);
}

static enum dbk_code read_fail(struct import_lines *lines, struct dbk_error *err)
{
    int number;
    const char *text = gzerror(lines->file, &number);

    if (number == Z_BUF_ERROR)
        return dbk_fail(err, DBK_DAMAGED, "the gzip file is cut short");
    if (number == Z_ERRNO)
        return dbk_fail(err, DBK_IO, "%s", strerror(errno));
    return dbk_fail(err, DBK_DAMAGED, "the gzip file is damaged (%s)", text);
}

/* Read more behind what is not yet given, which is moved to the front. */
static enum dbk_code fill(struct import_lines *lines, struct dbk_error *err)
{
    size_t kept = lines->end - lines->start;
    size_t room = sizeof lines->buffer - kept;
    int got, number;

    memmove(lines->buffer, lines->buffer + lines->start, kept);
    lines->start = 0;
    lines->end = kept;
    got = gzread(lines->file, lines->buffer + kept,
                 (unsigned)(room < CHUNK ? room : CHUNK));
    if (got < 0)
        return read_fail(lines, err);
    lines->end += (size_t)got;
    if (got == 0) {
        gzerror(lines->file, &number); /* a cut file reads as an end, with an error */
        if (number != Z_OK && number != Z_STREAM_END)
            return read_fail(lines, err);
        lines->ended = true;
    }
    return DBK_OK;
}

/* Drop what there is up to and with the next line feed. */
static enum import_line skip_line(struct import_lines *lines, struct dbk_error *err)
{
    for (;;) {
        char *feed =
            memchr(lines->buffer + lines->start, '\n', lines->end - lines->start);
        if (feed) {
            lines->start = (size_t)(feed - lines->buffer) + 1;
            return IMPORT_LONG_LINE;
        }
        lines->start = lines->end = 0;
        if (lines->ended)
            return IMPORT_LONG_LINE;
        if (fill(lines, err) != DBK_OK)
            return IMPORT_FAILED;
    }
}

/* Give the line of length bytes that is at hand; behind is how many end it. */
static enum import_line give_line(struct import_lines *lines, size_t length,
                                  size_t behind, struct dbk_slice *line)
{
    *line = (struct dbk_slice){lines->buffer + lines->start, length};
    lines->start += length + behind;
    if (length > 0 && line->data[length - 1] == '\r')
        line->length--;
    return IMPORT_LINE;
}

static enum import_line next_line(struct import_lines *lines, struct dbk_slice *line,
                                  struct dbk_error *err)
{
    size_t searched = 0; /* of the line at hand: no feed is in it */

    for (;;) {
        size_t held = lines->end - lines->start;
        char *at = lines->buffer + lines->start;
        char *feed = memchr(at + searched, '\n', held - searched);
        size_t length = feed ? (size_t)(feed - at) : held;
        if (length > IMPORT_LINE_MAX)
            return skip_line(lines, err);
        if (feed)
            return give_line(lines, length, 1, line);
        if (lines->ended && held > 0)
            return give_line(lines, length, 0, line);
        if (lines->ended)
            return IMPORT_END;
        searched = held;
        if (fill(lines, err) != DBK_OK)
            return IMPORT_FAILED;
    }
}

enum import_line import_lines_next(struct import_lines *lines, struct dbk_slice *line,
                                   struct dbk_error *err)
{
    enum import_line read = next_line(lines, line, err);

    if (read == IMPORT_LINE || read == IMPORT_LONG_LINE)
        lines->number++;
    return read;
}

uint64_t import_lines_number(const struct import_lines *lines)
{
    return lines->number;
}

double import_lines_share(const struct import_lines *lines)
{
    double share;

    if (lines->size <= 0)
        return -1;
    share = (double)gzoffset(lines->file) / lines->size;
    return share > 1 ? 1 : share;
}
