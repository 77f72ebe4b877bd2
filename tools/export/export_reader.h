/* export_reader.h - reads an export back, and believes nothing: what it gives are the
 * records from the first on, whole, in order, with the very bytes that were exported.
 *
 * What was changed is found at its place: a line of ndjson by what is in it, by the check
 * line behind its block, by its sequence; a frame of msgpack by its checksum; all of it,
 * once more, by the trailer.
 */
#ifndef DBK_TOOLS_EXPORT_READER_H
#define DBK_TOOLS_EXPORT_READER_H

#include "compress.h"
#include "export_format.h"

struct export_reader; /* one thread at a time */

/* Whether a file that begins so (compress_front) is an export, also where a byte of it
 * was changed; *format receives which. */
bool export_recognise(struct dbk_slice front, enum export_format *format);

/* Read the export (not EXPORT_CSV) that source gives. source is taken over, also where
 * this fails. DBK_NO_MEMORY. Free with export_reader_close. */
enum dbk_code export_reader_open(struct compress_reader *source,
                                 enum export_format format,
                                 struct export_reader **reader, struct dbk_error *err);
void export_reader_close(struct export_reader *reader); /* NULL is fine */

/* The next record's bytes, valid until the next call; length 0 behind the last, when the
 * trailer has been checked too.
 *
 * DBK_DAMAGED      cut, or changed; err names the line, or the record and its byte
 * DBK_INVALID      not the whole log: a range or a filter left records out
 * DBK_UNSUPPORTED  of a newer format
 * DBK_INTERRUPTED, DBK_IO, DBK_NO_MEMORY   as compress_read has them
 */
enum dbk_code export_reader_next(struct export_reader *reader, struct dbk_slice *bytes,
                                 struct dbk_error *err);

/* Where the record given last stands, "line 17" or "record 16", for what is found wrong
 * with it later. */
#define EXPORT_PLACE_MAX 48
void export_reader_place(const struct export_reader *reader,
                         char out[EXPORT_PLACE_MAX]);

/* What the trailer says, once export_reader_next has come to the end. */
const struct export_trailer *export_reader_trailer(const struct export_reader *reader);

/* How much has been read, 0 to 1; -1: unknown. */
double export_reader_share(const struct export_reader *reader);

#endif
