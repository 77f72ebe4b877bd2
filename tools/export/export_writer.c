#include "export_writer.h"

#include "export_csv.h"
#include "http/record_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is gathered before it is written; behind it there is room for any one record. */
#define GATHERED ((size_t)256 * 1024)
#define ROOM (DBK_RECORD_JSON_MAX + EXPORT_CHECK_MAX + EXPORT_TRAILER_MAX)
_Static_assert(EXPORT_CSV_MAX < ROOM && DBK_RECORD_MAX + EXPORT_FRAME_BYTES < ROOM,
               "any one record must fit");

struct export_writer {
    struct compress_writer *out;
    struct digest *digest;
    struct export_block block;
    struct export_trailer trailer;
    struct export_source source;
    size_t length; /* gathered */
    char bytes[GATHERED + ROOM];
};

static void gather(struct export_writer *writer, const char *bytes, size_t length)
{
    assert(length <= sizeof writer->bytes - writer->length);
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

enum dbk_code export_writer_create(enum export_format format,
                                   const struct export_source *source,
                                   struct compress_writer *out,
                                   struct export_writer **writer, struct dbk_error *err)
{
    enum dbk_code code;

    *writer = calloc(1, sizeof **writer);
    if (!*writer)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    (*writer)->out = out;
    (*writer)->trailer.format = format;
    (*writer)->trailer.whole = source->whole;
    (*writer)->source = *source;
    code = digest_create(&(*writer)->digest, err);
    if (code != DBK_OK) {
        free(*writer);
        *writer = NULL;
        return code;
    }
    if (format == EXPORT_MSGPACK)
        gather(*writer, EXPORT_MAGIC, EXPORT_MAGIC_BYTES);
    else if (format == EXPORT_CSV)
        gather(*writer, EXPORT_CSV_HEADER, strlen(EXPORT_CSV_HEADER));
    return DBK_OK;
}

void export_writer_destroy(struct export_writer *writer)
{
    if (!writer)
        return;
    digest_destroy(writer->digest);
    free(writer);
}

void export_writer_abort(struct export_writer *writer)
{
    compress_abort(writer->out);
}

const struct export_trailer *export_writer_trailer(const struct export_writer *writer)
{
    return &writer->trailer;
}

size_t export_writer_trailer_text(const struct export_writer *writer,
                                  char out[EXPORT_TRAILER_MAX])
{
    return export_trailer_text(&writer->trailer, &writer->source, out);
}

static enum dbk_code write_out(struct export_writer *writer, struct dbk_error *err)
{
    size_t length = writer->length;

    writer->length = 0;
    digest_add(writer->digest, writer->bytes, length);
    return compress_write(writer->out, writer->bytes, length, err);
}

static void end_block(struct export_writer *writer)
{
    writer->length += export_block_line(&writer->block, writer->bytes + writer->length);
    writer->block.records = writer->block.bytes = 0;
}

static enum dbk_code add_line(struct export_writer *writer,
                              const struct export_item *item, struct dbk_error *err)
{
    char *at = writer->bytes + writer->length;
    enum dbk_code code;
    size_t length;

    code = writer->source.unsealed
               ? dbk_record_json_write_opened(&item->record, at, DBK_RECORD_JSON_MAX,
                                              &length, err)
               : dbk_record_json_write(&item->record, at, DBK_RECORD_JSON_MAX, &length,
                                       err);
    if (code != DBK_OK)
        return dbk_wrap(err, "export with --format msgpack, which keeps any bytes");
    writer->length += length;
    gather(writer, "\n", 1);
    export_block_add(&writer->block, item->checksum, length + 1);
    if (export_block_full(&writer->block))
        end_block(writer);
    return DBK_OK;
}

static void add_frame(struct export_writer *writer, const struct export_item *item)
{
    char *at = writer->bytes + writer->length;

    export_put_number(at, (uint32_t)item->bytes.length);
    export_put_number(at + 4, item->checksum);
    writer->length += EXPORT_FRAME_BYTES;
    gather(writer, item->bytes.data, item->bytes.length);
}

/* Cells that are empty for want of a key would look as if nothing had been there. */
static enum dbk_code add_row(struct export_writer *writer,
                             const struct export_item *item, struct dbk_error *err)
{
    if (item->record.sealed.length > 0 && !writer->source.unsealed)
        return dbk_fail(err, DBK_INVALID,
                        "record %" PRIu64 " is sealed: csv is for reading, so it needs "
                        "--unseal; ndjson and msgpack have what is sealed as it is",
                        item->record.sequence);
    writer->length += export_csv_row(&item->record, writer->bytes + writer->length,
                                     &writer->trailer.escaped);
    return DBK_OK;
}

enum dbk_code export_writer_add(struct export_writer *writer,
                                const struct export_item *item, struct dbk_error *err)
{
    struct export_trailer *trailer = &writer->trailer;

    assert(writer->length < GATHERED); /* behind it there is room for any one */
    if (item->record.damaged > 0 && writer->source.unsealed) {
        export_writer_miss(writer, item->record.sequence, item->record.sequence);
        return DBK_OK;
    }
    switch (trailer->format) {
    case EXPORT_NDJSON:
        if (add_line(writer, item, err) != DBK_OK)
            return err->code;
        break;
    case EXPORT_MSGPACK:
        add_frame(writer, item);
        break;
    case EXPORT_CSV:
        if (add_row(writer, item, err) != DBK_OK)
            return err->code;
        break;
    }
    trailer->erased += item->record.erased;
    if (trailer->records++ == 0)
        trailer->first = item->record.sequence;
    trailer->last = item->record.sequence;
    return writer->length < GATHERED ? DBK_OK : write_out(writer, err);
}

void export_writer_miss(struct export_writer *writer, uint64_t from, uint64_t to)
{
    struct export_trailer *trailer = &writer->trailer;
    size_t used = strlen(trailer->missing_ranges), room = EXPORT_MISSING_MAX - used;
    char text[48];

    assert(from <= to);
    trailer->whole = false;
    trailer->missing += to - from + 1;
    if (from == to)
        snprintf(text, sizeof text, "%s%" PRIu64, used ? "," : "", from);
    else
        snprintf(text, sizeof text, "%s%" PRIu64 "-%" PRIu64, used ? "," : "", from,
                 to);
    if (room > sizeof text + 4)
        memcpy(trailer->missing_ranges + used, text, strlen(text) + 1);
    else if (room > 4 && used > 0 && trailer->missing_ranges[used - 1] != '.')
        memcpy(trailer->missing_ranges + used, "...", 4);
}

enum dbk_code export_writer_flush(struct export_writer *writer, struct dbk_error *err)
{
    enum dbk_code code = write_out(writer, err);

    return code == DBK_OK ? compress_flush(writer->out, err) : code;
}

/* What stands around the trailer's object. Programs that read csv know no such line. */
static void gather_trailer(struct export_writer *writer)
{
    char text[EXPORT_TRAILER_MAX], numbers[8] = {0};
    size_t length = export_writer_trailer_text(writer, text);

    switch (writer->trailer.format) {
    case EXPORT_NDJSON:
        gather(writer, text, length);
        gather(writer, "\n", 1);
        break;
    case EXPORT_MSGPACK:
        export_put_number(numbers + 4, (uint32_t)length);
        gather(writer, numbers, sizeof numbers);
        gather(writer, text, length);
        break;
    case EXPORT_CSV:
        break;
    }
}

enum dbk_code export_writer_end(struct export_writer *writer, struct dbk_error *err)
{
    enum dbk_code code;

    if (writer->block.records > 0)
        end_block(writer);
    code = write_out(writer, err);
    if (code == DBK_OK)
        code = digest_hex(writer->digest, writer->trailer.sha256, err);
    if (code != DBK_OK)
        return code;
    if (writer->source.sign)
        writer->source.sign(writer->source.context, &writer->trailer);
    gather_trailer(writer);
    code = write_out(writer, err);
    return code == DBK_OK ? compress_end(writer->out, err) : code;
}
