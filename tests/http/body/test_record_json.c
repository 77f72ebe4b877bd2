/* A record as JSON, and back. */
#include "record_lines.h"

/* Reading, encoding, decoding and writing gives the text again. */
static void round_trip(const char *text)
{
    static char bytes[DBK_RECORD_MAX];
    struct dbk_record record, decoded;
    struct dbk_error err = {0};
    size_t length, written;

    if (dbk_record_json_read(text, strlen(text), room, &record, &err) != DBK_OK)
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(dbk_record_encode(&record, bytes, sizeof bytes, &length, &err),
                     DBK_OK);
    assert_int_equal(dbk_record_decode(bytes, length, &decoded, &err), DBK_OK);
    assert_int_equal(dbk_record_json_write(&decoded, line, sizeof line, &written, &err),
                     DBK_OK);
    assert_int_equal(written, strlen(text));
    assert_memory_equal(line, text, written);
}

static void what_is_read_comes_out_as_it_went_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < LINES; i++)
        round_trip(lines[i]);
}

static void the_line_is_the_object_of_get_log(void **state)
{
    struct dbk_record record;
    struct dbk_render render;

    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        if (strstr(lines[i], "properties_text") || strstr(lines[i], "\"sealed\":"))
            continue;
        assert_int_equal(
            dbk_record_json_read(lines[i], strlen(lines[i]), room, &record, NULL),
            DBK_OK);
        dbk_render_init(&render, 1 << 20);
        render_record_shown(&render, &record);
        assert_int_equal(render.length, strlen(lines[i]));
        assert_memory_equal(render.text, lines[i], render.length);
        dbk_render_finish(&render);
    }
}

static void line_breaks_in_properties_are_kept(void **state)
{
    static const char text[] = "{\r\n  \"a\": [1,\n 2],\t\"b\": \"\\n\"\n}";
    struct dbk_record record = {.format = 1,
                                .type = DBK_EVENT_RECORDED,
                                .event_type = dbk_slice("click"),
                                .properties = dbk_slice(text)};
    struct dbk_record again;
    size_t length;

    (void)state;
    assert_int_equal(dbk_record_json_write(&record, line, sizeof line, &length, NULL),
                     DBK_OK);
    assert_null(memchr(line, '\n', length));
    assert_null(memchr(line, '\r', length));
    line[length] = '\0';
    assert_non_null(strstr(line, "{    \"a\": [1,  2],\t\"b\": \"\\n\" },\"properties_"
                                 "text\":\"{\\r\\n  "));
    assert_int_equal(dbk_record_json_read(line, length, room, &again, NULL), DBK_OK);
    assert_true(dbk_slice_equal(again.properties, record.properties));
}

