/* sealed_cases.h - records of each kind that is sealed, and their bytes. */
#ifndef TEST_SEALED_CASES_H
#define TEST_SEALED_CASES_H

#include "record_sealed.h"

#include "record_layout.h"
#include "seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Whatever is sealed here is with this key and nonce, and one of these numbers. */
static uint8_t key[SEAL_KEY] = {0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
                                0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
                                0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57,
                                0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f};
static uint8_t nonce[SEAL_NONCE] = {0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67,
                                    0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f,
                                    0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77};

#define TEXT(literal)                                                                  \
    {                                                                                  \
        literal, sizeof literal - 1                                                    \
    }
#define SUBJECT                                                                        \
    {                                                                                  \
        {                                                                              \
            0x01, 0xa2, 0x22, 0x4b, 0x1f, 0xb0, 0x72, 0xda, 0x9a, 0xb1, 0x75, 0x90,    \
                0xe0, 0xfa, 0x94, 0x3c                                                 \
        }                                                                              \
    }
#define COMMON                                                                         \
    .sequence = 401, .recorded_at = INT64_C(1795871678384182), .subject = SUBJECT,     \
    .source = TEXT("test")

static const struct sealed_case {
    const char *name; /* of its golden bytes */
    uint64_t number;
    struct dbk_record record; /* of format 7: it has a month */
} cases[] = {
    {"person.created-sealed.4",
     7,
     {COMMON, .type = DBK_PERSON_CREATED,
      .person = {.has = DBK_HAS_ALL,
                 .email = TEXT("kate@marauders.mock"),
                 .first_name = TEXT("Kate"),
                 .last_name = TEXT("Pryde"),
                 .role = DBK_ROLE_USER}}},
    {"person.created-full.4",
     300,
     {COMMON, .type = DBK_PERSON_CREATED,
      .person = {.has = DBK_HAS_PERSON & ~DBK_HAS_FIRST_NAME,
                 .email = TEXT("kate@marauders.mock"),
                 .last_name = TEXT("Pryde"),
                 .role = DBK_ROLE_ADMIN,
                 .external_id = TEXT("crm|42"),
                 .properties = TEXT("{\"plan\": \"pro\"}")},
      .has_datetime_created = true, .datetime_created = -1, .actor = TEXT("someone"),
      .request_id = TEXT("req-1"), .traceparent = TEXT("00-1")}},
    {"person.created-bare.4",
     127,
     {COMMON, .type = DBK_PERSON_CREATED,
      .person = {.has = DBK_HAS_ROLE, .role = DBK_ROLE_USER}}},
    {"person.updated-sealed.4",
     128,
     {COMMON, .type = DBK_PERSON_UPDATED,
      .person = {.has = DBK_HAS_EMAIL | DBK_HAS_LAST_NAME | DBK_HAS_PROPERTIES,
                 .last_name = TEXT("Pryde")}}},
    {"event.recorded-sealed.4",
     70000,
     {COMMON, .type = DBK_EVENT_RECORDED, .person_id = {{9}},
      .event_type = TEXT("click"), .properties = TEXT("{\"page\": \"/home\"}")}},
    {"event.recorded-anonymous.4",
     UINT64_MAX,
     {COMMON, .type = DBK_EVENT_RECORDED, .event_type = TEXT("Order Completed"),
      .anonymous_id = TEXT("d3b0"), .has_datetime_created = true, .datetime_created = 1,
      .clock_offset = TEXT("-1500000")}},
    {"person.aliased-sealed.4",
     255,
     {COMMON, .type = DBK_PERSON_ALIASED, .anonymous_id = TEXT("d3b0-\xE2\x98\x83")}},
    {"person.unaliased-sealed.4",
     5000000000,
     {COMMON, .type = DBK_PERSON_UNALIASED, .anonymous_id = TEXT("d3b0")}},
    {"event.recorded-sealed.7",
     70000,
     {COMMON, .type = DBK_EVENT_RECORDED, .person_id = {{9}},
      .event_type = TEXT("click"), .properties = TEXT("{\"page\": \"/home\"}"),
      .month = 127}},
    {"event.recorded-anonymous.7",
     5,
     {COMMON, .type = DBK_EVENT_RECORDED, .event_type = TEXT("Order Completed"),
      .anonymous_id = TEXT("d3b0"), .has_datetime_created = true, .datetime_created = 1,
      .clock_offset = TEXT("-1500000"), .month = UINT64_MAX}},
};

enum { CREATED = 0, UPDATED = 3, EVENT = 4, ALIASED = 6 };

#define CASES (sizeof cases / sizeof *cases)

/* A record as it is on disk, and as it is read. */
struct sealed {
    char bytes[DBK_RECORD_MAX], room[DBK_RECORD_MAX];
    size_t length;
    struct dbk_record record;
};

static inline void seal_in(const struct dbk_record *draft, uint64_t number,
                           uint64_t month, struct sealed *sealed)
{
    const struct record_key with = {number, month, key};
    static char plain[DBK_RECORD_MAX];
    size_t length;

    assert_int_equal(dbk_record_encode(draft, plain, sizeof plain, &length, NULL),
                     DBK_OK);
    assert_int_equal(record_seal(plain, length, with, nonce, sealed->bytes,
                                 sizeof sealed->bytes, &sealed->length, NULL),
                     DBK_OK);
    assert_int_equal(
        dbk_record_decode(sealed->bytes, sealed->length, &sealed->record, NULL),
        DBK_OK);
}

static inline void seal_it(const struct dbk_record *draft, uint64_t number,
                           struct sealed *sealed)
{
    seal_in(draft, number, 0, sealed);
}

static inline struct sealed *seal_case(size_t i)
{
    static struct sealed sealed;

    seal_in(&cases[i].record, cases[i].number, cases[i].record.month, &sealed);
    return &sealed;
}

static inline enum dbk_code open_it(struct sealed *sealed, struct dbk_error *err)
{
    return dbk_record_open(&sealed->record, key, sealed->room, err);
}

#endif
