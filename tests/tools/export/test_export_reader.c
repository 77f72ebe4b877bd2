#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "export_reader.h"
#include "made_export.h"

/* Read all of it; *count receives how many records were given. */
static enum dbk_code read_all(struct dbk_slice bytes, enum export_format format,
                              size_t *count, struct dbk_error *err)
{
    struct compress_reader *source;
    struct export_reader *reader;
    struct dbk_slice record = {"", 1};
    enum dbk_code code;

    *count = 0;
    err->text[0] = '\0';
    assert_int_equal(compress_reader_open_bytes(bytes, &source, err), DBK_OK);
    assert_int_equal(export_reader_open(source, format, &reader, err), DBK_OK);
    while ((code = export_reader_next(reader, &record, err)) == DBK_OK &&
           record.length > 0) {
        struct dbk_record decoded;
        ++*count;
        assert_int_equal(dbk_record_decode(record.data, record.length, &decoded, NULL),
                         DBK_OK);
        assert_int_equal(decoded.sequence, *count);
    }
    if (code == DBK_OK) { /* and it stays at the end */
        assert_int_equal(export_reader_next(reader, &record, err), DBK_OK);
        assert_int_equal(record.length, 0);
        assert_int_equal(export_reader_trailer(reader)->records, *count);
    }
    export_reader_close(reader);
    return code;
}

static void assert_refused(struct dbk_slice bytes, enum export_format format,
                           const char *expected)
{
    struct dbk_error err;
    size_t count;

    assert_int_not_equal(read_all(bytes, format, &count, &err), DBK_OK);
    if (strncmp(err.text, expected, strlen(expected)) != 0)
        fail_msg("\"%s\" and not \"%s\"", err.text, expected);
}

static void release(struct dbk_slice bytes)
{
    free((char *)(uintptr_t)bytes.data);
}

static void what_was_written_is_read(void **state)
{
    static const size_t counts[] = {0, 1, 7, 999, 1000, 1001, 3500};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int format = EXPORT_NDJSON; format <= EXPORT_MSGPACK; format++) {
            struct dbk_slice bytes =
                made_exported(*state, (enum export_format)format, true, counts[i]);
            struct dbk_error err;
            enum export_format known;
            size_t count;
            assert_true(export_recognise(bytes, &known));
            assert_int_equal(known, format);
            if (read_all(bytes, known, &count, &err) != DBK_OK)
                fail_msg("%s", err.text);
            assert_int_equal(count, counts[i]);
            release(bytes);
        }
    }
}

/* The same bytes for the same record, although each sealing takes another nonce. */
static void made_same_item(struct made *made, size_t i, char *bytes,
                           struct export_item *item)
{
    static char kept[MADE_RECORDS][DBK_RECORD_MAX];
    static size_t lengths[MADE_RECORDS];

    if (lengths[i] == 0) {
        made_sealed_item(made, i, kept[i], item);
        lengths[i] = item->bytes.length;
    }
    memcpy(bytes, kept[i], lengths[i]);
    *item = (struct export_item){.bytes = {bytes, lengths[i]}};
    assert_int_equal(dbk_record_decode(bytes, lengths[i], &item->record, &made->err),
                     DBK_OK);
}

static void made_opened_item(struct made *made, size_t i, char *bytes,
                             struct export_item *item)
{
    static char room[DBK_RECORD_MAX];

    made_sealed_item(made, i, bytes, item);
    assert_int_equal(dbk_record_open(&item->record, made_key, room, &made->err),
                     DBK_OK);
}

