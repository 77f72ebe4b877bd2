#include "export_read_frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static enum dbk_code damaged(const struct export_frames *frames, const char *what,
                             struct dbk_error *err)
{
    return dbk_fail(err, DBK_DAMAGED, "%s: %s", frames->place, what);
}

/* Read length bytes; fewer where the file ends. */
static enum dbk_code read_some(struct export_frames *frames, char *out, size_t length,
                               size_t *got, struct dbk_error *err)
{
    size_t more = 1;

    for (*got = 0; *got < length && more > 0; *got += more) {
        if (compress_read(frames->source, out + *got, length - *got, &more, err) !=
            DBK_OK)
            return dbk_wrap(err, "%s", frames->place);
    }
    return DBK_OK;
}

static enum dbk_code read_exactly(struct export_frames *frames, char *out,
                                  size_t length, struct dbk_error *err)
{
    size_t got;

    if (read_some(frames, out, length, &got, err) != DBK_OK)
        return err->code;
    if (got == length)
        return DBK_OK;
    return damaged(frames, "the file ends here, without its trailer: it is cut short",
                   err);
}

static enum dbk_code read_magic(struct export_frames *frames, struct dbk_error *err)
{
    char magic[EXPORT_MAGIC_BYTES];

    if (read_exactly(frames, magic, sizeof magic, err) != DBK_OK)
        return err->code;
    if (memcmp(magic, EXPORT_MAGIC, sizeof magic) != 0)
        return dbk_fail(err, DBK_DAMAGED, "byte 0: the header was changed");
    digest_add(frames->check->digest, magic, sizeof magic);
    frames->offset = sizeof magic;
    return DBK_OK;
}

static enum dbk_code read_trailer(struct export_frames *frames, size_t length,
                                  struct dbk_error *err)
{
    struct dbk_slice text = {frames->frame, length};
    size_t got;

    if (length > EXPORT_TRAILER_MAX)
        return damaged(frames, "not a trailer: it was changed", err);
    if (read_exactly(frames, frames->frame, length, err) != DBK_OK)
        return err->code;
    snprintf(frames->place, sizeof frames->place, "trailer (byte %" PRIu64 ")",
             frames->offset);
    if (export_check_end(frames->check, text, frames->place, err) != DBK_OK ||
        read_some(frames, frames->frame, 1, &got, err) != DBK_OK)
        return err->code;
    return got == 0 ? DBK_OK : damaged(frames, "something stands behind it", err);
}

static enum dbk_code read_record(struct export_frames *frames, size_t length,
                                 uint32_t sum, struct dbk_error *err)
{
    struct dbk_record record;

    if (length > sizeof frames->frame)
        return damaged(frames, "longer than any record: it was changed", err);
    if (read_exactly(frames, frames->frame, length, err) != DBK_OK)
        return err->code;
    if ((uint32_t)crc32_z(0, (const unsigned char *)frames->frame, length) != sum)
        return damaged(frames, "it was changed", err);
    if (dbk_record_decode(frames->frame, length, &record, err) != DBK_OK)
        return dbk_wrap(err, "%s", frames->place);
    return export_check_count(frames->check, record.sequence, frames->place, err);
}

static void name_place(struct export_frames *frames)
{
    snprintf(frames->place, sizeof frames->place,
             "record %" PRIu64 " (byte %" PRIu64 ")",
             frames->check->trailer.records + 1, frames->offset);
}

enum dbk_code export_read_frames(struct export_frames *frames, struct dbk_slice *bytes,
                                 struct dbk_error *err)
{
    char numbers[EXPORT_FRAME_BYTES];
    uint32_t length, sum;

    name_place(frames);
    if (frames->offset == 0 && read_magic(frames, err) != DBK_OK)
        return err->code;
    name_place(frames);
    if (read_exactly(frames, numbers, sizeof numbers, err) != DBK_OK)
        return err->code;
    length = export_get_number(numbers);
    sum = export_get_number(numbers + 4);
    if (length == 0)
        return read_trailer(frames, sum, err);
    if (read_record(frames, length, sum, err) != DBK_OK)
        return err->code;
    digest_add(frames->check->digest, numbers, sizeof numbers);
    digest_add(frames->check->digest, frames->frame, length);
    frames->offset += sizeof numbers + length;
    *bytes = (struct dbk_slice){frames->frame, length};
    return DBK_OK;
}
