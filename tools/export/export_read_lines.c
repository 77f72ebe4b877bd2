#include "export_read_lines.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static enum dbk_code wrong(const struct export_lines *lines, const char *what,
                           struct dbk_error *err)
{
    return dbk_fail(err, DBK_DAMAGED, "line %" PRIu64 ": %s",
                    line_reader_number(lines->source), what);
}

/* Keep the bytes of a record until its check line was read. */
static enum dbk_code hold(struct export_lines *lines, const char *bytes, size_t length,
                          struct dbk_error *err)
{
    if (lines->held_size - lines->held < length) {
        size_t size = 2 * lines->held_size + DBK_RECORD_MAX;
        char *grown = realloc(lines->records, size);
        if (!grown)
            return dbk_fail(err, DBK_NO_MEMORY, "no memory to read an export");
        lines->records = grown;
        lines->held_size = size;
    }
    memcpy(lines->records + lines->held, bytes, length);
    lines->held += length;
    lines->lengths[lines->block.records] = length;
    return DBK_OK;
}

static enum dbk_code read_record(struct export_lines *lines, struct dbk_slice line,
                                 struct dbk_error *err)
{
    uint64_t number = line_reader_number(lines->source);
    struct dbk_record record;
    char place[32];
    size_t length;

    snprintf(place, sizeof place, "line %" PRIu64, number);
    if (lines->short_block || export_block_full(&lines->block))
        return wrong(lines, "a check line is missing before it", err);
    if (dbk_record_json_read(line.data, line.length - 1, lines->room, &record, err) !=
            DBK_OK ||
        dbk_record_encode(&record, lines->record, sizeof lines->record, &length, err) !=
            DBK_OK) {
        if (err->code != DBK_UNSUPPORTED)
            err->code = DBK_DAMAGED;
        return dbk_wrap(err, "%s", place);
    }
    if (export_check_count(lines->check, record.sequence, place, err) != DBK_OK ||
        hold(lines, lines->record, length, err) != DBK_OK)
        return err->code;
    if (lines->block.records == 0)
        lines->first_line = number;
    export_block_add(&lines->block,
                     (uint32_t)crc32_z(0, (const unsigned char *)lines->record, length),
                     line.length);
    return DBK_OK;
}

/* Whether a check line is as it was written, by its own checksum. */
static bool is_intact(struct dbk_slice line)
{
    char end[32] = ",\"self\":\"00000000\"}}\n";
    size_t length = strlen(end);
    uint32_t sum;

    if (line.length < length)
        return false;
    sum = (uint32_t)crc32_z(0, (const unsigned char *)line.data, line.length - length);
    snprintf(end, sizeof end, ",\"self\":\"%08x\"}}\n", (unsigned)sum);
    return !memcmp(line.data + line.length - length, end, length);
}

/* The check line is not what these records make: find out which of them is why. */
static enum dbk_code blame(const struct export_lines *lines, struct dbk_slice line,
                           size_t length, struct dbk_error *err)
{
    const struct export_block *block = &lines->block;
    const char *sums;

    if (!is_intact(line))
        return wrong(lines, "the check line was changed", err);
    if (line.length != length)
        return wrong(lines, "it checks other records than those before it", err);
    sums = strstr(lines->check_line, "\"crc32\":\"") + strlen("\"crc32\":\"");
    for (size_t i = 0; i < block->records; i++) {
        size_t at = (size_t)(sums - lines->check_line) + 8 * i;
        if (memcmp(line.data + at, lines->check_line + at, 8) != 0)
            return dbk_fail(err, DBK_DAMAGED,
                            "line %" PRIu64 ": record %" PRIu64
                            " is not what was exported: it was changed",
                            lines->first_line + i,
                            lines->check->trailer.last - block->records + 1 + i);
    }
    return wrong(lines, "it checks other records than those before it", err);
}

static enum dbk_code read_check(struct export_lines *lines, struct dbk_slice line,
                                struct dbk_error *err)
{
    size_t length;

    if (lines->block.records == 0)
        return wrong(lines, "a check line without records before it", err);
    length = export_block_line(&lines->block, lines->check_line);
    if (length != line.length || memcmp(line.data, lines->check_line, length) != 0) {
        lines->check_line[length] = '\0';
        return blame(lines, line, length, err);
    }
    lines->short_block = !export_block_full(&lines->block);
    return DBK_OK;
}

static enum dbk_code read_trailer(struct export_lines *lines, struct dbk_slice line,
                                  struct dbk_error *err)
{
    struct dbk_slice text = {line.data, line.length - 1}, behind;
    char place[32];

    snprintf(place, sizeof place, "line %" PRIu64, line_reader_number(lines->source));
    if (lines->block.records > 0)
        return wrong(lines, "a check line is missing before the trailer", err);
    if (export_check_end(lines->check, text, place, err) != DBK_OK)
        return err->code;
    switch (line_reader_next(lines->source, &behind, err)) {
    case LINE_END:
        return DBK_OK;
    case LINE_FAILED:
        return dbk_wrap(err, "behind %s", place);
    case LINE_READ:
    case LINE_TOO_LONG:
        break;
    }
    return wrong(lines, "it stands behind the trailer", err);
}

/* The next line with its line feed. */
static enum dbk_code next_line(struct export_lines *lines, struct dbk_slice *line,
                               struct dbk_error *err)
{
    uint64_t before = line_reader_number(lines->source);

    switch (line_reader_next(lines->source, line, err)) {
    case LINE_READ:
        *line = line_reader_raw(lines->source);
        if (line->data[line->length - 1] == '\n')
            return DBK_OK;
        return wrong(lines, "the file ends in it: it is cut short", err);
    case LINE_TOO_LONG:
        return wrong(lines, "longer than any line of an export", err);
    case LINE_END:
        return dbk_fail(err, DBK_DAMAGED,
                        "the file ends behind line %" PRIu64
                        ", without its trailer: it is cut short",
                        before);
    case LINE_FAILED:
        return dbk_wrap(err, "behind line %" PRIu64, before);
    }
    return DBK_OK;
}

/* Read up to the next check line, or the trailer, which shows as lines->check->ended. */
static enum dbk_code read_block(struct export_lines *lines, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_slice line;
    bool checked = false;

    lines->block.records = lines->block.bytes = 0;
    lines->held = lines->given = lines->given_bytes = 0;
    while (code == DBK_OK && !checked && !lines->check->ended) {
        code = next_line(lines, &line, err);
        if (code != DBK_OK)
            break;
        if (export_starts(line, "{\"export\":"))
            return read_trailer(lines, line, err);
        digest_add(lines->check->digest, line.data, line.length);
        checked = export_starts(line, "{\"check\":");
        if (checked)
            code = read_check(lines, line, err);
        else if (export_starts(line, "{\"format\":"))
            code = read_record(lines, line, err);
        else
            code = wrong(lines, "neither a record nor what stands between them", err);
    }
    return code;
}

enum dbk_code export_read_lines(struct export_lines *lines, struct dbk_slice *bytes,
                                struct dbk_error *err)
{
    if (lines->given == lines->block.records) {
        enum dbk_code code = read_block(lines, err);
        if (code != DBK_OK || lines->check->ended)
            return code;
    }
    assert(lines->given < lines->block.records);
    bytes->data = lines->records + lines->given_bytes;
    bytes->length = lines->lengths[lines->given++];
    lines->given_bytes += bytes->length;
    return DBK_OK;
}
