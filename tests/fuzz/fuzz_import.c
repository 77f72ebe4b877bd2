/* fuzz_import.c - whatever the bytes of a file to import are, plain, gzip or Zstandard:
 * its bytes do not hang on how they are asked for, its lines are the ones between its
 * line feeds, and what a line is taken for can be appended. */
#include "fuzz.h"
#include "http/body.h"
#include "line_reader.h"

/* A small file may unpack to much more; half of this is more than the longest line. */
#define WHOLE_MAX ((size_t)9 << 18)
#define PIECE_MAX ((size_t)64 << 10)
/* A bomb of a million lines says no more than its first ones. */
#define LINES_MAX 5000
#define BODIES_MAX 100
#define SMALL_MAX ((size_t)16 << 10)

struct whole {
    char bytes[WHOLE_MAX + PIECE_MAX];
    size_t length;
    enum dbk_code code; /* how reading ended */
    bool cut;           /* there was more */
};

/* All of it, asked for in pieces of this size; once much has come, in large ones. */
static void read_whole(struct dbk_slice file, size_t piece, struct whole *whole)
{
    struct compress_reader *reader;
    struct dbk_error err = {0};
    size_t got = 1;

    whole->length = 0;
    whole->code = DBK_OK;
    whole->cut = false;
    require(compress_reader_open_bytes(file, &reader, &err) == DBK_OK);
    while (whole->code == DBK_OK && got > 0 && !whole->cut) {
        whole->code =
            compress_read(reader, whole->bytes + whole->length,
                          whole->length < SMALL_MAX ? piece : PIECE_MAX, &got, &err);
        whole->length += whole->code == DBK_OK ? got : 0;
        whole->cut = whole->length >= WHOLE_MAX;
    }
    require(whole->code == DBK_OK || whole->code == DBK_DAMAGED);
    if (whole->code != DBK_OK)
        require_reason(&err);
    compress_reader_close(reader);
}

/* A damaged file may give a little more of itself where more is asked for at once. */
static void require_same(const struct whole *a, const struct whole *b)
{
    size_t length = a->length < b->length ? a->length : b->length;

    require(memcmp(a->bytes, b->bytes, length) == 0);
    if (a->cut || b->cut)
        return;
    require(a->code == b->code);
    require(a->code != DBK_OK || a->length == b->length);
}

static void try_body(struct dbk_slice line, enum dbk_type type)
{
    static char bytes[DBK_RECORD_MAX];
    struct dbk_field_errors fields = {0};
    struct dbk_error err = {0};
    struct dbk_body body;
    enum dbk_code code;
    size_t length;

    code = type == DBK_PERSON_CREATED
               ? dbk_body_person(line.data, line.length, DBK_BODY_IMPORT, &body,
                                 &fields, &err)
               : dbk_body_event(line.data, line.length, DBK_BODY_IMPORT, NULL, &body,
                                &fields, &err);
    if (code == DBK_OK)
        require(dbk_record_encode(&body.record, bytes, sizeof bytes, &length, NULL) ==
                DBK_OK);
    else
        require_reason(&err);
    dbk_body_finish(&body);
}

/* The line that begins at *at of the whole file, which moves behind it. */
static struct dbk_slice naive_line(const struct whole *whole, size_t *at, size_t *raw)
{
    struct dbk_slice line = {whole->bytes + *at, whole->length - *at};
    const char *feed = memchr(line.data, '\n', line.length);

    line.length = feed ? (size_t)(feed - line.data) : line.length;
    *raw = line.length;
    *at += line.length + (feed != NULL);
    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    return line;
}

/* Line by line, as far as the whole file is known. */
static void try_lines(struct dbk_slice file, const struct whole *whole)
{
    struct compress_reader *reader;
    struct line_reader *lines;
    struct dbk_error err = {0};
    struct dbk_slice line, wanted;
    enum line_read read = LINE_READ;
    size_t at = 0, raw;
    uint64_t number = 0;

    require(compress_reader_open_bytes(file, &reader, &err) == DBK_OK);
    require(line_reader_take(reader, &lines, &err) == DBK_OK);
    while ((read = line_reader_next(lines, &line, &err)) == LINE_READ ||
           read == LINE_TOO_LONG) {
        if (number >= LINES_MAX || (whole->cut && at >= WHOLE_MAX / 2))
            break;
        wanted = naive_line(whole, &at, &raw);
        require(line_reader_number(lines) == ++number);
        require((read == LINE_TOO_LONG) == (raw > LINE_READER_MAX));
        if (read == LINE_TOO_LONG)
            continue;
        require(dbk_slice_equal(line, wanted));
        require(line_reader_raw(lines).length >= line.length);
        if (number > BODIES_MAX)
            continue;
        try_body(line, DBK_PERSON_CREATED);
        try_body(line, DBK_EVENT_RECORDED);
    }
    if (read == LINE_END)
        require(whole->code == DBK_OK && at == whole->length);
    if (read == LINE_FAILED) {
        require(whole->code != DBK_OK || whole->cut);
        require_reason(&err);
    }
    line_reader_close(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct whole whole, pieces;
    char *bytes = copy_bytes(data, size);
    struct dbk_slice file = {bytes, size};

    read_whole(file, PIECE_MAX, &whole);
    read_whole(file, 7, &pieces);
    require_same(&whole, &pieces);
    try_lines(file, &whole);
    free(bytes);
    return 0;
}
