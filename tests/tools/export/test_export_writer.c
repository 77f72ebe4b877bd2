#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "export_csv.h"
#include "made_export.h"

#define PERSON "aa000000-0000-4000-8000-000000000001"

/* Where line number `number` (from 1) begins. */
static const char *line_at(struct dbk_slice text, size_t number)
{
    const char *at = text.data;

    while (--number > 0)
        at = strchr(at, '\n') + 1;
    return at;
}

static size_t count_lines(struct dbk_slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += text.data[i] == '\n';
    return count;
}

static void assert_starts(const char *text, const char *expected)
{
    if (strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("%.200s\nand not %s", text, expected);
}

static void lines_are_followed_by_their_check_and_the_trailer(void **state)
{
    struct dbk_slice text = made_exported(*state, EXPORT_NDJSON, true, 2);

    assert_int_equal(count_lines(text), 4);
    assert_starts(line_at(text, 1), "{\"format\":1,\"type\":\"person.created\"");
    assert_starts(line_at(text, 2), "{\"format\":1,\"type\":\"event.recorded\"");
    assert_starts(line_at(text, 3), "{\"check\":{\"records\":2,\"crc32\":\"");
    assert_starts(line_at(text, 4),
                  "{\"export\":{\"version\":2,\"format\":\"ndjson\",\"records\":2,"
                  "\"first\":1,\"last\":2,\"whole\":true,\"sha256\":\"");
    free((char *)(uintptr_t)text.data);
}

static void the_trailer_has_the_digest_of_all_before_it(void **state)
{
    struct made *made = *state;
    struct dbk_slice text = made_exported(made, EXPORT_NDJSON, false, 9);
    const char *trailer = line_at(text, 11);
    struct digest *digest;
    char hex[DIGEST_HEX + 1];

    assert_int_equal(digest_create(&digest, &made->err), DBK_OK);
    digest_add(digest, text.data, (size_t)(trailer - text.data));
    assert_int_equal(digest_hex(digest, hex, &made->err), DBK_OK);
    digest_destroy(digest);
    assert_non_null(strstr(trailer, hex));
    assert_non_null(strstr(trailer, "\"whole\":false"));
    free((char *)(uintptr_t)text.data);
}

static void a_check_line_comes_every_thousand_records(void **state)
{
    struct dbk_slice text = made_exported(*state, EXPORT_NDJSON, true, 2001);

    assert_int_equal(count_lines(text), 2001 + 3 + 1);
    assert_starts(line_at(text, 1001), "{\"check\":{\"records\":1000,");
    assert_starts(line_at(text, 2002), "{\"check\":{\"records\":1000,");
    assert_starts(line_at(text, 2004), "{\"check\":{\"records\":1,");
    assert_starts(line_at(text, 2005), "{\"export\":");
    free((char *)(uintptr_t)text.data);
}

static void a_thousand_records_need_one_check_line(void **state)
{
    struct dbk_slice text = made_exported(*state, EXPORT_NDJSON, true, 1000);

    assert_int_equal(count_lines(text), 1002);
    free((char *)(uintptr_t)text.data);
}

static void an_empty_log_is_a_trailer(void **state)
{
    struct dbk_slice text = made_exported(*state, EXPORT_NDJSON, true, 0);

    /* Source of the digest: SHA-256 of nothing, FIPS 180-2. */
    assert_string_equal(
        text.data,
        "{\"export\":{\"version\":2,\"format\":\"ndjson\",\"records\":0,\"first\":0,"
        "\"last\":0,\"whole\":true,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e"
        "4649b934ca495991b7852b855\",\"source\":{\"store_id\":\"00000000-0000-0000-"
        "0000-"
        "000000000000\",\"from\":1,\"to\":0,\"type\":null,\"person_id\":null,"
        "\"exported_at\":\"1970-01-01T00:00:00.000000\",\"escaped\":0,\"missing\":0,"
        "\"missing_sequences\":\"\"},\"checkpoint\":null,"
        "\"self\":\"d587b114\"}}\n");
    free((char *)(uintptr_t)text.data);
}

static void frames_hold_the_record_bytes(void **state)
{
    struct dbk_slice bytes = made_exported(*state, EXPORT_MSGPACK, true, MADE_RECORDS);
    const char *at = bytes.data + EXPORT_MAGIC_BYTES;
    struct dbk_record record;
    uint32_t length;

    assert_memory_equal(bytes.data, "DAYBOOK EXPORT 1", 16);
    for (uint64_t i = 1; i <= MADE_RECORDS; i++) {
        length = export_get_number(at);
        assert_int_equal(dbk_record_decode(at + 8, length, &record, NULL), DBK_OK);
        assert_int_equal(record.sequence, i);
        assert_int_equal(export_get_number(at + 4),
                         crc32_z(0, (const unsigned char *)at + 8, length));
        at += 8 + length;
    }
    assert_int_equal(export_get_number(at), 0);
    length = export_get_number(at + 4);
    assert_int_equal(at + 8 + length - bytes.data, bytes.length);
    assert_starts(at + 8, "{\"export\":{\"version\":2,\"format\":\"msgpack\"");
    free((char *)(uintptr_t)bytes.data);
}

static void rows_are_quoted_as_rfc_4180_has_it(void **state)
{
    struct dbk_slice text = made_exported(*state, EXPORT_CSV, true, MADE_RECORDS);

    assert_string_equal(
        text.data,
        "sequence,type,recorded_at,subject_id,person_id,email,first_name,last_"
        "name,role,"
        "event_type,datetime_created,properties,request_id,actor,source,external_id,"
        "anonymous_id,clock_offset,traceparent\r\n"
        "1,person.created,1970-01-01T00:00:00.001000," PERSON "," PERSON
        ",kate@x.mock,Kate,Pryde,user,,,,,,test,,,,\r\n"
        "2,event.recorded,1970-01-01T00:00:00.001001,bb000000-0000-4000-8000-"
        "000000000001," PERSON ",,,,,click,,,,,test,,,,\r\n"
        "3,event.recorded,1970-01-01T00:00:00.001002,bb000000-0000-4000-8000-"
        "000000000002," PERSON
        ",,,,,click,1970-01-01T00:00:00.000005,\"{\r\n \"\"a,\"\":"
        " [1, \"\"x\\\"\"\"\"]}\",,,test,,,,\r\n"
        "4,person.updated,1970-01-01T00:00:00.001003," PERSON "," PERSON
        ",,,\"O'N\xC3\xA9\"\"il\",,,,,,,,,,,\r\n"
        "5,event.deleted,1970-01-01T00:00:00.001004,bb000000-0000-4000-8000-"
        "000000000001," PERSON ",,,,,,,,r1,support,rest,,,,\r\n"
        "6,person.deleted,1970-01-01T00:00:00.001005," PERSON "," PERSON
        ",,,,,,,,,,,,,,\r\n"
        "7,person.created,1970-01-01T00:00:00.000900,aa000000-0000-4000-8000-"
        "000000000002,aa000000-0000-4000-8000-000000000002,ororo@x.mock,Kate,"
        "Pryde,user,"
        ",,,,,test,,,,\r\n");
    free((char *)(uintptr_t)text.data);
}

static void a_trailer_says_where_it_comes_from(void **state)
{
    const struct export_source source = {.from = 3,
                                         .to = UINT64_MAX,
                                         .type = DBK_EVENT_RECORDED,
                                         .has_person = true,
                                         .person = made_id(0xAA, 1),
                                         .exported_at = 1500000};
    struct export_trailer trailer = {.sha256 = "5ha", .escaped = 2};
    char text[EXPORT_TRAILER_MAX];
    struct dbk_slice slice = {text, export_trailer_text(&trailer, &source, text)};

    (void)state;
    assert_non_null(strstr(text, "\"from\":3,\"to\":null,\"type\":\"event.recorded\","
                                 "\"person_id\":\"" PERSON "\",\"exported_at\":"
                                 "\"1970-01-01T00:00:01.500000\",\"escaped\":2,"));
    assert_true(export_trailer_fits(&trailer, slice));
    for (size_t i = 0; i < slice.length; i++) {
        text[i] ^= 1;
        assert_false(export_trailer_fits(&trailer, slice));
        text[i] ^= 1;
    }
    slice.length = export_trailer_text_1(&trailer, text);
    assert_true(export_trailer_fits(&trailer, slice));
}

/* Whose readers took at most so many bytes, and looked at nothing between source and self. */
#define FORMER_MAX 2816

static void assert_carries(struct export_trailer *trailer, const char *note)
{
    const struct export_source source = {.from = UINT64_MAX - 1, .to = UINT64_MAX - 1};
    char text[EXPORT_TRAILER_MAX], read[EXPORT_CHECKPOINT_MAX];
    struct export_trailer other = {.sha256 = "5ha"};
    struct dbk_slice slice = {text, export_trailer_text(trailer, &source, text)};
    size_t length;

    assert_true(slice.length < FORMER_MAX);
    assert_true(export_trailer_fits(&other, slice));
    length = export_trailer_note(&other, read);
    assert_int_equal(length, strlen(note));
    assert_memory_equal(read, note, length);
}

static void a_trailer_carries_a_checkpoint(void **state)
{
    static const char *const notes[] = {
        "a.example/log\n2\nroot=\n\n\xE2\x80\x94 a.example/log c2ln\n",
        "say\"checkpoint\":\"\\n\n2\n\\\\\n"};
    struct export_trailer trailer = {.sha256 = "5ha"};
    char many[EXPORT_CHECKPOINT_MAX] = "";

    (void)state;
    assert_carries(&trailer, ""); /* none */
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        assert_true(export_trailer_carry(&trailer, dbk_slice(notes[i])));
        assert_carries(&trailer, notes[i]);
    }
    memset(many, '\n', EXPORT_CHECKPOINT_MAX / 2 - 1);
    assert_true(export_trailer_carry(&trailer, dbk_slice(many)));
    assert_carries(&trailer, many);
    strcat(many, "\n");
    assert_false(export_trailer_carry(&trailer, dbk_slice(many)));
    many[strlen(many) - 1] = '\0';
    assert_carries(&trailer, many); /* as it was */
}

