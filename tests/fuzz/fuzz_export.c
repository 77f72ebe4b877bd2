/* fuzz_export.c - whatever the bytes of an export are: no crash, no leak, no hang, and
 * what was taken is a record that gives the same bytes again. */
#include "export_csv.h"
#include "export_reader.h"
#include "fuzz.h"
#include "http/record_json.h"

/* One field of a row of CSV, as RFC 4180 has it; returns what is behind its comma or
 * CR. */
static const char *naive_field(const char *at, const char *end, char *out)
{
    bool quoted = *at == '"';

    for (at += quoted; at < end; at++) {
        if (quoted && *at == '"' && at[1] != '"')
            break;
        if (!quoted && (*at == ',' || *at == '\r'))
            break;
        at += quoted && *at == '"';
        *out++ = *at;
    }
    *out = '\0';
    at += quoted;
    require(at < end && (*at == ',' || *at == '\r'));
    return at + 1;
}

/* An apostrophe before it keeps a spreadsheet from taking it for a formula. */
static bool says(const char *field, struct dbk_slice text)
{
    return dbk_slice_equal(text, dbk_slice(field)) ||
           (field[0] == '\'' && dbk_slice_equal(text, dbk_slice(field + 1)));
}

/* What a record says comes back from its row, which is one. */
static void try_csv(const struct dbk_record *record)
{
    static char row[EXPORT_CSV_MAX], field[EXPORT_CSV_MAX];
    const struct dbk_person_fields *person = &record->person;
    const struct dbk_slice empty = {NULL, 0},
                           texts[] = {dbk_slice(dbk_type_name(record->type)),
                                      empty,
                                      empty,
                                      empty,
                                      person->email,
                                      person->first_name,
                                      person->last_name,
                                      empty,
                                      record->event_type,
                                      empty,
                                      record->properties.length > 0
                                          ? record->properties
                                          : person->properties,
                                      record->request_id,
                                      record->actor,
                                      record->source,
                                      person->external_id,
                                      record->anonymous_id,
                                      record->clock_offset,
                                      record->traceparent};
    uint64_t escaped = 0;
    size_t length = export_csv_row(record, row, &escaped);
    const char *end = row + length, *at;

    require(length <= sizeof row && length > 2 && memcmp(end - 2, "\r\n", 2) == 0);
    at = naive_field(row, end, field);
    require(strtoull(field, NULL, 10) == record->sequence);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        at = naive_field(at, end, field);
        if (texts[i].length > 0)
            require(says(field, texts[i]));
    }
    require(at == end - 1 && *at == '\n');
}

/* A line that is taken is written again as it was, also by way of its bytes. */
static void try_line(const char *text, size_t size)
{
    static char room[DBK_RECORD_JSON_ROOM], again[DBK_RECORD_JSON_MAX];
    static char bytes[DBK_RECORD_MAX];
    struct dbk_record record, decoded;
    struct dbk_error err = {0};
    size_t length, written;

    if (dbk_record_json_read(text, size, room, &record, &err) != DBK_OK) {
        require_reason(&err);
        return;
    }
    if (dbk_record_encode(&record, bytes, sizeof bytes, &length, &err) != DBK_OK)
        return; /* a field over its bound */
    require(dbk_record_decode(bytes, length, &decoded, NULL) == DBK_OK);
    require(dbk_record_json_write(&decoded, again, sizeof again, &written, NULL) ==
            DBK_OK);
    require(written == size && !memcmp(again, text, size));
    try_csv(&decoded);
}

/* Records come in order, from the first, each as encoding gives it; an end or an error
 * comes too. */
static void try_export(struct dbk_slice text, enum export_format format)
{
    struct compress_reader *source;
    struct export_reader *reader;
    struct dbk_slice bytes = {"", 1};
    struct dbk_record record;
    struct dbk_error err = {0};
    enum dbk_code code = DBK_OK;
    char place[EXPORT_PLACE_MAX];
    uint64_t count = 0;

    require(compress_reader_open_bytes(text, &source, &err) == DBK_OK);
    require(export_reader_open(source, format, &reader, &err) == DBK_OK);
    while (code == DBK_OK && bytes.length > 0) {
        code = export_reader_next(reader, &bytes, &err);
        if (code != DBK_OK || bytes.length == 0)
            continue;
        require(dbk_record_decode(bytes.data, bytes.length, &record, NULL) == DBK_OK);
        require(record.sequence == ++count);
        export_reader_place(reader, place);
        require(place[0] != '\0');
    }
    if (code != DBK_OK)
        require_reason(&err);
    require(code != DBK_OK || export_reader_trailer(reader)->records == count);
    export_reader_close(reader);
}

static void try_compressed(struct dbk_slice bytes)
{
    static char out[4096];
    struct compress_reader *reader;
    struct dbk_error err = {0};
    struct dbk_slice front;
    size_t got = 1, total = 0;

    require(compress_reader_open_bytes(bytes, &reader, &err) == DBK_OK);
    if (compress_front(reader, &front, &err) == DBK_OK) {
        while (got > 0 && total < ((size_t)1 << 20) &&
               compress_read(reader, out, sizeof out, &got, &err) == DBK_OK)
            total += got;
    }
    compress_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size);
    enum export_format format;

    try_line(text, size);
    try_compressed((struct dbk_slice){text, size});
    if (export_recognise((struct dbk_slice){text, size}, &format) &&
        format != EXPORT_CSV)
        try_export((struct dbk_slice){text, size}, format);
    free(text);
    return 0;
}
