/* The ndjson form of an export, read back. */
#include "export_reader_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SELF_DIGITS 8
static const char self_before[] = ",\"self\":\"", self_after[] = "\"}}\n";

static bool starts(struct dbk_slice line, const char *text)
{
    return line.length >= strlen(text) && !memcmp(line.data, text, strlen(text));
}

static enum dbk_code wrong(const struct export_reader *reader, const char *what,
                           struct dbk_error *err)
{
    return dbk_fail(err, DBK_DAMAGED, "line %" PRIu64 ": %s",
                    import_lines_number(reader->lines), what);
}

/* Keep the bytes of a record until its check line was read. */
static enum dbk_code hold(struct export_reader *reader, const char *bytes,
                          size_t length, struct dbk_error *err)
{
    if (reader->held_size - reader->held < length) {
        size_t size = 2 * reader->held_size + DBK_RECORD_MAX;
        char *grown = realloc(reader->records, size);
        if (!grown)
            return dbk_fail(err, DBK_NO_MEMORY, "no memory to read an export");
        reader->records = grown;
        reader->held_size = size;
    }
    memcpy(reader->records + reader->held, bytes, length);
    reader->held += length;
    reader->lengths[reader->block.records] = length;
    return DBK_OK;
}

static enum dbk_code read_record(struct export_reader *reader, struct dbk_slice line,
                                 struct dbk_error *err)
{
    uint64_t number = import_lines_number(reader->lines);
    struct dbk_record record;
    char place[EXPORT_PLACE_MAX];
    size_t length;

    snprintf(place, sizeof place, "line %" PRIu64, number);
    if (reader->short_block || export_block_full(&reader->block))
        return wrong(reader, "a check line is missing before it", err);
    if (dbk_record_json_read(line.data, line.length - 1, reader->room, &record, err) !=
            DBK_OK ||
        dbk_record_encode(&record, reader->record, sizeof reader->record, &length,
                          err) != DBK_OK) {
        if (err->code != DBK_UNSUPPORTED)
            err->code = DBK_DAMAGED;
        return dbk_wrap(err, "%s", place);
    }
    if (export_reader_count(reader, record.sequence, place, err) != DBK_OK ||
        hold(reader, reader->record, length, err) != DBK_OK)
        return err->code;
    if (reader->block.records == 0)
        reader->first_line = number;
    export_block_add(
        &reader->block,
        (uint32_t)crc32_z(0, (const unsigned char *)reader->record, length),
        line.length);
    return DBK_OK;
}

/* Whether a check line is as it was written, by its own checksum. */
static bool is_intact(struct dbk_slice line)
{
    size_t behind = sizeof self_before - 1 + SELF_DIGITS + sizeof self_after - 1;
    char digits[SELF_DIGITS + 1];
    size_t front;

    if (line.length < behind)
        return false;
    front = line.length - behind;
    snprintf(digits, sizeof digits, "%08x",
             (unsigned)crc32_z(0, (const unsigned char *)line.data, front));
    return !memcmp(line.data + front, self_before, sizeof self_before - 1) &&
           !memcmp(line.data + front + sizeof self_before - 1, digits, SELF_DIGITS) &&
           !memcmp(line.data + line.length - (sizeof self_after - 1), self_after,
                   sizeof self_after - 1);
}

/* The check line is not what these records make: find out which of them is why. */
static enum dbk_code blame(const struct export_reader *reader, struct dbk_slice line,
                           size_t length, struct dbk_error *err)
{
    const struct export_block *block = &reader->block;
    const char *sums;

    if (!is_intact(line))
        return wrong(reader, "the check line was changed", err);
    if (line.length != length)
        return wrong(reader, "it checks other records than those before it", err);
    sums = strstr(reader->check, "\"crc32\":\"") + strlen("\"crc32\":\"");
    for (size_t i = 0; i < block->records; i++) {
        size_t at = (size_t)(sums - reader->check) + 8 * i;
        if (memcmp(line.data + at, reader->check + at, 8) != 0)
            return dbk_fail(err, DBK_DAMAGED,
                            "line %" PRIu64 ": record %" PRIu64
                            " is not what was exported: it was changed",
                            reader->first_line + i,
                            reader->trailer.last - block->records + 1 + i);
    }
    return wrong(reader, "it checks other records than those before it", err);
}

