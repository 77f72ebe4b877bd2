/* import_lines.h - the lines of a file, compressed or plain, one after the other, in
 * bounded memory. */
#ifndef DBK_TOOLS_IMPORT_LINES_H
#define DBK_TOOLS_IMPORT_LINES_H

#include "compress.h"
#include "store/error.h"
#include "store/slice.h"

#include <stdint.h>

#define IMPORT_LINE_MAX ((size_t)1 << 20) /* bytes, without the line feed */

struct import_lines;

enum import_line {
    IMPORT_LINE,      /* one was read */
    IMPORT_LONG_LINE, /* one of more than IMPORT_LINE_MAX bytes was skipped */
    IMPORT_END,       /* there are none left */
    IMPORT_FAILED,    /* the file cannot be read on, or is cut short */
};

/* Open the file at path.
 *
 * DBK_NOT_FOUND  no such file
 * DBK_IO         it cannot be read
 * DBK_NO_MEMORY
 */
enum dbk_code import_lines_open(const char *path, struct import_lines **lines,
                                struct dbk_error *err);

/* The same for what a reader gives, which is taken over, also where it fails.
 * DBK_NO_MEMORY. */
enum dbk_code import_lines_take(struct compress_reader *reader,
                                struct import_lines **lines, struct dbk_error *err);
void import_lines_close(struct import_lines *lines); /* NULL is fine */

/* The next line without its line feed (and carriage return), valid until the next call.
 * A last line needs no line feed. Only IMPORT_FAILED fills err. */
enum import_line import_lines_next(struct import_lines *lines, struct dbk_slice *line,
                                   struct dbk_error *err);

/* The line read last as it stands in the file, with its line feed where it has one; after
 * IMPORT_LINE only, and valid as long. */
struct dbk_slice import_lines_raw(const struct import_lines *lines);

/* The number of the line read last, from 1. */
uint64_t import_lines_number(const struct import_lines *lines);

/* How much of the file has been read, 0 to 1; -1 where it has no size (a pipe). */
double import_lines_share(const struct import_lines *lines);

#endif
