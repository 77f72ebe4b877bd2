/* made_export.h - a small log's records, and exports of them in memory. */
#ifndef MADE_EXPORT_H
#define MADE_EXPORT_H

#include "export_writer.h"
#include "made_log.h"

#include <fcntl.h>
#include <zlib.h>

#define MADE_RECORDS 7

/* One of each type, and the odd values. */
static inline void made_records(struct dbk_record *records)
{
    struct dbk_record all[MADE_RECORDS] = {
        made_person(1, "kate@x.mock", 1000),
        made_event(1, 1, 1001),
        made_event(2, 1, 1002),
        {.type = DBK_PERSON_UPDATED,
         .recorded_at = 1003,
         .subject = made_id(0xAA, 1),
         .person = {.has = DBK_HAS_LAST_NAME,
                    .last_name = dbk_slice("O'N\xC3\xA9\"il")}},
        {.type = DBK_EVENT_DELETED,
         .recorded_at = 1004,
         .subject = made_id(0xBB, 1),
         .person_id = made_id(0xAA, 1),
         .request_id = dbk_slice("r1"),
         .actor = dbk_slice("support"),
         .source = dbk_slice("rest")},
        {.type = DBK_PERSON_DELETED, .recorded_at = 1005, .subject = made_id(0xAA, 1)},
        made_person(2, "ororo@x.mock", 900),
    };

    all[2].properties = dbk_slice("{\r\n \"a,\": [1, \"x\\\"\"]}");
    all[2].has_datetime_created = true;
    all[2].datetime_created = 5;
    memcpy(records, all, sizeof all);
}

/* The i-th of them, encoded in bytes, which has DBK_RECORD_MAX of them, and decoded. */
static inline void made_item(struct made *made, size_t i, char *bytes,
                             struct export_item *item)
{
    struct dbk_record records[MADE_RECORDS];

    made_records(records);
    records[i % MADE_RECORDS].sequence = i + 1;
    *item = (struct export_item){.bytes.data = bytes};
    assert_int_equal(dbk_record_encode(&records[i % MADE_RECORDS], bytes,
                                       DBK_RECORD_MAX, &item->bytes.length, &made->err),
                     DBK_OK);
    assert_int_equal(
        dbk_record_decode(bytes, item->bytes.length, &item->record, &made->err),
        DBK_OK);
}

static const uint8_t made_key[32] = {7};

/* The same, sealed. */
static inline void made_sealed_item(struct made *made, size_t i, char *bytes,
                                    struct export_item *item)
{
    static char plain[DBK_RECORD_MAX];

    made_item(made, i, plain, item);
    item->bytes.data = bytes;
    if (!dbk_type_is_sealed(item->record.type))
        memcpy(bytes, plain, item->bytes.length);
    else
        assert_int_equal(dbk_record_seal(plain, item->bytes.length, i + 1, made_key,
                                         bytes, DBK_RECORD_MAX, &item->bytes.length,
                                         &made->err),
                         DBK_OK);
    assert_int_equal(
        dbk_record_decode(bytes, item->bytes.length, &item->record, &made->err),
        DBK_OK);
}

/* Write count items, made again and again with rising sequences, to dir/NAME. */
static inline void
made_export_of(struct made *made, const char *name, enum export_format format,
               const struct export_source *source, size_t count,
               void make(struct made *, size_t, char *, struct export_item *))
{
    static char bytes[DBK_RECORD_MAX];
    int fd = open(made_path(made, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct compress_writer *out;
    struct export_writer *writer;

    assert_int_equal(compress_writer_open(fd, COMPRESSION_NONE, &out, &made->err),
                     DBK_OK);
    assert_int_equal(export_writer_create(format, source, out, &writer, &made->err),
                     DBK_OK);
    for (size_t i = 0; i < count; i++) {
        struct export_item item;

        make(made, i, bytes, &item);
        item.checksum = (uint32_t)crc32_z(0, (const unsigned char *)item.bytes.data,
                                          item.bytes.length);
        assert_int_equal(export_writer_add(writer, &item, &made->err), DBK_OK);
    }
    assert_int_equal(export_writer_end(writer, &made->err), DBK_OK);
    export_writer_destroy(writer);
    compress_writer_close(out);
    close(fd);
}

static inline void made_export(struct made *made, const char *name,
                               enum export_format format, bool whole, size_t count)
{
    const struct export_source source = {.whole = whole, .from = 1, .to = count};

    made_export_of(made, name, format, &source, count, made_item);
}

/* The bytes of dir/NAME, with a NUL behind; the caller frees them. */
static inline struct dbk_slice made_bytes(struct made *made, const char *name)
{
    FILE *file = fopen(made_path(made, name), "rb");
    char *bytes = malloc((size_t)8 << 20);
    size_t length;

    assert_non_null(file);
    length = fread(bytes, 1, ((size_t)8 << 20) - 1, file);
    bytes[length] = '\0';
    fclose(file);
    return (struct dbk_slice){bytes, length};
}

static inline struct dbk_slice
made_exported(struct made *made, enum export_format format, bool whole, size_t count)
{
    made_export(made, "export", format, whole, count);
    return made_bytes(made, "export");
}

#endif