/* Each record's bytes come out as they went in, whichever way they took. */
static void what_is_sealed_is_read_byte_for_byte(void **state)
{
    const struct export_source source = {.whole = true, .from = 1, .to = MADE_RECORDS};
    struct made *made = *state;
    char *ways[2];

    for (int format = EXPORT_NDJSON; format <= EXPORT_MSGPACK; format++) {
        struct dbk_slice bytes, record;
        struct compress_reader *from;
        struct export_reader *reader;
        size_t used = 0;

        made_export_of(made, "export", (enum export_format)format, &source,
                       MADE_RECORDS, made_same_item);
        bytes = made_bytes(made, "export");
        ways[format] = calloc(MADE_RECORDS, DBK_RECORD_MAX);
        assert_int_equal(compress_reader_open_bytes(bytes, &from, &made->err), DBK_OK);
        assert_int_equal(
            export_reader_open(from, (enum export_format)format, &reader, &made->err),
            DBK_OK);
        do {
            if (export_reader_next(reader, &record, &made->err) != DBK_OK)
                fail_msg("%s", made->err.text);
            if (record.length > 0)
                memcpy(ways[format] + used, record.data, record.length);
            used += record.length;
        } while (record.length > 0);
        assert_true(used > 0);
        export_reader_close(reader);
        release(bytes);
    }
    assert_memory_equal(ways[0], ways[1], (size_t)MADE_RECORDS * DBK_RECORD_MAX);
    free(ways[0]);
    free(ways[1]);
}

static void what_was_unsealed_is_refused_with_the_way_out(void **state)
{
    const struct export_source source = {
        .whole = true, .from = 1, .to = 2, .unsealed = true};
    struct dbk_slice bytes;
    struct dbk_error err;
    size_t count;

    made_export_of(*state, "export", EXPORT_NDJSON, &source, 2, made_opened_item);
    bytes = made_bytes(*state, "export");
    assert_int_equal(read_all(bytes, EXPORT_NDJSON, &count, &err), DBK_DAMAGED);
    assert_true(!strncmp(err.text, "line 1: ", 8));
    assert_non_null(strstr(err.text, "--unseal cannot be imported; make one without"));
    release(bytes);
}

static void any_flipped_bit_of_a_line_is_named(void **state)
{
    struct dbk_slice bytes = made_exported(*state, EXPORT_NDJSON, true, MADE_RECORDS);
    char *text = (char *)(uintptr_t)bytes.data;
    size_t line = 1;

    for (size_t i = 0; i < bytes.length; i++) {
        bool feed = text[i] == '\n';
        char expected[32];
        snprintf(expected, sizeof expected, "line %zu: ", line);
        for (int bit = 0; bit < 8; bit += 3) {
            text[i] = (char)(text[i] ^ (1 << bit));
            assert_refused(bytes, EXPORT_NDJSON, expected);
            text[i] = (char)(text[i] ^ (1 << bit));
        }
        line += feed;
    }
    release(bytes);
}

static void any_flipped_bit_of_a_frame_is_named(void **state)
{
    struct dbk_slice bytes = made_exported(*state, EXPORT_MSGPACK, true, MADE_RECORDS);
    char *text = (char *)(uintptr_t)bytes.data;
    size_t record = 0, next = EXPORT_MAGIC_BYTES;

    for (size_t i = 0; i < bytes.length; i++) {
        char expected[32] = "byte 0: ";
        if (i == next) {
            record++;
            next += 8 + export_get_number(text + i);
        }
        if (record > 0 && record <= MADE_RECORDS)
            snprintf(expected, sizeof expected, "record %zu (byte ", record);
        if (record > MADE_RECORDS)
            expected[0] = '\0'; /* the trailer, or the frame it is taken for */
        for (int bit = 0; bit < 8; bit += 3) {
            text[i] = (char)(text[i] ^ (1 << bit));
            assert_refused(bytes, EXPORT_MSGPACK, expected);
            text[i] = (char)(text[i] ^ (1 << bit));
        }
    }
    release(bytes);
}

