/* line_reader.h - the lines of a file, compressed or plain, one after the other, in
 * bounded memory. */
#ifndef DBK_TOOLS_LINE_READER_H
#define DBK_TOOLS_LINE_READER_H

#include "compress.h"
#include "store/error.h"
#include "store/slice.h"

#include <stdint.h>

#define LINE_READER_MAX ((size_t)1 << 20) /* bytes, without the line feed */

struct line_reader;

enum line_read {
    LINE_READ,     /* one was read */
    LINE_TOO_LONG, /* one of more than LINE_READER_MAX bytes was skipped */
    LINE_END,      /* there are none left */
    LINE_FAILED,   /* the file cannot be read on, or is cut short */
};

/* Open the file at path.
 *
 * DBK_NOT_FOUND  no such file
 * DBK_IO         it cannot be read
 * DBK_NO_MEMORY
 */
enum dbk_code line_reader_open(const char *path, struct line_reader **lines,
                               struct dbk_error *err);

/* The same for what a reader gives, which is taken over, also where it fails.
 * DBK_NO_MEMORY. */
enum dbk_code line_reader_take(struct compress_reader *reader,
                               struct line_reader **lines, struct dbk_error *err);
void line_reader_close(struct line_reader *lines); /* NULL is fine */

/* The next line without its line feed (and carriage return), valid until the next call.
 * A last line needs no line feed. Only LINE_FAILED fills err. */
enum line_read line_reader_next(struct line_reader *lines, struct dbk_slice *line,
                                struct dbk_error *err);

/* The line read last as it stands in the file, with its line feed where it has one; after
 * LINE_READ only, and valid as long. */
struct dbk_slice line_reader_raw(const struct line_reader *lines);

/* The number of the line read last, from 1. */
uint64_t line_reader_number(const struct line_reader *lines);

/* How much of the file has been read, 0 to 1; -1 where it has no size (a pipe). */
double line_reader_share(const struct line_reader *lines);

#endif
