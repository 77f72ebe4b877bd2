/* The msgpack form of an export, read back. */
#include "export_reader_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* Where the next frame begins. */
static const char *place(const struct export_reader *reader, char out[96])
{
    snprintf(out, 96, "record %" PRIu64 " (byte %" PRIu64 ")",
             reader->trailer.records + 1, reader->offset);
    return out;
}

static enum dbk_code read_fail(const struct export_reader *reader,
                               struct dbk_error *err)
{
    char at[96];

    return dbk_wrap(err, "%s", place(reader, at));
}

/* Read length bytes; fewer where the file ends. */
static enum dbk_code read_some(struct export_reader *reader, char *out, size_t length,
                               size_t *got, struct dbk_error *err)
{
    size_t more = 1;

    for (*got = 0; *got < length && more > 0; *got += more) {
        if (compress_read(reader->source, out + *got, length - *got, &more, err) !=
            DBK_OK)
            return read_fail(reader, err);
    }
    return DBK_OK;
}

static enum dbk_code read_exactly(struct export_reader *reader, char *out,
                                  size_t length, struct dbk_error *err)
{
    char at[96];
    size_t got;

    if (read_some(reader, out, length, &got, err) != DBK_OK)
        return err->code;
    if (got == length)
        return DBK_OK;
    return dbk_fail(err, DBK_DAMAGED,
                    "%s: the file ends here, without its trailer: it is cut short",
                    place(reader, at));
}

static enum dbk_code read_magic(struct export_reader *reader, struct dbk_error *err)
{
    char magic[EXPORT_MAGIC_BYTES];

    if (read_exactly(reader, magic, sizeof magic, err) != DBK_OK)
        return err->code;
    if (memcmp(magic, EXPORT_MAGIC, sizeof magic) != 0)
        return dbk_fail(err, DBK_DAMAGED, "byte 0: the header was changed");
    digest_add(reader->digest, magic, sizeof magic);
    reader->offset = sizeof magic;
    return DBK_OK;
}

static enum dbk_code read_trailer(struct export_reader *reader, size_t length,
                                  struct dbk_error *err)
{
    struct dbk_slice text = {reader->frame, length};
    char at[96];
    size_t got;

    if (length > EXPORT_TRAILER_MAX)
        return dbk_fail(err, DBK_DAMAGED, "%s: not a trailer: it was changed",
                        place(reader, at));
    if (read_exactly(reader, reader->frame, length, err) != DBK_OK)
        return err->code;
    snprintf(at, sizeof at, "trailer (byte %" PRIu64 ")", reader->offset);
    if (export_reader_end(reader, text, at, err) != DBK_OK)
        return err->code;
    if (read_some(reader, reader->frame, 1, &got, err) != DBK_OK)
        return err->code;
    if (got > 0)
        return dbk_fail(err, DBK_DAMAGED, "%s: something stands behind it", at);
    return DBK_OK;
}

static enum dbk_code read_record(struct export_reader *reader, size_t length,
                                 uint32_t sum, struct dbk_error *err)
{
    struct dbk_record record;
    char at[96];

    place(reader, at);
    if (length > sizeof reader->frame)
        return dbk_fail(err, DBK_DAMAGED, "%s: longer than any record: it was changed",
                        at);
    if (read_exactly(reader, reader->frame, length, err) != DBK_OK)
        return err->code;
    if ((uint32_t)crc32_z(0, (const unsigned char *)reader->frame, length) != sum)
        return dbk_fail(err, DBK_DAMAGED, "%s: it was changed", at);
    if (dbk_record_decode(reader->frame, length, &record, err) != DBK_OK)
        return dbk_wrap(err, "%s", at);
    return export_reader_count(reader, record.sequence, at, err);
}

enum dbk_code export_read_frames(struct export_reader *reader, struct dbk_slice *bytes,
                                 struct dbk_error *err)
{
    char numbers[EXPORT_FRAME_BYTES];
    uint32_t length, sum;

    if (reader->offset == 0 && read_magic(reader, err) != DBK_OK)
        return err->code;
    if (read_exactly(reader, numbers, sizeof numbers, err) != DBK_OK)
        return err->code;
    length = export_get_number(numbers);
    sum = export_get_number(numbers + 4);
    if (length == 0)
        return read_trailer(reader, sum, err);
    if (read_record(reader, length, sum, err) != DBK_OK)
        return err->code;
    digest_add(reader->digest, numbers, sizeof numbers);
    digest_add(reader->digest, reader->frame, length);
    reader->offset += sizeof numbers + length;
    *bytes = (struct dbk_slice){reader->frame, length};
    return DBK_OK;
}