/* Its own checksum put right. */
static void a_trailer_with_a_longer_checkpoint_than_any_is_none(void **state)
{
    const struct export_source source = {.from = 1, .to = 2};
    struct export_trailer trailer = {.sha256 = "5ha"};
    char text[EXPORT_TRAILER_MAX], *at;
    size_t before;

    (void)state;
    assert_true(export_trailer_carry(&trailer, dbk_slice("a\n")));
    export_trailer_text(&trailer, &source, text);
    at = strstr(text, "a\\n\"");
    memmove(at + EXPORT_CHECKPOINT_MAX, at, strlen(at) + 1);
    memset(at, 'a', EXPORT_CHECKPOINT_MAX);
    before = strlen(text) - strlen(",\"self\":\"00000000\"}}");
    sprintf(text + before, ",\"self\":\"%08lx\"}}",
            crc32_z(0, (const unsigned char *)text, before));
    assert_false(export_trailer_fits(&trailer, dbk_slice(text)));
    memmove(at, at + 4, strlen(at + 4) + 1);
    before -= 4;
    sprintf(text + before, ",\"self\":\"%08lx\"}}",
            crc32_z(0, (const unsigned char *)text, before));
    assert_true(export_trailer_fits(&trailer, dbk_slice(text)));
}

/* The cells of one, up to the next comma. */
static void assert_cell(const char *name, const char *cell, uint64_t escaped)
{
    static char row[EXPORT_CSV_MAX];
    struct dbk_record record = made_person(1, "a@x.mock", 5);
    uint64_t count = 0;
    size_t length;

    record.person.first_name = dbk_slice(name);
    length = export_csv_row(&record, row, &count);
    row[length] = '\0';
    if (!strstr(row, cell))
        fail_msg("%s is not in %s", cell, row);
    assert_int_equal(count, escaped);
}

