/* golden_records.h - records with fixed content, and how they are encoded. */
#ifndef TEST_GOLDEN_RECORDS_H
#define TEST_GOLDEN_RECORDS_H

#include "store/record.h"

#include "record_layout.h"

#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Records with fixed content: their bytes are kept in golden/, and are what they are for
 * ever, in the format that the name ends with. */
struct golden {
    const char *name;
    struct dbk_record record;
};

#define COMMON                                                                         \
    .sequence = 0x0102030405060708, .recorded_at = INT64_C(1696745013330037),          \
    .request_id = TEXT("req-1"), .source = TEXT("rest")
#define TEXT(literal)                                                                  \
    {                                                                                  \
        literal, sizeof literal - 1                                                    \
    }
#define ID(byte)                                                                       \
    {                                                                                  \
        {                                                                              \
            byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte,    \
                byte, byte, byte, byte                                                 \
        }                                                                              \
    }

static const struct golden goldens[] = {
    {"person.created.1",
     {COMMON, .type = DBK_PERSON_CREATED, .subject = ID(0xab),
      .person = {.has = DBK_HAS_ALL,
                 .email = TEXT("Kate@x.mock"),
                 .first_name = TEXT("Kate"),
                 .last_name = TEXT("Pryde"),
                 .role = DBK_ROLE_ADMIN},
      .has_datetime_created = true, .datetime_created = -1}},
    {"person.updated.1",
     {COMMON, .type = DBK_PERSON_UPDATED, .subject = ID(0xab),
      .person = {.has = DBK_HAS_LAST_NAME,
                 .last_name = TEXT("Pr\xC3\xBF"
                                   "de")}}},
    {"person.deleted.1", {COMMON, .type = DBK_PERSON_DELETED, .subject = ID(0xab)}},
    {"event.recorded.1",
     {COMMON, .type = DBK_EVENT_RECORDED, .subject = ID(0xab), .person_id = ID(0xcd),
      .event_type = TEXT("page_edit"), .properties = TEXT("{\"a\": 1}"),
      .actor = TEXT("someone")}},
    {"event.deleted.1",
     {COMMON, .type = DBK_EVENT_DELETED, .subject = ID(0xab), .person_id = ID(0xcd)}},
    {"person.created.2",
     {COMMON, .type = DBK_PERSON_CREATED, .subject = ID(0xab),
      .person = {.has = DBK_HAS_PERSON & ~DBK_HAS_FIRST_NAME,
                 .email = TEXT("Kate@x.mock"),
                 .last_name = TEXT("Pryde"),
                 .role = DBK_ROLE_USER,
                 .external_id = TEXT("crm|42"),
                 .properties = TEXT("{\"plan\": \"pro\"}")},
      .has_datetime_created = true, .datetime_created = -1}},
    {"person.created-bare.2",
     {COMMON, .type = DBK_PERSON_CREATED, .subject = ID(0xab),
      .person = {.has = DBK_HAS_ROLE, .role = DBK_ROLE_USER}}},
    {"person.updated.2",
     {COMMON, .type = DBK_PERSON_UPDATED, .subject = ID(0xab),
      .person = {.has = DBK_HAS_EMAIL | DBK_HAS_LAST_NAME | DBK_HAS_EXTERNAL_ID |
                        DBK_HAS_PROPERTIES,
                 .last_name = TEXT("Pryde"),
                 .external_id = TEXT("crm|42")}}},
    {"person.aliased.2",
     {COMMON, .type = DBK_PERSON_ALIASED, .subject = ID(0xab),
      .anonymous_id = TEXT("d3b0-\xE2\x98\x83")}},
    {"person.unaliased.2",
     {COMMON, .type = DBK_PERSON_UNALIASED, .subject = ID(0xab),
      .anonymous_id = TEXT("d3b0-\xE2\x98\x83")}},
    {"event.recorded.2",
     {COMMON, .type = DBK_EVENT_RECORDED, .subject = ID(0xab),
      .event_type = TEXT("Order Completed"), .properties = TEXT("{\"a\": 1}"),
      .anonymous_id = TEXT("d3b0"), .has_datetime_created = true, .datetime_created = 1,
      .clock_offset = TEXT("-1500000")}},
    {"event.recorded-long.2",
     {COMMON, .type = DBK_EVENT_RECORDED, .subject = ID(0xab), .person_id = ID(0xcd),
      .event_type = TEXT("An event whose name is longer than what format 1 could have "
                         "had in it")}},
    {"event.recorded-traced.3",
     {COMMON, .type = DBK_EVENT_RECORDED, .subject = ID(0xab), .person_id = ID(0xcd),
      .event_type = TEXT("click"), .actor = TEXT("shop"),
      .traceparent = TEXT("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")}},
    {"event.deleted.2", {COMMON, .type = DBK_EVENT_DELETED, .subject = ID(0xab)}},
    {"person.erased.4",
     {COMMON, .type = DBK_PERSON_ERASED, .subject = ID(0xab),
      .keys = {"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\x01\x02", 16}}},
    {"person.restricted.5",
     {COMMON, .type = DBK_PERSON_RESTRICTED, .subject = ID(0xab)}},
    {"person.unrestricted.5",
     {COMMON, .type = DBK_PERSON_UNRESTRICTED, .subject = ID(0xab)}},
    {"log.resealed.6",
     {COMMON, .type = DBK_LOG_RESEALED, .subject = ID(0xab), .size = 258,
      .root = {"the root of a tree of 258 leaves", 32},
      .checkpoint =
          TEXT("log.example/a\n258\ndGhlIHJvb3Q=\n\n\xE2\x80\x94 log.example/a"
               " c2lnbmF0dXJl\n")}},
    {"log.resealed-bare.6",
     {COMMON, .type = DBK_LOG_RESEALED, .subject = ID(0xab), .size = 1,
      .root = {"the root of a tree of one leaf..", 32}}},
    {"events.expired.7",
     {COMMON, .type = DBK_EVENTS_EXPIRED, .subject = ID(0xab),
      .keys = {"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\x01\x02", 16}, .through = 70000,
      .before = INT64_C(1696118400000000)}},
};

#define GOLDENS (sizeof goldens / sizeof *goldens)

/* One of each type, in the oldest format that there is of it. */
static inline struct dbk_record sample(enum dbk_type type)
{
    for (size_t i = 0; i < GOLDENS; i++)
        if (goldens[i].record.type == type)
            return goldens[i].record;
    fail_msg("there is no golden %s", dbk_type_name(type));
    return goldens[0].record;
}

static inline unsigned format_of(const struct golden *golden)
{
    return (unsigned)(golden->name[strlen(golden->name) - 1] - '0');
}

static inline size_t encode(const struct dbk_record *record, char *out)
{
    size_t length;
    struct dbk_error err;

    if (dbk_record_encode(record, out, DBK_RECORD_MAX, &length, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return length;
}

#endif
