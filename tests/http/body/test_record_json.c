#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/record_json.h"
#include "render_record.h"

#include <stdio.h>
#include <stdlib.h>

static char line[DBK_RECORD_JSON_MAX], room[DBK_RECORD_JSON_ROOM];

#define PERSON                                                                         \
    "{\"format\":1,\"type\":\"person.created\",\"sequence\":1,\"recorded_at\":"        \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{\"email\":\"kate@x.mock\",\"first_name\":"               \
    "\"K\\\"a\\u0001"                                                                  \
    "\\u007f\\\\\\n\\t \xF0\x9F\x98\x80\",\"last_name\":\"\",\"role\":\"admin\","      \
    "\"datetime_created\":\"0001-01-01T00:00:00.000000\"},\"meta\":{\"request_id\":"   \
    "\"r1\",\"actor\":\"a b\",\"source\":\"rest\"}}"
#define EVENT_FRONT                                                                    \
    "{\"format\":1,\"type\":\"event.recorded\",\"sequence\":18446744073709551615,"     \
    "\"recorded_at\":\"9999-12-31T23:59:59.999999\",\"subject_id\":\"00000000-0000-"   \
    "0000-0000-000000000000\",\"data\":{\"person_id\":\"9c65af1a-c109-4c17-9bf1-"      \
    "5f4bcac95e3c\",\"event_type\":\"click\""
#define EVENT EVENT_FRONT ",\"properties\":{ \"a\" : [1,\t\"}\\\"\"] }},\"meta\":{}}"
#define UPDATED                                                                        \
    "{\"format\":1,\"type\":\"person.updated\",\"sequence\":7,\"recorded_at\":"        \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{\"last_name\":\"Pryde\"},\"meta\":{\"source\":\"rest\"}" \
    "}"
#define PERSON_DELETED                                                                 \
    "{\"format\":1,\"type\":\"person.deleted\",\"sequence\":7,\"recorded_at\":"        \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{},\"meta\":{}}"
#define EVENT_DELETED                                                                  \
    "{\"format\":1,\"type\":\"event.deleted\",\"sequence\":7,\"recorded_at\":"         \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"00000000-0000-0000-0000-"         \
    "000000000000\",\"data\":{\"person_id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\"}" \
    ","                                                                                \
    "\"meta\":{\"actor\":\"support\"}}"

#define FORMAT_2(type, data)                                                           \
    "{\"format\":2,\"type\":\"" type "\",\"sequence\":7,\"recorded_at\":"              \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{" data "},\"meta\":{\"source\":\"rest\"}}"
#define ALIASED FORMAT_2("person.aliased", "\"anonymous_id\":\"d\xC3\xA9vice 1\"")
#define UNALIASED FORMAT_2("person.unaliased", "\"anonymous_id\":\"a\"")
#define ANONYMOUS                                                                      \
    FORMAT_2("event.recorded",                                                         \
             "\"person_id\":null,\"event_type\":\"Order \\\"2\\\"\","                  \
             "\"properties\":{\"a\": 1},\"datetime_created\":"                         \
             "\"1969-12-31T23:59:59.999999\",\"anonymous_id\":"                        \
             "\"d\"")

#define TRACED                                                                         \
    "{\"format\":3,\"type\":\"person.deleted\",\"sequence\":7,\"recorded_at\":"        \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{},\"meta\":{\"source\":\"rest\",\"traceparent\":\"00-"   \
    "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}}"

/* 41 bytes. */
#define BLOB_GROUPS "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm"
#define BLOB BLOB_GROUPS "J/8="
#define SEALED(type, data)                                                             \
    "{\"format\":4,\"type\":\"" type "\",\"sequence\":7,\"recorded_at\":"              \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{" data "},\"meta\":{\"source\":\"rest\"}}"
#define SEALED_PERSON SEALED("person.created", "\"key\":7,\"sealed\":\"" BLOB "\"")
#define SEALED_EVENT                                                                   \
    SEALED("event.recorded",                                                           \
           "\"person_id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\","                   \
           "\"key\":18446744073709551615,\"sealed\":\"" BLOB_GROUPS "Jygp\"")
#define FORMAT_5(type)                                                                 \
    "{\"format\":5,\"type\":\"" type "\",\"sequence\":7,\"recorded_at\":"              \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{},\"meta\":{\"source\":\"rest\"}}"

#define ROOT "dGhlIHJvb3Qgb2YgYSB0cmVlIG9mIDI1OCBsZWF2ZXM="
#define RESEALED(data)                                                                 \
    "{\"format\":6,\"type\":\"log.resealed\",\"sequence\":7,\"recorded_at\":"          \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{" data "},\"meta\":{}}"

#define FORMAT_7(type, data)                                                           \
    "{\"format\":7,\"type\":\"" type "\",\"sequence\":7,\"recorded_at\":"              \
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"         \
    "5f4bcac95e3c\",\"data\":{" data "},\"meta\":{}}"

static const char *const lines[] = {
    PERSON,
    EVENT,
    EVENT_FRONT "},\"meta\":{}}",
    EVENT_FRONT ",\"datetime_created\":\"1969-12-31T23:59:59.999999\"},\"meta\":{}}",
    EVENT_FRONT ",\"properties\":{ \"a\":1 "
                "},\"properties_text\":\"{\\n\\\"a\\\":1\\r}\"},\"meta\":{}}",
    UPDATED,
    PERSON_DELETED,
    EVENT_DELETED,
    FORMAT_2("person.created", "\"role\":\"user\""),
    FORMAT_2("person.created",
             "\"first_name\":\"Kate\",\"role\":\"admin\",\"properties\":{ \"a\":1 "
             "},\"properties_text\":\"{\\n\\\"a\\\":1\\r}\",\"datetime_created\":"
             "\"1969-12-31T23:59:59.999999\",\"external_id\":\"crm|1\""),
    FORMAT_2("person.updated", "\"email\":null,\"first_name\":null,\"last_name\":"
                               "\"P\",\"role\":\"user\",\"properties\":null,"
                               "\"external_id\":null"),
    FORMAT_2("person.updated", "\"properties\":{},\"external_id\":\"crm|1\""),
    ALIASED,
    UNALIASED,
    ANONYMOUS,
    FORMAT_2("event.recorded",
             "\"person_id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\",\"event_type\":"
             "\"a\",\"anonymous_id\":\"d\""),
    FORMAT_2("event.deleted", "\"person_id\":null"),
    "{\"format\":2,\"type\":\"person.deleted\",\"sequence\":7,\"recorded_at\":"
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"
    "5f4bcac95e3c\",\"data\":{},\"meta\":{\"clock_offset\":\"-1500000\"}}",
    TRACED,
    "{\"format\":4,\"type\":\"person.erased\",\"sequence\":7,\"recorded_at\":"
    "\"2023-10-08T06:03:33.330037\",\"subject_id\":\"9c65af1a-c109-4c17-9bf1-"
    "5f4bcac95e3c\",\"data\":{\"keys\":[7,18446744073709551615,1]},\"meta\":{}}",
    SEALED_PERSON,
    SEALED_EVENT,
    SEALED("event.recorded", "\"person_id\":null,\"key\":1,\"sealed\":\"" BLOB "\""),
    SEALED("person.updated", "\"key\":1,\"sealed\":\"" BLOB "\""),
    SEALED("person.aliased", "\"key\":1,\"sealed\":\"" BLOB "\""),
    SEALED("person.unaliased", "\"key\":1,\"sealed\":\"" BLOB "\""),
    FORMAT_5("person.restricted"),
    FORMAT_5("person.unrestricted"),
    RESEALED("\"size\":18446744073709551615,\"root\":\"" ROOT "\""),
    RESEALED("\"size\":1,\"root\":\"" ROOT
             "\",\"checkpoint\":\"a\\n1\\n\\n\xE2\x80\x94 a b\\n\""),
    FORMAT_7("event.recorded", "\"person_id\":null,\"key\":1,\"sealed\":\"" BLOB
                               "\",\"month\":18446744073709551615"),
    FORMAT_7("events.expired", "\"keys\":[7,1],\"through\":18446744073709551615,"
                               "\"before\":\"2023-10-01T00:00:00.000000\""),
};
#define LINES (sizeof lines / sizeof *lines)

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

static void text_that_is_not_utf8_is_not_written(void **state)
{
    struct dbk_record record = {.format = 1,
                                .type = DBK_EVENT_RECORDED,
                                .sequence = 12,
                                .event_type = dbk_slice("cl\xFFick")};
    struct dbk_error err = {0};
    size_t length;

    (void)state;
    assert_int_equal(dbk_record_json_write(&record, line, sizeof line, &length, &err),
                     DBK_INVALID);
    assert_string_equal(err.text, "record 12 holds text that is not UTF-8");
}

/* text with the first `old` replaced is refused, at that column (0: any). */
static void refused(const char *text, const char *old, const char *new, size_t column)
{
    const char *at = strstr(text, old);
    char changed[1024], expected[32];
    struct dbk_record record;
    struct dbk_error err = {0};
    enum dbk_code code;

    assert_non_null(at);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, new,
             at + strlen(old));
    code = dbk_record_json_read(changed, strlen(changed), room, &record, &err);
    if (code != DBK_INVALID)
        fail_msg("taken: %s", changed);
    snprintf(expected, sizeof expected, "column %zu: expected ", column);
    if (column && strncmp(err.text, expected, strlen(expected)) != 0)
        fail_msg("%s, not at column %zu", err.text, column);
}

static void any_other_spelling_is_refused(void **state)
{
    (void)state;
    refused(PERSON, "{\"format\":1", "{ \"format\":1", 1);
    refused(PERSON, "\"format\":1", "\"format\":01", 11);
    refused(PERSON, "\"format\":1", "\"format\":0", 0);
    refused(PERSON, "\"sequence\":1", "\"sequence\":1.0", 49);
    refused(PERSON, "\"sequence\":1", "\"sequence\":-1", 48);
    refused(PERSON, "\"sequence\":1", "\"sequence\":01", 48);
    refused(EVENT, "18446744073709551615", "18446744073709551616", 0);
    refused(PERSON, "person.created", "person.made", 0);
    refused(PERSON, "9c65af1a", "9C65af1a", 0);
    refused(PERSON, "9c65af1a", "9c65af1", 0);
    refused(PERSON, "10-08T06", "10-08t06", 0);
    refused(PERSON, "10-08T06", "13-08T06", 0);
    refused(PERSON, "33.330037\"", "33.33003\"", 0);
    refused(PERSON, "kate", "k\\u0061te", 0);
    refused(PERSON, "kate", "k\\/te", 0);
    refused(PERSON, "\\u0001", "\\u0000", 0);
    refused(PERSON, "\\u0001", "\\u000A", 0);
    refused(PERSON, "\\u0001", "\\u000a", 0);
    refused(PERSON, "\\u0001", "\001", 0);
    refused(PERSON, "\\u007f", "\177", 0);
    refused(PERSON, "\xF0\x9F\x98\x80", "\xF0\x9F\x98", 0);
    refused(PERSON, "admin", "root", 0);
    refused(PERSON, "\"rest\"}}", "\"rest\"}} ", 0);
    refused(PERSON, "\"rest\"}}", "\"rest\"}", 0);
    refused(PERSON, "\"rest\"}}", "\"rest\"}}{", 0);
    refused(PERSON, "\"actor\":\"a b\"", "\"actor\":\"\"", 0);
}

static void fields_that_are_missing_or_too_many_are_refused(void **state)
{
    (void)state;
    refused(PERSON, "\"last_name\":\"\",", "", 0);
    refused(PERSON, "\"last_name\":\"\"", "\"last_name\":null", 0);
    refused(PERSON, "\"last_name\":\"\"", "\"last_name\":\"\",\"age\":3", 0);
    refused(PERSON, "\"source\":\"rest\"", "\"source\":\"rest\",\"source\":\"rest\"",
            0);
    refused(PERSON, ",\"actor\":\"a b\",\"source\":\"rest\"",
            ",\"source\":\"rest\",\"actor\":\"a b\"", 0);
    refused(UPDATED, "\"last_name\"", "\"person_id\"", 0);
    refused(UPDATED, "\"Pryde\"", "\"Pryde\",\"first_name\":\"Kate\"", 0);
    refused(PERSON_DELETED, "\"data\":{", "\"data\":{\"email\":\"kate@x.mock\"", 0);
    refused(EVENT_DELETED, "\"person_id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\"", "",
            0);
    refused(EVENT, "\"event_type\":\"click\",", "", 0);
    refused(EVENT, ",\"meta\":{}", "", 0);
    refused(ALIASED, "\"anonymous_id\":\"d\xC3\xA9vice 1\"", "", 0);
    refused(ANONYMOUS, "null", "\"00000000-0000-0000-0000-000000000000\"", 0);
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

static void properties_must_be_json_as_it_was_kept(void **state)
{
    (void)state;
    refused(EVENT, "{ \"a\" : [1,\t\"}\\\"\"] }", "[]", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "[1,]", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "\"\xFF\"", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "\"", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]", 0);
    refused(lines[4], "{ \"a\":1 }", "{  \"a\":1 }", 0);
    refused(lines[4], "{ \"a\":1 }", "{ \"a\":2 }", 0);
    refused(lines[4], "\\n", "", 0);
    refused(lines[4], "\"{\\n\\\"a\\\":1\\r}\"", "\"{ \\\"a\\\":1 }\"", 0);
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

static void a_newer_format_is_told_from_damage(void **state)
{
    static const char newer[] = "{\"format\":8,\"kind\":\"new\"}";
    struct dbk_record record;
    struct dbk_error err = {0};

    (void)state;
    assert_int_equal(dbk_record_json_read(newer, strlen(newer), room, &record, &err),
                     DBK_UNSUPPORTED);
}

static void cut_anywhere_it_is_refused(void **state)
{
    struct dbk_record record;

    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        for (size_t length = 0; length < strlen(lines[i]); length++) {
            char *cut = malloc(length ? length : 1); /* of its very size, for ASan */
            memcpy(cut, lines[i], length);
            assert_int_equal(dbk_record_json_read(cut, length, room, &record, NULL),
                             DBK_INVALID);
            free(cut);
        }
    }
}

/* What is taken although a byte was changed says exactly what it says. */
static void a_changed_byte_is_refused_or_means_what_it_says(void **state)
{
    char changed[1024];
    struct dbk_record record;
    size_t taken = 0, tried = 0;

    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        for (size_t at = 0; at < strlen(lines[i]); at++) {
            for (int bit = 0; bit < 8; bit++) {
                size_t length = strlen(lines[i]), written;
                memcpy(changed, lines[i], length);
                changed[at] = (char)(changed[at] ^ (1 << bit));
                tried++;
                if (dbk_record_json_read(changed, length, room, &record, NULL) !=
                    DBK_OK)
                    continue;
                taken++;
                assert_int_equal(
                    dbk_record_json_write(&record, line, sizeof line, &written, NULL),
                    DBK_OK);
                assert_int_equal(written, length);
                assert_memory_equal(line, changed, length);
            }
        }
    }
    assert_true(taken > 0 && taken < tried / 2);
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
        cmocka_unit_test(text_that_is_not_utf8_is_not_written),
        cmocka_unit_test(any_other_spelling_is_refused),
        cmocka_unit_test(fields_that_are_missing_or_too_many_are_refused),
        cmocka_unit_test(what_a_log_was_is_told_whole),
        cmocka_unit_test(the_format_is_the_one_it_is_written_in),
        cmocka_unit_test(properties_must_be_json_as_it_was_kept),
        cmocka_unit_test(a_sealed_record_has_all_of_its_bytes),
        cmocka_unit_test(what_is_sealed_stays_so_whether_it_was_opened_or_not),
        cmocka_unit_test(what_is_not_sealed_any_more_is_not_read),
        cmocka_unit_test(a_newer_format_is_told_from_damage),
        cmocka_unit_test(cut_anywhere_it_is_refused),
        cmocka_unit_test(a_changed_byte_is_refused_or_means_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