static void a_cell_that_a_spreadsheet_would_run_is_made_harmless(void **state)
{
    (void)state;
    assert_cell("=1+1", ",'=1+1,", 1);
    assert_cell("=HYPERLINK(\"x\",1)", ",\"'=HYPERLINK(\"\"x\"\",1)\",", 1);
    assert_cell("  @SUM(A1)", ",'  @SUM(A1),", 1);
    assert_cell("+1", ",'+1,", 1);
    assert_cell("-1", ",'-1,", 1);
    assert_cell("\t=1", ",'\t=1,", 1);
    assert_cell("\r=1", ",\"'\r=1\",", 1);
    assert_cell("\xEF\xBC\x9D"
                "1",
                ",'\xEF\xBC\x9D"
                "1,",
                1);
    assert_cell("'tis", ",''tis,", 1);
    assert_cell("O'Neil", ",O'Neil,", 0);
    assert_cell("a=b", ",a=b,", 0);
    assert_cell(" ", ", ,", 0);
    assert_cell("", ",,", 0);
}

static void the_longest_records_fit_every_format(void **state)
{
    struct made *made = *state;
    char *breaks = malloc(DBK_PROPERTIES_MAX), *bytes = malloc(DBK_RECORD_MAX);
    struct export_item item = {.bytes.data = bytes};

    memset(breaks, '"', DBK_PROPERTIES_MAX);
    item.record = made_event(1, 1, 5);
    item.record.properties = (struct dbk_slice){breaks, DBK_PROPERTIES_MAX};
    item.record.sequence = 1;
    assert_int_equal(dbk_record_encode(&item.record, bytes, DBK_RECORD_MAX,
                                       &item.bytes.length, &made->err),
                     DBK_OK);
    for (int format = EXPORT_NDJSON; format <= EXPORT_CSV; format++) {
        int fd = open("/dev/null", O_WRONLY);
        const struct export_source source = {.whole = true};
        struct compress_writer *out;
        struct export_writer *writer;
        assert_int_equal(compress_writer_open(fd, COMPRESSION_NONE, &out, &made->err),
                         DBK_OK);
        assert_int_equal(export_writer_create((enum export_format)format, &source, out,
                                              &writer, &made->err),
                         DBK_OK);
        for (int i = 0; i < 100; i++)
            assert_int_equal(export_writer_add(writer, &item, &made->err), DBK_OK);
        assert_int_equal(export_writer_end(writer, &made->err), DBK_OK);
        export_writer_destroy(writer);
        compress_writer_close(out);
        close(fd);
    }
    free(breaks);
    free(bytes);
}

