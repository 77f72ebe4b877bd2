/* export_read_lines.h - the ndjson form of an export, read back. Private to
 * export_reader.c. */
#ifndef DBK_TOOLS_EXPORT_READ_LINES_H
#define DBK_TOOLS_EXPORT_READ_LINES_H

#include "export_check.h"
#include "http/record_json.h"
#include "line_reader.h"
#include "store/record.h"

/* The records of a block are held back until its check line was read. Zero it but for
 * source and check before first use. */
struct export_lines {
    struct line_reader *source; /* owned */
    struct export_check *check;
    struct export_block block;
    bool short_block;    /* the last check line can only stand before the trailer */
    uint64_t first_line; /* of the block's records */
    size_t given;        /* records of the block that were given; all: it is used up */
    size_t held, held_size, given_bytes;
    char *records; /* owned: held bytes of them */
    size_t lengths[EXPORT_BLOCK_RECORDS];
    char record[DBK_RECORD_MAX];
    char check_line[EXPORT_CHECK_MAX];
    char room[DBK_RECORD_JSON_ROOM];
};

/* As export_reader_next. */
enum dbk_code export_read_lines(struct export_lines *lines, struct dbk_slice *bytes,
                                struct dbk_error *err);

#endif
