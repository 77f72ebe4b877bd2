#include "export_reader.h"

#include "export_read_frames.h"
#include "export_read_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_ALIKE 12 /* of the 16 bytes: it was meant for one */

struct export_reader {
    struct export_check check;
    struct export_frames frames; /* msgpack */
    struct export_lines lines;   /* ndjson */
};

static bool contains(struct dbk_slice front, const char *text)
{
    return front.length > 0 &&
           memmem(front.data, front.length, text, strlen(text)) != NULL;
}

static size_t alike(struct dbk_slice front)
{
    size_t count = 0;

    for (size_t i = 0; i < EXPORT_MAGIC_BYTES && i < front.length; i++)
        count += front.data[i] == EXPORT_MAGIC[i];
    return count;
}

bool export_recognise(struct dbk_slice front, enum export_format *format)
{
    *format = EXPORT_NDJSON;
    if (alike(front) >= MAGIC_ALIKE)
        *format = EXPORT_MSGPACK;
    else if (export_starts(front, "sequence,type,recorded_at,"))
        *format = EXPORT_CSV;
    else
        return export_starts(front, "{\"format\":") ||
               export_starts(front, "{\"export\":") ||
               contains(front, "\"sequence\":1,\"recorded_at\":\"");
    return true;
}

enum dbk_code export_reader_open(struct compress_reader *source,
                                 enum export_format format, struct export_reader **out,
                                 struct dbk_error *err)
{
    struct export_reader *reader = calloc(1, sizeof *reader);
    enum dbk_code code;

    *out = NULL;
    if (!reader) {
        compress_reader_close(source);
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read an export");
    }
    reader->frames.check = reader->lines.check = &reader->check;
    code = export_check_init(&reader->check, format, err);
    if (format != EXPORT_NDJSON)
        reader->frames.source = source;
    else if (code == DBK_OK)
        code = line_reader_take(source, &reader->lines.source, err);
    else
        compress_reader_close(source);
    if (code != DBK_OK) {
        export_reader_close(reader);
        return code;
    }
    *out = reader;
    return DBK_OK;
}

void export_reader_close(struct export_reader *reader)
{
    if (!reader)
        return;
    line_reader_close(reader->lines.source);
    compress_reader_close(reader->frames.source);
    digest_destroy(reader->check.digest);
    free(reader->lines.records);
    free(reader);
}

enum dbk_code export_reader_next(struct export_reader *reader, struct dbk_slice *bytes,
                                 struct dbk_error *err)
{
    *bytes = (struct dbk_slice){0};
    if (reader->check.ended)
        return DBK_OK;
    if (reader->check.trailer.format == EXPORT_NDJSON)
        return export_read_lines(&reader->lines, bytes, err);
    return export_read_frames(&reader->frames, bytes, err);
}

void export_reader_place(const struct export_reader *reader, char out[EXPORT_PLACE_MAX])
{
    if (reader->check.trailer.format == EXPORT_NDJSON)
        snprintf(out, EXPORT_PLACE_MAX, "line %" PRIu64,
                 reader->lines.first_line + reader->lines.given - 1);
    else
        snprintf(out, EXPORT_PLACE_MAX, "record %" PRIu64,
                 reader->check.trailer.records);
}

const struct export_trailer *export_reader_trailer(const struct export_reader *reader)
{
    return &reader->check.trailer;
}

double export_reader_share(const struct export_reader *reader)
{
    return reader->lines.source ? line_reader_share(reader->lines.source)
                                : compress_share(reader->frames.source);
}