static void text_that_json_cannot_say_is_told_with_the_way_out(void **state)
{
    struct made *made = *state;
    const struct export_source source = {.whole = true};
    struct export_item item = {.record = made_event(1, 1, 5)};
    struct compress_writer *out;
    struct export_writer *writer;

    item.record.actor = dbk_slice("\xFF");
    assert_int_equal(compress_writer_open(1, COMPRESSION_NONE, &out, &made->err),
                     DBK_OK);
    assert_int_equal(
        export_writer_create(EXPORT_NDJSON, &source, out, &writer, &made->err), DBK_OK);
    assert_int_equal(export_writer_add(writer, &item, &made->err), DBK_INVALID);
    assert_non_null(strstr(made->err.text, "--format msgpack"));
    export_writer_destroy(writer);
    compress_writer_close(out);
}

#define WITH_DIRECTORY(test)                                                           \
    cmocka_unit_test_setup_teardown(test, made_setup, made_teardown)

/* Opened, as far as the keys are there: that of the second is destroyed. */
static void make_opened(struct made *made, size_t i, char *bytes,
                        struct export_item *item)
{
    static char room[DBK_RECORD_MAX];

    made_sealed_item(made, i, bytes, item);
    if (i == 1)
        item->record.erased = true;
    else if (item->record.sealed.length > 0)
        assert_int_equal(dbk_record_open(&item->record, made_key, room, &made->err),
                         DBK_OK);
}