static void the_longest_record_fits(void **state)
{
    char *breaks = malloc(DBK_PROPERTIES_MAX), control[DBK_EVENT_TYPE_MAX];
    struct dbk_slice worst = {control, sizeof control};
    struct dbk_record record = {.format = 3,
                                .type = DBK_EVENT_RECORDED,
                                .event_type = worst,
                                .anonymous_id = worst,
                                .properties = {breaks, DBK_PROPERTIES_MAX},
                                .request_id = worst,
                                .actor = worst,
                                .source = worst,
                                .clock_offset = worst,
                                .traceparent = worst};
    struct dbk_record again;
    struct dbk_error err = {0};
    size_t length;

    (void)state;
    memset(control, 1, sizeof control);
    memset(breaks, '\n', DBK_PROPERTIES_MAX);
    breaks[0] = '{';
    breaks[DBK_PROPERTIES_MAX - 1] = '}';
    assert_int_equal(dbk_record_json_write(&record, line, sizeof line, &length, &err),
                     DBK_OK);
    if (dbk_record_json_read(line, length, room, &again, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(dbk_record_json_write(&record, line, length - 1, &length, &err),
                     DBK_TOO_LARGE);
    free(breaks);
}

static void what_a_log_was_is_told_whole(void **state)
{
    static const char text[] =
        RESEALED("\"size\":7,\"root\":\"" ROOT "\",\"checkpoint\":\"a\"");

    (void)state;
    refused(text, "\"size\":7", "\"size\":0", 0);
    refused(text, "\"size\":7,", "", 0);
    refused(text, ",\"root\":\"" ROOT "\"", "", 0);
    refused(text, ROOT, "dGhlIHJvb3Q=", 0);
    refused(text, ROOT, "", 0);
    refused(text, "\"a\"", "\"\"", 0);
    refused(text, "\"a\"", "null", 0);
    refused(text, "\"format\":6", "\"format\":5", 0);
}

static void the_format_is_the_one_it_is_written_in(void **state)
{
    (void)state;
    refused(ALIASED, "\"format\":2", "\"format\":1", 11);
    refused(ANONYMOUS, "\"format\":2", "\"format\":1", 0);
    refused(PERSON, "\"format\":1", "\"format\":2", 0);
    refused(EVENT, "\"format\":1", "\"format\":2", 11);
    refused(EVENT, "\"format\":1", "\"format\":3", 11);
    refused(ALIASED, "\"format\":2", "\"format\":3", 11);
    refused(TRACED, "\"format\":3", "\"format\":2", 11);
}

static void a_sealed_record_has_all_of_its_bytes(void **state)
{
    (void)state;
    refused(SEALED_PERSON, "J/8=", "J/9=", 0); /* bits that are left over */
    refused(SEALED_PERSON, "J/8=", "J/8", 0);
    refused(SEALED_PERSON, "J/8=", "J_8=", 0);
    refused(SEALED_PERSON, "J/8=", "J/8=\\n", 0);
    refused(SEALED_PERSON, BLOB, "", 0);
    refused(SEALED_PERSON, "\"key\":7", "\"key\":07", 0);
    refused(SEALED_PERSON, "\"key\":7", "\"key\":0", 0);
    refused(SEALED_PERSON, "\"format\":4", "\"format\":3", 0);
    refused(SEALED_EVENT, "\"person_id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\",", "",
            0);
}

static const char *written_as(enum dbk_code write(const struct dbk_record *, char *,
                                                  size_t, size_t *, struct dbk_error *),
                              const struct dbk_record *record)
{
    size_t length;

    assert_int_equal(write(record, line, sizeof line - 1, &length, NULL), DBK_OK);
    line[length] = '\0';
    return line;
}

static void what_is_sealed_stays_so_whether_it_was_opened_or_not(void **state)
{
    static char bytes[DBK_RECORD_MAX], sealed[DBK_RECORD_MAX], opened[DBK_RECORD_MAX];
    const uint8_t key[32] = {1};
    struct dbk_record record;
    size_t length;
    char *before;

    (void)state;
    assert_int_equal(
        dbk_record_json_read(UPDATED, strlen(UPDATED), room, &record, NULL), DBK_OK);
    assert_int_equal(dbk_record_encode(&record, bytes, sizeof bytes, &length, NULL),
                     DBK_OK);
    assert_int_equal(
        dbk_record_seal(bytes, length, 9, key, sealed, sizeof sealed, &length, NULL),
        DBK_OK);
    assert_int_equal(dbk_record_decode(sealed, length, &record, NULL), DBK_OK);
    before = strdup(written_as(dbk_record_json_write, &record));
    assert_non_null(strstr(before, "\"data\":{\"key\":9,\"sealed\":\""));
    assert_non_null(strstr(written_as(dbk_record_json_write_opened, &record),
                           "\"data\":{\"sealed\":true}"));
    assert_int_equal(dbk_record_open(&record, key, opened, NULL), DBK_OK);
    assert_string_equal(written_as(dbk_record_json_write, &record), before);
    assert_non_null(strstr(written_as(dbk_record_json_write_opened, &record),
                           "\"data\":{\"last_name\":\"Pryde\"}"));
    free(before);
}

static void what_is_not_sealed_any_more_is_not_read(void **state)
{
    static const char text[] = SEALED("person.updated", "\"last_name\":\"Pryde\"");
    struct dbk_record record;
    struct dbk_error err;

    (void)state;
    assert_int_equal(dbk_record_json_read(text, strlen(text), room, &record, &err),
                     DBK_INVALID);
    assert_non_null(strstr(err.text, "--unseal"));
}

static void every_type_is_among_the_lines(void **state)
{
    (void)state;
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        size_t with = 0;

        for (size_t i = 0; i < LINES; i++)
            with += strstr(lines[i], dbk_type_name(type)) != NULL;
        assert_in_range(with, 1, LINES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_among_the_lines),
        cmocka_unit_test(what_is_read_comes_out_as_it_went_in),
        cmocka_unit_test(the_line_is_the_object_of_get_log),
        cmocka_unit_test(line_breaks_in_properties_are_kept),
        cmocka_unit_test(the_longest_record_fits),
        cmocka_unit_test(what_a_log_was_is_told_whole),
        cmocka_unit_test(the_format_is_the_one_it_is_written_in),
        cmocka_unit_test(a_sealed_record_has_all_of_its_bytes),
        cmocka_unit_test(what_is_sealed_stays_so_whether_it_was_opened_or_not),
        cmocka_unit_test(what_is_not_sealed_any_more_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
