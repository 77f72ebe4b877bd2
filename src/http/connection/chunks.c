#include "chunks.h"

#include "tap.h"

#include <limits.h>
#include <string.h>

#define EXTRA_MAX 8192
#define DIGITS_MAX 15

/* One byte, or CHUNKS_LATE, CHUNKS_BROKEN. */
static int next(struct chunks *chunks)
{
    char byte;
    ssize_t got = tap_read(&byte, 1, chunks->stall_ms);

    if (got == 1)
        return (unsigned char)byte;
    return got == 0 ? CHUNKS_LATE : CHUNKS_BROKEN;
}

static bool is_token(int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') ||
           (byte > 0 && strchr("!#$%&'*+-.^_`|~", byte));
}

static int broken(int byte)
{
    return byte < 0 ? byte : CHUNKS_BROKEN;
}

/* The next byte of an extension or a trailer, of which there may be so many. */
static int next_extra(struct chunks *chunks)
{
    return ++chunks->extra > EXTRA_MAX ? CHUNKS_BROKEN : next(chunks);
}

static int skip_blanks(struct chunks *chunks, int byte)
{
    while (byte == ' ' || byte == '\t')
        byte = next_extra(chunks);
    return byte;
}

/* Each of these begins with the byte at hand, and returns the first that is not its. */
static int skip_token(struct chunks *chunks, int byte)
{
    if (!is_token(byte))
        return broken(byte);
    while (is_token(byte))
        byte = next_extra(chunks);
    return byte;
}

static int skip_quoted(struct chunks *chunks)
{
    int byte = next_extra(chunks);

    while (byte != '"') {
        if (byte == '\\')
            byte = next_extra(chunks);
        if (byte < ' ' && byte != '\t')
            return broken(byte);
        if (byte == 0x7f)
            return CHUNKS_BROKEN;
        byte = next_extra(chunks);
    }
    return next_extra(chunks);
}

static int skip_extensions(struct chunks *chunks, int byte)
{
    byte = skip_blanks(chunks, byte);
    while (byte == ';') {
        byte = skip_token(chunks, skip_blanks(chunks, next_extra(chunks)));
        byte = skip_blanks(chunks, byte);
        if (byte != '=')
            continue;
        byte = skip_blanks(chunks, next_extra(chunks));
        byte = byte == '"' ? skip_quoted(chunks) : skip_token(chunks, byte);
        byte = skip_blanks(chunks, byte);
    }
    return byte;
}

/* CR, at hand, and LF. 0, or why not. */
static int end_line(struct chunks *chunks, int byte)
{
    if (byte != '\r')
        return broken(byte);
    byte = next(chunks);
    return byte == '\n' ? 0 : broken(byte);
}

static int hex(int byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

static int read_size(struct chunks *chunks)
{
    int byte = next(chunks), digits = 0;

    for (; hex(byte) >= 0; byte = next(chunks)) {
        if (++digits > DIGITS_MAX)
            return CHUNKS_BROKEN;
        chunks->left = chunks->left * 16 + (uint64_t)hex(byte);
    }
    if (digits == 0)
        return broken(byte);
    return end_line(chunks, skip_extensions(chunks, byte));
}

/* Fields, and the empty line. */
static int skip_trailers(struct chunks *chunks)
{
    int byte = next(chunks);

    while (byte != '\r') {
        byte = skip_token(chunks, byte);
        if (byte != ':')
            return broken(byte);
        while (byte == '\t' || (byte >= ' ' && byte != 0x7f))
            byte = next_extra(chunks);
        byte = end_line(chunks, byte);
        if (byte != 0)
            return byte;
        byte = next(chunks);
    }
    return end_line(chunks, byte);
}

static int begin_chunk(struct chunks *chunks)
{
    int rc = chunks->begun ? end_line(chunks, next(chunks)) : 0;

    chunks->begun = true;
    if (rc == 0)
        rc = read_size(chunks);
    if (rc == 0 && chunks->left == 0) {
        rc = skip_trailers(chunks);
        chunks->ended = rc == 0;
    }
    return rc;
}

int chunks_read(struct chunks *chunks, char *out, size_t size)
{
    ssize_t got;
    int rc;

    if (chunks->left == 0 && !chunks->ended) {
        rc = begin_chunk(chunks);
        if (rc != 0)
            return rc;
    }
    if (chunks->ended)
        return 0;
    if (size > chunks->left)
        size = (size_t)chunks->left;
    got = tap_read(out, size < INT_MAX ? size : INT_MAX, chunks->stall_ms);
    if (got <= 0)
        return got == 0 ? CHUNKS_LATE : CHUNKS_BROKEN;
    chunks->left -= (uint64_t)got;
    return (int)got;
}