static void cut_anywhere_it_is_refused(void **state)
{
    for (int format = EXPORT_NDJSON; format <= EXPORT_MSGPACK; format++) {
        struct dbk_slice bytes =
            made_exported(*state, (enum export_format)format, true, MADE_RECORDS);
        for (size_t length = 0; length < bytes.length; length++) {
            struct dbk_slice cut = {malloc(length + 1), length};
            memcpy((char *)(uintptr_t)cut.data, bytes.data, length);
            assert_refused(cut, (enum export_format)format, "");
            release(cut);
        }
        release(bytes);
    }
}

static void a_cut_is_named_with_the_last_line(void **state)
{
    struct dbk_slice bytes = made_exported(*state, EXPORT_NDJSON, true, 3);
    struct dbk_slice cut = bytes;

    cut.length = (size_t)(strstr(bytes.data, "{\"export\"") - bytes.data);
    assert_refused(cut, EXPORT_NDJSON,
                   "the file ends behind line 4, without its trailer");
    cut.length -= 5;
    assert_refused(cut, EXPORT_NDJSON, "line 4: the file ends in it");
    cut.length = bytes.length - 1;
    assert_refused(cut, EXPORT_NDJSON, "line 5: the file ends in it");
    release(bytes);
}

/* The export's lines in another order: each number of `order` is a line, from 1. */
static struct dbk_slice reorder(struct dbk_slice bytes, const size_t *order,
                                size_t count)
{
    char *out = malloc(bytes.length * 2), *at = out;

    for (size_t i = 0; i < count; i++) {
        const char *line = bytes.data;
        size_t length;
        for (size_t n = 1; n < order[i]; n++)
            line = strchr(line, '\n') + 1;
        length = (size_t)(strchr(line, '\n') + 1 - line);
        memcpy(at, line, length);
        at += length;
    }
    *at = '\0';
    return (struct dbk_slice){out, (size_t)(at - out)};
}

static void lines_missing_moved_or_doubled_are_named(void **state)
{
    /* Five records, the check line, the trailer. */
    static const struct {
        size_t order[8], count;
        const char *expected;
    } cases[] = {
        {{2, 3, 4, 5, 6, 7}, 6, "line 1: record 2 where record 1 comes first"},
        {{1, 3, 4, 5, 6, 7}, 6, "line 2: record 3 where record 2 comes next"},
        {{1, 2, 3, 4, 6, 7}, 6, "line 5: it checks other records"},
        {{1, 3, 2, 4, 5, 6, 7}, 7, "line 2: record 3 where record 2 comes next"},
        {{1, 2, 2, 3, 4, 5, 6, 7}, 8, "line 3: record 2 where record 3 comes next"},
        {{1, 2, 3, 4, 5, 7}, 6, "line 6: a check line is missing"},
        {{1, 2, 3, 4, 5, 6}, 6, "the file ends behind line 6"},
        {{6, 1, 2, 3, 4, 5, 7}, 7, "line 1: a check line without records"},
        {{1, 2, 3, 4, 5, 6, 6, 7}, 8, "line 7: a check line without records"},
        {{1, 2, 3, 4, 5, 6, 7, 7}, 8, "line 8: it stands behind the trailer"},
        {{7, 1, 2, 3, 4, 5, 6}, 7, "line 1: the trailer does not fit"},
    };
    struct dbk_slice bytes = made_exported(*state, EXPORT_NDJSON, true, 5);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_slice changed = reorder(bytes, cases[i].order, cases[i].count);
        assert_refused(changed, EXPORT_NDJSON, cases[i].expected);
        release(changed);
    }
    release(bytes);
}

static void a_block_that_is_missing_is_named(void **state)
{
    struct dbk_slice bytes = made_exported(*state, EXPORT_NDJSON, true, 3000);
    char *text = (char *)(uintptr_t)bytes.data;
    char *first = strstr(text, "{\"check\""), *second = strstr(first + 1, "{\"check\"");
    size_t behind;

    first = strchr(first, '\n') + 1;
    second = strchr(second, '\n') + 1;
    behind = bytes.length - (size_t)(second - text);
    memmove(first, second, behind);
    bytes.length = (size_t)(first - text) + behind;
    assert_refused(bytes, EXPORT_NDJSON, "line 1002: record 2001 where record 1001");
    release(bytes);
}

