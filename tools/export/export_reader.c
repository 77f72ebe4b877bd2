#include "export_reader_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_ALIKE 12 /* of the 16 bytes: it was meant for one */

static bool starts(struct dbk_slice front, const char *text)
{
    return front.length >= strlen(text) && !memcmp(front.data, text, strlen(text));
}

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
    else if (starts(front, "sequence,type,recorded_at,"))
        *format = EXPORT_CSV;
    else
        return starts(front, "{\"format\":") || starts(front, "{\"export\":") ||
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
    reader->trailer.format = format;
    if (format == EXPORT_NDJSON) {
        code = import_lines_take(source, &reader->lines, err);
    } else {
        reader->source = source;
        code = DBK_OK;
    }
    if (code == DBK_OK)
        code = digest_create(&reader->digest, err);
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
    import_lines_close(reader->lines);
    compress_reader_close(reader->source);
    digest_destroy(reader->digest);
    free(reader->records);
    free(reader);
}

enum dbk_code export_reader_count(struct export_reader *reader, uint64_t sequence,
                                  const char *place, struct dbk_error *err)
{
    struct export_trailer *trailer = &reader->trailer;

    if (sequence == trailer->last + 1) {
        trailer->first = 1;
        trailer->last = sequence;
        trailer->records++;
        return DBK_OK;
    }
    if (trailer->records == 0)
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: record %" PRIu64 " where record 1 comes first: this is a "
                        "part of a log, or its beginning is missing",
                        place, sequence);
    return dbk_fail(err, DBK_DAMAGED,
                    "%s: record %" PRIu64 " where record %" PRIu64
                    " comes next: something is missing or was moved",
                    place, sequence, trailer->last + 1);
}

static bool is_trailer(const struct export_trailer *trailer, struct dbk_slice text)
{
    char expected[EXPORT_TRAILER_MAX];
    size_t length = export_trailer_text(trailer, expected);

    return length == text.length && !memcmp(text.data, expected, length);
}

enum dbk_code export_reader_end(struct export_reader *reader, struct dbk_slice text,
                                const char *place, struct dbk_error *err)
{
    static const char version[] = "{\"export\":{\"version\":";
    struct export_trailer *trailer = &reader->trailer;

    if (digest_hex(reader->digest, trailer->sha256, err) != DBK_OK)
        return err->code;
    trailer->whole = true;
    if (is_trailer(trailer, text)) {
        reader->ended = true;
        return DBK_OK;
    }
    trailer->whole = false;
    if (is_trailer(trailer, text))
        return dbk_fail(err, DBK_INVALID,
                        "%s: it was made with --from, --to, --type or --person: no "
                        "log can be made of a part",
                        place);
    if (starts(text, version) && text.length > sizeof version &&
        memcmp(text.data + sizeof version - 1, "1,", 2) != 0)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "%s: the trailer is damaged, or of a newer daybook", place);
    return dbk_fail(err, DBK_DAMAGED,
                    "%s: the trailer does not fit what is before it: one of them was "
                    "changed",
                    place);
}

enum dbk_code export_reader_next(struct export_reader *reader, struct dbk_slice *bytes,
                                 struct dbk_error *err)
{
    *bytes = (struct dbk_slice){0};
    if (reader->ended)
        return DBK_OK;
    if (reader->trailer.format == EXPORT_NDJSON)
        return export_read_lines(reader, bytes, err);
    return export_read_frames(reader, bytes, err);
}

void export_reader_place(const struct export_reader *reader, char out[EXPORT_PLACE_MAX])
{
    if (reader->trailer.format == EXPORT_NDJSON)
        snprintf(out, EXPORT_PLACE_MAX, "line %" PRIu64,
                 reader->first_line + reader->given - 1);
    else
        snprintf(out, EXPORT_PLACE_MAX, "record %" PRIu64, reader->trailer.records);
}

const struct export_trailer *export_reader_trailer(const struct export_reader *reader)
{
    return &reader->trailer;
}

double export_reader_share(const struct export_reader *reader)
{
    return reader->lines ? import_lines_share(reader->lines)
                         : compress_share(reader->source);
}
