/* export_writer.h - turns records into the bytes of an export, and writes them. */
#ifndef DBK_TOOLS_EXPORT_WRITER_H
#define DBK_TOOLS_EXPORT_WRITER_H

#include "compress.h"
#include "export_format.h"
#include "store/record.h"

/* A record to be exported. */
struct export_item {
    struct dbk_record record; /* decoded from bytes; opened, for what is unsealed */
    struct dbk_slice bytes;
    uint32_t checksum; /* of bytes */
};

struct export_writer; /* one thread at a time */

/* Begin an export to out, which stays the caller's; source is copied, for the trailer.
 * DBK_NO_MEMORY. Free with export_writer_destroy. */
enum dbk_code export_writer_create(enum export_format format,
                                   const struct export_source *source,
                                   struct compress_writer *out,
                                   struct export_writer **writer,
                                   struct dbk_error *err);
void export_writer_destroy(struct export_writer *writer); /* NULL is fine */

/* Add a record. It may stay in memory for now.
 *
 * DBK_INVALID      NDJSON, and its text is not UTF-8; CSV, and it is sealed, in an export that
 *                  is not unsealed
 * DBK_UNAVAILABLE, DBK_NO_ROOM, DBK_IO   as compress_write has them
 */
enum dbk_code export_writer_add(struct export_writer *writer,
                                const struct export_item *item, struct dbk_error *err);

/* Some are missing, from the one to the other: the trailer is to say so. In order. */
void export_writer_miss(struct export_writer *writer, uint64_t from, uint64_t to);

/* Write out all that was added, so that a follower has it. Errors as above. */
enum dbk_code export_writer_flush(struct export_writer *writer, struct dbk_error *err);

/* Write the trailer (but of csv, where it stands elsewhere), and end. Errors as above. */
enum dbk_code export_writer_end(struct export_writer *writer, struct dbk_error *err);

/* From any thread: as compress_abort. */
void export_writer_abort(struct export_writer *writer);

/* What was written: complete after export_writer_end. Borrowed from writer. */
const struct export_trailer *export_writer_trailer(const struct export_writer *writer);
/* The trailer's text, once it is complete; returns its length. */
size_t export_writer_trailer_text(const struct export_writer *writer,
                                  char out[EXPORT_TRAILER_MAX]);

#endif