static void a_record_of_a_later_block_is_named(void **state)
{
    struct dbk_slice bytes = made_exported(*state, EXPORT_NDJSON, true, 2500);
    char *text = (char *)(uintptr_t)bytes.data;
    char *at = strstr(text, "\"sequence\":1506,");

    at = strstr(at, "ororo");
    memcpy(at, "Storm", 5);
    /* Lines 1001 and, soon, 2002 are check lines: the next ororo is record 1512's. */
    assert_refused(bytes, EXPORT_NDJSON, "line 1513: record 1512 is not what was");
    release(bytes);
}

static void a_part_of_a_log_is_told_from_damage(void **state)
{
    for (int format = EXPORT_NDJSON; format <= EXPORT_MSGPACK; format++) {
        struct dbk_slice bytes =
            made_exported(*state, (enum export_format)format, false, 3);
        struct dbk_error err;
        size_t count;
        assert_int_equal(read_all(bytes, (enum export_format)format, &count, &err),
                         DBK_INVALID);
        assert_non_null(strstr(err.text, "made with --from"));
        release(bytes);
    }
}

static void a_newer_export_is_told(void **state)
{
    struct dbk_slice bytes = made_exported(*state, EXPORT_NDJSON, true, 3);
    struct dbk_error err;
    size_t count;
    char *at = strstr((char *)(uintptr_t)bytes.data, "\"version\":2");

    at[10] = '3';
    assert_int_equal(read_all(bytes, EXPORT_NDJSON, &count, &err), DBK_UNSUPPORTED);
    release(bytes);
}

static void it_is_recognised_although_a_byte_was_changed(void **state)
{
    for (int format = EXPORT_NDJSON; format <= EXPORT_CSV; format++) {
        struct dbk_slice bytes =
            made_exported(*state, (enum export_format)format, true, 3);
        char *text = (char *)(uintptr_t)bytes.data;
        enum export_format known;
        for (size_t i = 0; i < 40 && format != EXPORT_CSV; i++) {
            text[i] ^= 1;
            assert_true(export_recognise(bytes, &known));
            assert_int_equal(known, format);
            text[i] ^= 1;
        }
        assert_true(export_recognise(bytes, &known));
        assert_int_equal(known, format);
        release(bytes);
    }
}

static void persons_are_no_export(void **state)
{
    enum export_format format;

    (void)state;
    assert_false(export_recognise(
        dbk_slice("{\"id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\",\"email\":"),
        &format));
    assert_false(export_recognise((struct dbk_slice){0}, &format));
}

#define WITH_DIRECTORY(test)                                                           \
    cmocka_unit_test_setup_teardown(test, made_setup, made_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(what_was_written_is_read),
        WITH_DIRECTORY(what_is_sealed_is_read_byte_for_byte),
        WITH_DIRECTORY(what_was_unsealed_is_refused_with_the_way_out),
        WITH_DIRECTORY(any_flipped_bit_of_a_line_is_named),
        WITH_DIRECTORY(any_flipped_bit_of_a_frame_is_named),
        WITH_DIRECTORY(cut_anywhere_it_is_refused),
        WITH_DIRECTORY(a_cut_is_named_with_the_last_line),
        WITH_DIRECTORY(lines_missing_moved_or_doubled_are_named),
        WITH_DIRECTORY(a_block_that_is_missing_is_named),
        WITH_DIRECTORY(a_record_of_a_later_block_is_named),
        WITH_DIRECTORY(a_part_of_a_log_is_told_from_damage),
        WITH_DIRECTORY(a_newer_export_is_told),
        WITH_DIRECTORY(it_is_recognised_although_a_byte_was_changed),
        cmocka_unit_test(persons_are_no_export),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
