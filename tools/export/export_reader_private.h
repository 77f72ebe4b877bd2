/* export_reader_private.h - what the readers of both formats share. Private to
 * export_read*.c. */
#ifndef DBK_TOOLS_EXPORT_READER_PRIVATE_H
#define DBK_TOOLS_EXPORT_READER_PRIVATE_H

#include "export_reader.h"
#include "http/record_json.h"
#include "import_lines.h"
#include "store/record.h"

struct export_reader {
    struct export_trailer trailer; /* of what was read so far */
    struct digest *digest;
    bool ended; /* behind the trailer */

    /* msgpack */
    struct compress_reader *source;
    uint64_t offset; /* bytes read */
    char frame[DBK_RECORD_MAX];

    /* ndjson: the records of a block are held back until its check line was read */
    struct import_lines *lines;
    struct export_block block;
    bool short_block;    /* the last check line can only stand before the trailer */
    uint64_t first_line; /* of the block's records */
    size_t given;        /* records of the block that were given; all: it is used up */
    size_t held, held_size, given_bytes;
    char *records; /* held bytes of them */
    size_t lengths[EXPORT_BLOCK_RECORDS];
    char record[DBK_RECORD_MAX];
    char check[EXPORT_CHECK_MAX];
    char room[DBK_RECORD_JSON_ROOM];
};

/* Count a record and see that it is the next; place is what stands before it in err. */
enum dbk_code export_reader_count(struct export_reader *reader, uint64_t sequence,
                                  const char *place, struct dbk_error *err);

/* See that text is the trailer of what was read. */
enum dbk_code export_reader_end(struct export_reader *reader, struct dbk_slice text,
                                const char *place, struct dbk_error *err);

/* As export_reader_next, for each format. */
enum dbk_code export_read_lines(struct export_reader *reader, struct dbk_slice *bytes,
                                struct dbk_error *err);
enum dbk_code export_read_frames(struct export_reader *reader, struct dbk_slice *bytes,
                                 struct dbk_error *err);

#endif
