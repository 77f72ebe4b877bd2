/* compress.h - bytes to and from files, gzip (RFC 1952), Zstandard (RFC 8878) or plain.
 *
 * Owns zlib's streams and libzstd. A writer or reader belongs to one thread at a time.
 */
#ifndef DBK_TOOLS_COMPRESS_H
#define DBK_TOOLS_COMPRESS_H

#include "store/error.h"
#include "store/slice.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* What a file's name says: .gz, .zst, or none. */
enum compression compression_of(const char *path);

struct compress_writer;

/* Write to the file descriptor fd, which stays the caller's. The same bytes give the same
 * file. Free with compress_writer_close. DBK_NO_MEMORY. */
enum dbk_code compress_writer_open(int fd, enum compression compression,
                                   struct compress_writer **writer,
                                   struct dbk_error *err);

/* Add bytes.
 *
 * DBK_INTERRUPTED  compress_abort was called
 * DBK_UNAVAILABLE  it is a pipe, and nobody reads it any more (SIGPIPE must be ignored)
 * DBK_NO_ROOM, DBK_IO
 */
enum dbk_code compress_write(struct compress_writer *writer, const char *bytes,
                             size_t length, struct dbk_error *err);

/* Let all that was added be readable at the other end. Errors as above. */
enum dbk_code compress_flush(struct compress_writer *writer, struct dbk_error *err);

/* End the stream; nothing may be added then. Errors as above. */
enum dbk_code compress_end(struct compress_writer *writer, struct dbk_error *err);

/* From any thread: let no further byte be written. A write that hangs goes on until a
 * signal interrupts it. */
void compress_abort(struct compress_writer *writer);

/* How many bytes went to the file descriptor. */
uint64_t compress_written(const struct compress_writer *writer);

void compress_writer_close(struct compress_writer *writer); /* NULL is fine */

struct compress_reader;

/* Read the file at path, or standard input where it is "-". What its first bytes say it
 * is, it is, whatever its name. watch (may be NULL) is borrowed, and asked while nothing
 * comes from a pipe or terminal, some ten times a second, whether to stop.
 *
 * DBK_NOT_FOUND  no such file
 * DBK_IO         it cannot be read
 * DBK_NO_MEMORY
 */
enum dbk_code compress_reader_open(const char *path, const struct dbk_watch *watch,
                                   struct compress_reader **reader,
                                   struct dbk_error *err);

/* The same for bytes at hand, which must outlive the reader. */
enum dbk_code compress_reader_open_bytes(struct dbk_slice bytes,
                                         struct compress_reader **reader,
                                         struct dbk_error *err);

/* Read up to size bytes to out; *got receives how many, 0 only at the end. A byte order
 * mark (of UTF-8) before all others is left out.
 *
 * DBK_DAMAGED      the compressed data is damaged, or cut short
 * DBK_INTERRUPTED  the watch said stop
 * DBK_IO, DBK_NO_MEMORY
 */
enum dbk_code compress_read(struct compress_reader *reader, char *out, size_t size,
                            size_t *got, struct dbk_error *err);

/* Look at the first bytes, before anything was read: COMPRESS_FRONT of them, fewer where
 * there are no more. Borrowed until the next call. Errors as compress_read. */
#define COMPRESS_FRONT ((size_t)512)
enum dbk_code compress_front(struct compress_reader *reader, struct dbk_slice *front,
                             struct dbk_error *err);

/* How much of the file has been read, 0 to 1; -1 where it has no size (a pipe). */
double compress_share(const struct compress_reader *reader);

void compress_reader_close(struct compress_reader *reader); /* NULL is fine */

#endif