static enum dbk_code read_check(struct export_reader *reader, struct dbk_slice line,
                                struct dbk_error *err)
{
    size_t length;

    if (reader->block.records == 0)
        return wrong(reader, "a check line without records before it", err);
    length = export_block_line(&reader->block, reader->check);
    if (length != line.length || memcmp(line.data, reader->check, length) != 0) {
        reader->check[length] = '\0';
        return blame(reader, line, length, err);
    }
    reader->short_block = !export_block_full(&reader->block);
    return DBK_OK;
}

static enum dbk_code read_trailer(struct export_reader *reader, struct dbk_slice line,
                                  struct dbk_error *err)
{
    struct dbk_slice text = {line.data, line.length - 1}, behind;
    char place[EXPORT_PLACE_MAX];

    snprintf(place, sizeof place, "line %" PRIu64, import_lines_number(reader->lines));
    if (reader->block.records > 0)
        return wrong(reader, "a check line is missing before the trailer", err);
    if (export_reader_end(reader, text, place, err) != DBK_OK)
        return err->code;
    switch (import_lines_next(reader->lines, &behind, err)) {
    case IMPORT_END:
        return DBK_OK;
    case IMPORT_FAILED:
        return dbk_wrap(err, "behind %s", place);
    case IMPORT_LINE:
    case IMPORT_LONG_LINE:
        break;
    }
    return wrong(reader, "it stands behind the trailer", err);
}

/* The next line with its line feed. */
static enum dbk_code next_line(struct export_reader *reader, struct dbk_slice *line,
                               struct dbk_error *err)
{
    uint64_t before = import_lines_number(reader->lines);

    switch (import_lines_next(reader->lines, line, err)) {
    case IMPORT_LINE:
        *line = import_lines_raw(reader->lines);
        if (line->data[line->length - 1] == '\n')
            return DBK_OK;
        return wrong(reader, "the file ends in it: it is cut short", err);
    case IMPORT_LONG_LINE:
        return wrong(reader, "longer than any line of an export", err);
    case IMPORT_END:
        return dbk_fail(err, DBK_DAMAGED,
                        "the file ends behind line %" PRIu64
                        ", without its trailer: it is cut short",
                        before);
    case IMPORT_FAILED:
        return dbk_wrap(err, "behind line %" PRIu64, before);
    }
    return DBK_OK;
}

/* Read up to the next check line, or the trailer, which shows as reader->ended. */
static enum dbk_code read_block(struct export_reader *reader, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_slice line;
    bool checked = false;

    reader->block.records = reader->block.bytes = 0;
    reader->held = reader->given = reader->given_bytes = 0;
    while (code == DBK_OK && !checked && !reader->ended) {
        code = next_line(reader, &line, err);
        if (code != DBK_OK)
            break;
        if (starts(line, "{\"export\":"))
            return read_trailer(reader, line, err);
        digest_add(reader->digest, line.data, line.length);
        checked = starts(line, "{\"check\":");
        if (checked)
            code = read_check(reader, line, err);
        else if (starts(line, "{\"format\":"))
            code = read_record(reader, line, err);
        else
            code = wrong(reader, "neither a record nor what stands between them", err);
    }
    return code;
}

enum dbk_code export_read_lines(struct export_reader *reader, struct dbk_slice *bytes,
                                struct dbk_error *err)
{
    if (reader->given == reader->block.records) {
        enum dbk_code code = read_block(reader, err);
        if (code != DBK_OK || reader->ended)
            return code;
    }
    bytes->data = reader->records + reader->given_bytes;
    bytes->length = reader->lengths[reader->given++];
    reader->given_bytes += bytes->length;
    return DBK_OK;
}
