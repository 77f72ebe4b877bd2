/* record_lines.h - records of each kind as lines. */
#ifndef TEST_RECORD_LINES_H
#define TEST_RECORD_LINES_H

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

/* text with the first `old` replaced is refused, at that column (0: any). */
static inline void refused(const char *text, const char *old, const char *new,
                           size_t column)
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

#endif
