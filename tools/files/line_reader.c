#include "line_reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)256 * 1024)

struct line_reader {
    struct compress_reader *file;
    uint64_t number;
    size_t raw;   /* bytes of the line given last, with what ends it */
    bool ended;   /* nothing more comes from the file */
    size_t start; /* what is read and not yet given: buffer[start..end) */
    size_t end;
    char buffer[LINE_READER_MAX + CHUNK];
};

enum dbk_code line_reader_take(struct compress_reader *reader,
                               struct line_reader **lines, struct dbk_error *err)
{
    *lines = calloc(1, sizeof **lines);
    if (!*lines) {
        compress_reader_close(reader);
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read lines");
    }
    (*lines)->file = reader;
    return DBK_OK;
}

enum dbk_code line_reader_open(const char *path, struct line_reader **lines,
                               struct dbk_error *err)
{
    struct compress_reader *reader;

    *lines = NULL;
    if (compress_reader_open(path, NULL, &reader, err) != DBK_OK)
        return err->code;
    return line_reader_take(reader, lines, err);
}

void line_reader_close(struct line_reader *lines)
{
    if (!lines)
        return;
    compress_reader_close(lines->file);
    free(lines);
}

/* Read more behind what is not yet given, which is moved to the front. */
static enum dbk_code fill(struct line_reader *lines, struct dbk_error *err)
{
    size_t kept = lines->end - lines->start;
    size_t room = sizeof lines->buffer - kept;
    enum dbk_code code;
    size_t got;

    assert(kept <
           sizeof lines->buffer); /* a read of nothing would be taken for the end */
    memmove(lines->buffer, lines->buffer + lines->start, kept);
    lines->start = 0;
    lines->end = kept;
    code = compress_read(lines->file, lines->buffer + kept, room < CHUNK ? room : CHUNK,
                         &got, err);
    if (code != DBK_OK)
        return code;
    lines->end += got;
    lines->ended = got == 0;
    return DBK_OK;
}

/* Drop what there is up to and with the next line feed. */
static enum line_read skip_line(struct line_reader *lines, struct dbk_error *err)
{
    for (;;) {
        char *feed =
            memchr(lines->buffer + lines->start, '\n', lines->end - lines->start);
        if (feed) {
            lines->start = (size_t)(feed - lines->buffer) + 1;
            return LINE_TOO_LONG;
        }
        lines->start = lines->end = 0;
        if (lines->ended)
            return LINE_TOO_LONG;
        if (fill(lines, err) != DBK_OK)
            return LINE_FAILED;
    }
}

/* Give the line of length bytes that is at hand; behind is how many end it. */
static enum line_read give_line(struct line_reader *lines, size_t length, size_t behind,
                                struct dbk_slice *line)
{
    *line = (struct dbk_slice){lines->buffer + lines->start, length};
    lines->raw = length + behind;
    lines->start += lines->raw;
    assert(lines->start <= lines->end);
    if (length > 0 && line->data[length - 1] == '\r')
        line->length--;
    return LINE_READ;
}

static enum line_read next_line(struct line_reader *lines, struct dbk_slice *line,
                                struct dbk_error *err)
{
    size_t searched = 0; /* of the line at hand: no feed is in it */

    for (;;) {
        size_t held = lines->end - lines->start;
        char *at = lines->buffer + lines->start;
        char *feed = memchr(at + searched, '\n', held - searched);
        size_t length = feed ? (size_t)(feed - at) : held;
        if (length > LINE_READER_MAX)
            return skip_line(lines, err);
        if (feed)
            return give_line(lines, length, 1, line);
        if (lines->ended && held > 0)
            return give_line(lines, length, 0, line);
        if (lines->ended)
            return LINE_END;
        searched = held;
        if (fill(lines, err) != DBK_OK)
            return LINE_FAILED;
    }
}

enum line_read line_reader_next(struct line_reader *lines, struct dbk_slice *line,
                                struct dbk_error *err)
{
    enum line_read read = next_line(lines, line, err);

    if (read == LINE_READ || read == LINE_TOO_LONG)
        lines->number++;
    return read;
}

uint64_t line_reader_number(const struct line_reader *lines)
{
    return lines->number;
}

struct dbk_slice line_reader_raw(const struct line_reader *lines)
{
    return (struct dbk_slice){lines->buffer + lines->start - lines->raw, lines->raw};
}

double line_reader_share(const struct line_reader *lines)
{
    return compress_share(lines->file);
}