static void what_is_sealed_is_written_as_it_lies(void **state)
{
    const struct export_source source = {.whole = true, .from = 1, .to = 2};
    struct dbk_slice text;

    made_export_of(*state, "export", EXPORT_NDJSON, &source, 2, make_opened);
    text = made_bytes(*state, "export");
    assert_starts(strstr(line_at(text, 1), "\"data\":"),
                  "\"data\":{\"key\":1,\"sealed\":\"");
    assert_starts(strstr(line_at(text, 2), "\"data\":"),
                  "\"data\":{\"person_id\":\"" PERSON "\",\"key\":2,\"sealed\":\"");
    assert_null(strstr(text.data, "kate@x.mock"));
    assert_null(strstr(text.data, "unsealed"));
    free((char *)(uintptr_t)text.data);
}

static void an_unsealed_one_says_so_and_counts_the_erased(void **state)
{
    const struct export_source source = {
        .whole = true, .from = 1, .to = 3, .unsealed = true};
    struct dbk_slice text;

    made_export_of(*state, "export", EXPORT_NDJSON, &source, 3, make_opened);
    text = made_bytes(*state, "export");
    assert_starts(line_at(text, 1), "{\"format\":4,\"type\":\"person.created\"");
    assert_starts(strstr(line_at(text, 1), "\"data\":"),
                  "\"data\":{\"email\":\"kate@x.mock\"");
    assert_starts(strstr(line_at(text, 2), "\"data\":"),
                  "\"data\":{\"person_id\":\"" PERSON "\",\"erased\":true}");
    assert_non_null(strstr(line_at(text, 5), "\"missing_sequences\":\"\","
                                             "\"unsealed\":true,\"erased\":1},"
                                             "\"checkpoint\":null"));
    free((char *)(uintptr_t)text.data);
}

static void csv_is_of_what_is_opened(void **state)
{
    struct export_source source = {.whole = true, .unsealed = true};
    struct made *made = *state;
    static char bytes[DBK_RECORD_MAX];
    struct compress_writer *out;
    struct export_writer *writer;
    struct export_item item;
    struct dbk_slice text;

    made_export_of(made, "export", EXPORT_CSV, &source, 2, make_opened);
    text = made_bytes(made, "export");
    assert_non_null(strstr(text.data, ",kate@x.mock,Kate,Pryde,user,"));
    assert_non_null(strstr(text.data, "," PERSON ",,,,,,,,,,test,,,,\r\n"));
    free((char *)(uintptr_t)text.data);
    source.unsealed = false;
    assert_int_equal(compress_writer_open(open(made_path(made, "export"), O_WRONLY),
                                          COMPRESSION_NONE, &out, &made->err),
                     DBK_OK);
    assert_int_equal(
        export_writer_create(EXPORT_CSV, &source, out, &writer, &made->err), DBK_OK);
    made_sealed_item(made, 0, bytes, &item);
    assert_int_equal(export_writer_add(writer, &item, &made->err), DBK_INVALID);
    assert_non_null(strstr(made->err.text, "record 1 is sealed"));
    export_writer_destroy(writer);
    compress_writer_close(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(lines_are_followed_by_their_check_and_the_trailer),
        WITH_DIRECTORY(the_trailer_has_the_digest_of_all_before_it),
        WITH_DIRECTORY(a_check_line_comes_every_thousand_records),
        WITH_DIRECTORY(a_thousand_records_need_one_check_line),
        WITH_DIRECTORY(an_empty_log_is_a_trailer),
        WITH_DIRECTORY(frames_hold_the_record_bytes),
        WITH_DIRECTORY(rows_are_quoted_as_rfc_4180_has_it),
        WITH_DIRECTORY(a_trailer_says_where_it_comes_from),
        WITH_DIRECTORY(a_trailer_carries_a_checkpoint),
        WITH_DIRECTORY(a_trailer_with_a_longer_checkpoint_than_any_is_none),
        WITH_DIRECTORY(a_cell_that_a_spreadsheet_would_run_is_made_harmless),
        WITH_DIRECTORY(the_longest_records_fit_every_format),
        WITH_DIRECTORY(what_is_sealed_is_written_as_it_lies),
        WITH_DIRECTORY(an_unsealed_one_says_so_and_counts_the_erased),
        WITH_DIRECTORY(csv_is_of_what_is_opened),
        WITH_DIRECTORY(text_that_json_cannot_say_is_told_with_the_way_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
