/* export_format.h - the bytes of an export: what stands beside the records, so that a cut
 * or changed one is noticed, and where. For who writes them and who reads them.
 *
 * ndjson   A record a line, as include/http/record_json.h has it: what is sealed as it lies
 *          in the log, or opened, where the export was asked for so (`unsealed`), and
 *          then nothing reads it back. Behind each block of
 *          records (EXPORT_BLOCK_RECORDS of them, or once its lines have reached
 *          EXPORT_BLOCK_BYTES) and behind the last one, a check line:
 *
 *            {"check":{"records":2,"crc32":"0a1b2c3d4e5f6071","self":"8293a4b5"}}
 *
 *          crc32 is that of each record's bytes as the log keeps them, eight digits each;
 *          self that of the line before `,"self"`. The last line is the trailer.
 *
 * msgpack  The 16 bytes "DAYBOOK EXPORT 1"; then each record's bytes as the log keeps
 *          them (include/store/record.h), behind two big-endian numbers of four bytes:
 *          their length and their CRC-32. A length of 0 ends them: the trailer's length
 *          follows, likewise, and the trailer.
 *
 * csv      A header, then a row a record (export_csv.h). It cannot be imported. The
 *          trailer stands in a file beside it (export_beside.h).
 *
 * The trailer is one JSON object:
 *
 *     {"export":{"version":2,"format":"ndjson","records":2,"first":1,"last":2,
 *      "whole":true,"sha256":"…","source":{"store_id":"…","from":1,"to":2,"type":null,
 *      "person_id":null,"exported_at":"2026-11-23T17:00:00.000000","escaped":0,
 *      "missing":0,"missing_sequences":""},"checkpoint":"log.example.org/daybook\n2\n…",
 *      "self":"8293a4b5"}}
 *
 * without the line breaks; whole where nothing was left out, sha256 that of all bytes
 * before the trailer's line (in msgpack: before the length of 0; of csv: of the file). So
 * `head -n -1 FILE | sha256sum` tells it of an ndjson export. source says which log it came
 * from, what was asked for (to is null where nothing bounds it), when, and how many cells
 * of a csv were changed; `missing` how many --salvage could not read, and
 * missing_sequences which, "7-9,12" (cut, with "..." behind it, where they are very
 * many); of an unsealed one behind that `"unsealed":true,"erased":0`, how many records say
 * nothing, for their keys are destroyed; checkpoint is what was signed of the log (store/proof/checkpoint.h), signatures and all:
 * the newest that the export covers, else the newest there was; null where there is none,
 * and missing in what was exported before there were any. Its first three lines are the
 * log's name, how many records it is about, and their root: it can be held against the
 * records 1 to that of an export that has them all. self is the CRC-32 of the trailer
 * before `,"self"`. Version 1 ends behind sha256. But for source, checkpoint and self, a log
 * made of an export, exported again, gives the same bytes.
 */
#ifndef DBK_TOOLS_EXPORT_FORMAT_H
#define DBK_TOOLS_EXPORT_FORMAT_H

#include "digest.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum export_format { EXPORT_NDJSON, EXPORT_MSGPACK, EXPORT_CSV };

/* Read "ndjson", ...; false for any other text. */
bool export_format_parse(const char *text, enum export_format *out);

#define EXPORT_MAGIC "DAYBOOK EXPORT 1"
#define EXPORT_MAGIC_BYTES 16
#define EXPORT_FRAME_BYTES 8 /* in front of each record's bytes */

void export_put_number(char out[4], uint32_t number);
uint32_t export_get_number(const char bytes[4]);

#define EXPORT_BLOCK_RECORDS 1000
#define EXPORT_BLOCK_BYTES ((size_t)1 << 20)

/* The records since the last check line. Zero it before first use, and after each. */
struct export_block {
    size_t records;
    size_t bytes; /* of their lines, line feeds included */
    uint32_t sums[EXPORT_BLOCK_RECORDS];
};
void export_block_add(struct export_block *block, uint32_t sum, size_t bytes);
/* Whether a check line comes next. */
bool export_block_full(const struct export_block *block);

/* Write the check line, line feed included; returns its length. */
#define EXPORT_CHECK_MAX (8 * EXPORT_BLOCK_RECORDS + 100)
size_t export_block_line(const struct export_block *block, char out[EXPORT_CHECK_MAX]);

struct export_trailer;

/* Where an export comes from, and what was asked for. */
struct export_source {
    bool whole; /* nothing was left out */
    struct dbk_uuid store_id;
    uint64_t from, to;  /* sequences; to is UINT64_MAX where nothing bounds it */
    enum dbk_type type; /* 0: any */
    bool has_person;
    struct dbk_uuid person;
    dbk_timestamp exported_at;
    bool unsealed; /* of a sealed log: records are opened, as far as they can be */
    /* Lets the trailer carry a checkpoint, when all else of it is known; called by the thread
     * that writes. NULL: it carries none. */
    void (*sign)(void *context, struct export_trailer *trailer);
    void *context;
};

#define EXPORT_MISSING_MAX 2048
/* With it a trailer that misses nothing stays below the 2,816 bytes that were the most there
 * were when nothing was signed: whoever reads those reads this. */
#define EXPORT_CHECKPOINT_MAX 2048

struct export_trailer {
    enum export_format format;
    uint64_t records;
    uint64_t first, last; /* sequences; 0 where there are no records */
    bool whole;
    char sha256[DIGEST_HEX + 1];
    uint64_t escaped; /* cells of a csv that were changed */
    uint64_t erased;  /* of an unsealed one: records whose keys are destroyed */
    /* What --salvage could not read: how many, and which, as far as there is room. */
    uint64_t missing;
    char missing_ranges[EXPORT_MISSING_MAX]; /* "7-9,12" */
    char checkpoint[EXPORT_CHECKPOINT_MAX];  /* the inside of a JSON string; "": none */
};

/* Let the trailer carry this note. False: it is too long, and nothing changed. */
bool export_trailer_carry(struct export_trailer *trailer, struct dbk_slice note);
/* Write the note that it carries; returns its length, 0: it carries none. */
size_t export_trailer_note(const struct export_trailer *trailer,
                           char out[EXPORT_CHECKPOINT_MAX]);

/* Write the trailer's object, without a line feed; returns its length. */
#define EXPORT_TRAILER_MAX (768 + EXPORT_MISSING_MAX + EXPORT_CHECKPOINT_MAX)
size_t export_trailer_text(const struct export_trailer *trailer,
                           const struct export_source *source,
                           char out[EXPORT_TRAILER_MAX]);
/* The same of version 1, for who does not know the source. */
size_t export_trailer_text_1(const struct export_trailer *trailer,
                             char out[EXPORT_TRAILER_MAX]);

/* Whether text is a trailer, of either version, that says the same as this one, which then
 * carries the checkpoint that text does. */
bool export_trailer_fits(struct export_trailer *trailer, struct dbk_slice text);

#endif
