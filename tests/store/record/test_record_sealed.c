#include "record_sealed.h"

#include "record_layout.h"
#include "seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Whatever is sealed here is with key 40 41 … and nonce 60 61 …, and one of these numbers. */
static uint8_t key[SEAL_KEY], nonce[SEAL_NONCE];

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

#define CASES (sizeof cases / sizeof *cases)

/* A record as it is on disk, and as it is read. */
struct sealed {
    char bytes[DBK_RECORD_MAX], room[DBK_RECORD_MAX];
    size_t length;
    struct dbk_record record;
};

static void seal_in(const struct dbk_record *draft, uint64_t number, uint64_t month,
                    struct sealed *sealed)
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

static void seal_it(const struct dbk_record *draft, uint64_t number,
                    struct sealed *sealed)
{
    seal_in(draft, number, 0, sealed);
}

static struct sealed *seal_case(size_t i)
{
    static struct sealed sealed;

    seal_in(&cases[i].record, cases[i].number, cases[i].record.month, &sealed);
    return &sealed;
}

static enum dbk_code open_it(struct sealed *sealed, struct dbk_error *err)
{
    return dbk_record_open(&sealed->record, key, sealed->room, err);
}

static void from_hex(const char *hex, char *out)
{
    for (; *hex; hex += 2) {
        unsigned byte;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        *out++ = (char)byte;
    }
}

/* By pycryptodome and by libsodium, which agree. */
static void blobs_are_what_others_make(void **state)
{
    static const struct {
        const char *aad, *plain, *blob;
    } vectors[] = {
        {"44424b320101a2224b1fb072da9ab17590e0fa943c01a2224b1fb072da9ab17590e0fa943c",
         "84a5656d61696cb36b617465406d61726175646572732e6d6f636baa66697273745f6e616d65a"
         "4"
         "4b617465a96c6173745f6e616d65a55072796465a4726f6c65a475736572",
         "606162636465666768696a6b6c6d6e6f707172737475767711db9608127b8f9896d2431f1aafb"
         "c"
         "999d52cdd38f12c82a8e0c9060f1392d71ca596e4f3fd7d9761387a772c932293b11c6a860005"
         "a"
         "3fad2b86e02a5e2aea0f700dc70e4fb88d52b55384fb024565ebd3107be8c5"},
        {"44424b320401a2224b1fb072978f1b9608679441c701a2224b1fb072da9ab17590e0fa943c",
         "82aa6576656e745f74797065a5636c69636baa70726f70657274696573b17b2270616765223a2"
         "0"
         "222f686f6d65227d",
         "606162636465666768696a6b6c6d6e6f707172737475767717d49613167c977489ca471fffa1b"
         "1"
         "829f4c03c68f0e9622931b92afe4e12420ce67674b70885d1f5d9badb6c071272ef6113c3beef"
         "2"
         "838ec548e3c1f6e39a"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char aad_bytes[64], plain[128], blob[192], made[192], opened[128];
        size_t length = strlen(vectors[i].plain) / 2;
        struct dbk_slice aad = {aad_bytes, strlen(vectors[i].aad) / 2};

        from_hex(vectors[i].aad, aad_bytes);
        from_hex(vectors[i].plain, plain);
        from_hex(vectors[i].blob, blob);
        memcpy(made + SEAL_NONCE, plain, length);
        seal_in_place(key, aad, nonce, made, length);
        assert_memory_equal(made, blob, length + SEAL_OVERHEAD);
        assert_true(seal_open(
            key, aad, (struct dbk_slice){blob, length + SEAL_OVERHEAD}, opened));
        assert_memory_equal(opened, plain, length);
    }
}

/* By Python's hashlib. */
static void the_key_of_an_event_is_what_others_mix(void **state)
{
    uint8_t month[SEAL_KEY], mixed[SEAL_KEY];
    char expected[SEAL_KEY];
    (void)state;

    for (size_t i = 0; i < sizeof month; i++)
        month[i] = (uint8_t)(0x80 + i);
    from_hex("e061d0e41898ec2e46315c203a39ecf4fe784f2be40b95c5cb4b634613ae0293",
             expected);
    dbk_record_mix(key, month, mixed);
    assert_memory_equal(mixed, expected, sizeof mixed);
    dbk_record_mix(month, key, mixed);
    assert_memory_not_equal(mixed, expected, sizeof mixed);
}

/* The first case is bound to what the first vector is. */
static void a_record_is_bound_to_type_subject_and_person(void **state)
{
    char bound[RECORD_BOUND_TO], expected[RECORD_BOUND_TO];
    (void)state;

    from_hex(
        "44424b320101a2224b1fb072da9ab17590e0fa943c01a2224b1fb072da9ab17590e0fa943c",
        expected);
    assert_int_equal(record_bound_to(&cases[0].record, bound).length, sizeof expected);
    assert_memory_equal(bound, expected, sizeof expected);
}

static void no_two_blobs_have_one_nonce(void **state)
{
    enum { BLOBS = 200 };
    static char blobs[BLOBS][SEAL_OVERHEAD];
    (void)state;

    for (size_t i = 0; i < BLOBS; i++) {
        seal_in_place(key, dbk_slice(""), NULL, blobs[i], 0);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(blobs[i], blobs[j], SEAL_NONCE);
    }
}

static void the_same_is_sealed_the_same_where_that_is_asked_for(void **state)
{
    char one[SEAL_OVERHEAD + 4], two[SEAL_OVERHEAD + 4], out[4];
    const struct dbk_slice aad = dbk_slice("aad"), other = dbk_slice("add");
    (void)state;

    memcpy(one + SEAL_NONCE, "text", 4);
    memcpy(two + SEAL_NONCE, "text", 4);
    seal_the_same(key, aad, one, 4);
    seal_the_same(key, aad, two, 4);
    assert_memory_equal(one, two, sizeof one);
    assert_true(seal_open(key, aad, (struct dbk_slice){one, sizeof one}, out));
    assert_memory_equal(out, "text", 4);
    memcpy(two + SEAL_NONCE, "texu", 4);
    seal_the_same(key, aad, two, 4);
    assert_memory_not_equal(one, two, SEAL_NONCE);
    memcpy(two + SEAL_NONCE, "text", 4);
    seal_the_same(key, other, two, 4);
    assert_memory_not_equal(one, two, SEAL_NONCE);
}

static void assert_same(const struct dbk_record *a, const struct dbk_record *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->recorded_at, b->recorded_at);
    assert_memory_equal(&a->subject, &b->subject, sizeof a->subject);
    assert_memory_equal(&a->person_id, &b->person_id, sizeof a->person_id);
    assert_int_equal(a->person.has, b->person.has);
    assert_int_equal(a->person.role, b->person.role);
    assert_true(dbk_slice_equal(a->person.email, b->person.email));
    assert_true(dbk_slice_equal(a->person.first_name, b->person.first_name));
    assert_true(dbk_slice_equal(a->person.last_name, b->person.last_name));
    assert_true(dbk_slice_equal(a->person.external_id, b->person.external_id));
    assert_true(dbk_slice_equal(a->person.properties, b->person.properties));
    assert_true(dbk_slice_equal(a->event_type, b->event_type));
    assert_true(dbk_slice_equal(a->properties, b->properties));
    assert_true(dbk_slice_equal(a->anonymous_id, b->anonymous_id));
    assert_int_equal(a->has_datetime_created, b->has_datetime_created);
    assert_true(dbk_slice_equal(a->request_id, b->request_id));
    assert_true(dbk_slice_equal(a->actor, b->actor));
    assert_true(dbk_slice_equal(a->source, b->source));
    assert_true(dbk_slice_equal(a->clock_offset, b->clock_offset));
    assert_true(dbk_slice_equal(a->traceparent, b->traceparent));
}

static void what_is_sealed_is_opened(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        struct dbk_error err;

        assert_int_equal(sealed->record.format, cases[i].record.month > 0 ? 7 : 4);
        assert_int_equal(sealed->record.key, cases[i].number);
        assert_int_equal(sealed->record.month, cases[i].record.month);
        assert_int_equal(sealed->record.person.has, 0);
        assert_int_equal(sealed->record.event_type.length, 0);
        assert_false(sealed->record.opened);
        if (open_it(sealed, &err) != DBK_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_true(sealed->record.opened);
        assert_same(&sealed->record, &cases[i].record);
        assert_int_equal(sealed->record.datetime_created,
                         cases[i].record.has_datetime_created
                             ? cases[i].record.datetime_created
                             : cases[i].record.recorded_at);
    }
}

static void bytes_are_the_golden_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        char path[512], golden[1024], again[DBK_RECORD_MAX];
        size_t length, written;
        FILE *file;

        snprintf(path, sizeof path, "%s/tests/store/golden/%s.msgpack", SOURCE_DIR,
                 cases[i].name);
        file = fopen(path, "rb");
        if (!file)
            fail_msg("%s is missing", path);
        length = fread(golden, 1, sizeof golden, file);
        fclose(file);
        assert_int_equal(length, sealed->length);
        assert_memory_equal(golden, sealed->bytes, length);
        /* One that was not opened is written as it was. */
        assert_int_equal(
            dbk_record_encode(&sealed->record, again, sizeof again, &written, NULL),
            DBK_OK);
        assert_int_equal(written, length);
        assert_memory_equal(again, golden, length);
    }
}

static bool has(const struct sealed *sealed, struct dbk_slice text)
{
    return text.length > 0 &&
           memmem(sealed->bytes, sealed->length, text.data, text.length);
}

static void no_text_is_in_the_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const struct dbk_record *record = &cases[i].record;
        const struct sealed *sealed = seal_case(i);

        assert_false(has(sealed, record->person.email));
        assert_false(has(sealed, record->person.last_name));
        assert_false(has(sealed, record->person.external_id));
        assert_false(has(sealed, record->person.properties));
        assert_false(has(sealed, record->event_type));
        assert_false(has(sealed, record->properties));
        assert_false(has(sealed, record->anonymous_id));
    }
}

static void the_length_of_an_email_is_no_hint(void **state)
{
    static const char *const emails[] = {"a@x.mock", "ab@x.mock", "abcd@x.mock"};
    static struct sealed sealed;
    size_t lengths[3];
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        struct dbk_record record = cases[0].record;

        record.person.email = dbk_slice(emails[i]);
        seal_it(&record, 7, &sealed);
        assert_int_equal((sealed.record.sealed.length - SEAL_OVERHEAD) % 32, 0);
        lengths[i] = sealed.length;
    }
    assert_int_equal(lengths[1], lengths[0]);
    assert_int_equal(lengths[2], lengths[0]);
}

static void another_key_or_place_does_not_open_it(void **state)
{
    struct dbk_error err;
    (void)state;

    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        struct dbk_record before = sealed->record;

        key[3] ^= 1;
        assert_int_equal(open_it(sealed, &err), DBK_DAMAGED);
        key[3] ^= 1;
        assert_non_null(strstr(err.text, "cannot be opened with the key"));
        assert_false(sealed->record.opened);
        sealed->record.subject.bytes[0] ^= 1;
        assert_int_equal(open_it(sealed, &err), DBK_DAMAGED);
        sealed->record = before;
        sealed->record.type =
            before.type == DBK_PERSON_CREATED ? DBK_PERSON_UPDATED : DBK_PERSON_CREATED;
        assert_int_equal(open_it(sealed, &err), DBK_DAMAGED);
        sealed->record = before;
        assert_int_equal(open_it(sealed, &err), DBK_OK);
    }
}

static void each_flipped_bit_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        char *from = (char *)(uintptr_t)sealed->record.sealed.data;

        for (size_t bit = 0; bit < sealed->record.sealed.length * 8; bit += 3) {
            from[bit / 8] = (char)(from[bit / 8] ^ 1 << bit % 8);
            assert_int_equal(open_it(sealed, NULL), DBK_DAMAGED);
            from[bit / 8] = (char)(from[bit / 8] ^ 1 << bit % 8);
        }
        assert_int_equal(open_it(sealed, NULL), DBK_OK);
    }
}

static void every_cut_is_damage(void **state)
{
    struct dbk_record out;
    (void)state;

    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);

        for (size_t cut = 0; cut < sealed->length; cut++) {
            char *exact = malloc(cut ? cut : 1); /* so that ASan sees a read past it */

            memcpy(exact, sealed->bytes, cut);
            assert_int_equal(dbk_record_decode(exact, cut, &out, NULL), DBK_DAMAGED);
            free(exact);
        }
    }
}

/* Seal such a map in the place of what the case has, and open that. */
static enum dbk_code open_plain(size_t i, const char *plain, size_t length,
                                struct dbk_error *err)
{
    char blob[1024], bound[RECORD_BOUND_TO];
    struct sealed *sealed = seal_case(i);

    assert_true(length + SEAL_OVERHEAD <= sizeof blob);
    memcpy(blob + SEAL_NONCE, plain, length);
    seal_in_place(key, record_bound_to(&sealed->record, bound), NULL, blob, length);
    sealed->record.sealed = (struct dbk_slice){blob, length + SEAL_OVERHEAD};
    return open_it(sealed, err);
}

enum { CREATED = 0, UPDATED = 3, EVENT = 4, ALIASED = 6 };

/* 32 bytes each, where not told otherwise: a map, and what fills it. */
static void what_is_sealed_is_read_as_strictly_as_what_is_not(void **state)
{
#define MAP(i, text, expected)                                                         \
    {                                                                                  \
        i, text, sizeof text - 1, expected                                             \
    }
    static const struct {
        size_t i;
        const char *plain;
        size_t length;
        const char *expected; /* NULL: it is fine */
    } maps[] = {
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            NULL),
        MAP(CREATED,
            "\x82\xa4role\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            NULL),
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
            "zeros"),
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa0\xc4\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "padding"),
        MAP(UPDATED,
            "\x82\xa4role\xa4user\xa1x\xc4\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "padding"),
        MAP(UPDATED, "\x81\xa4role\xa4user", "binary bytes"),
        MAP(UPDATED, "\x80", "padding"),
        MAP(UPDATED,
            "\x82\xa4role\xa4none\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "the role"),
        MAP(UPDATED,
            "\x82\xa4rule\xa4user\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "a known key"),
        MAP(UPDATED, "\x83\xa4role\xa4user\xa4role\xa4user\xa0\xc4\x08\0\0\0\0\0\0\0\0",
            "once"),
        MAP(CREATED,
            "\x82\xa5"
            "email\xa3"
            "a@b\xa0\xc4\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "all keys"),
        MAP(CREATED,
            "\x83\xa5"
            "email\xa0\xa4role\xa4user\xa0\xc4\x0b\0\0\0\0\0\0\0\0\0\0\0",
            "a longer text"),
        MAP(UPDATED,
            "\x83\xa4role\xa4user\xa4keys\xc4\x01\0\xa0\xc4\x0a\0\0\0\0\0\0\0\0\0\0",
            "numbers of keys"),
        MAP(EVENT,
            "\x81\xaa"
            "event_type\xa5"
            "click",
            NULL),
        MAP(EVENT,
            "\x81\xaa"
            "event_type\xa5"
            "click\xc0",
            "the end"),
        MAP(EVENT,
            "\x81\xaa"
            "properties\xa2{}",
            "all keys"),
        MAP(EVENT,
            "\x82\xaa"
            "event_type\xa1x\xa3key\x07",
            "a key of this type"),
        MAP(EVENT,
            "\x82\xaa"
            "event_type\xa1x\xa9person_id\xc4\x10"
            "0123456789abcdef",
            "a key of this type"),
        MAP(EVENT, "\x90", "a map"),
        MAP(EVENT, "", "a map"),
        MAP(ALIASED,
            "\x82\xac"
            "anonymous_id\xa0\xa0\xc4\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "a longer text"),
    };
    (void)state;

    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        struct dbk_error err = {.text = ""};
        enum dbk_code code = open_plain(maps[i].i, maps[i].plain, maps[i].length, &err);

        if (maps[i].expected ? !strstr(err.text, maps[i].expected) : code != DBK_OK)
            fail_msg("map %zu: %s", i, err.text);
    }
}

/* What stands in the clear is checked when it is decoded. */
static void only_what_can_be_sealed_is_of_format_4(void **state)
{
    struct dbk_record gone = cases[0].record, out;
    struct sealed *sealed = seal_case(0);
    char bytes[DBK_RECORD_MAX];
    struct dbk_error err;
    size_t length;
    (void)state;

    for (unsigned format = 1; format < 4; format++) {
        record_set_format(sealed->bytes, format);
        assert_int_equal(dbk_record_decode(sealed->bytes, sealed->length, &out, NULL),
                         DBK_DAMAGED);
    }
    gone.type = DBK_PERSON_DELETED;
    assert_int_equal(dbk_record_encode(&gone, bytes, sizeof bytes, &length, NULL),
                     DBK_OK);
    record_set_format(bytes, 4);
    assert_int_equal(dbk_record_decode(bytes, length, &out, &err), DBK_DAMAGED);
    assert_non_null(strstr(err.text, "an older format"));
}

/* A month's key is an event's matter only, and an event of format 7 names one. */
static void only_an_event_that_names_a_month_is_of_format_7(void **state)
{
    struct dbk_record out;
    (void)state;

    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        bool right = cases[i].record.month > 0;

        record_set_format(sealed->bytes, 7);
        assert_int_equal(dbk_record_decode(sealed->bytes, sealed->length, &out, NULL),
                         right ? DBK_OK : DBK_DAMAGED);
        record_set_format(sealed->bytes, 4);
        assert_int_equal(dbk_record_decode(sealed->bytes, sealed->length, &out, NULL),
                         right ? DBK_DAMAGED : DBK_OK);
    }
}

static void the_longest_there_can_be_fits(void **state)
{
    static char text[DBK_PROPERTIES_MAX];
    static struct sealed sealed;
    struct dbk_record record = cases[1].record;
    (void)state;

    memset(text, 'x', sizeof text);
    record.person.has = DBK_HAS_PERSON;
    record.person.email = (struct dbk_slice){text, DBK_EMAIL_MAX};
    record.person.first_name = record.person.last_name =
        (struct dbk_slice){text, DBK_NAME_MAX};
    record.person.external_id = (struct dbk_slice){text, DBK_EXTERNAL_ID_MAX};
    record.person.properties = (struct dbk_slice){text, DBK_PROPERTIES_MAX};
    record.request_id = record.actor = record.source = record.clock_offset =
        record.traceparent = (struct dbk_slice){text, DBK_META_MAX};
    seal_it(&record, UINT64_MAX, &sealed);
    assert_int_equal(open_it(&sealed, NULL), DBK_OK);
    assert_same(&sealed.record, &record);
}

static void what_does_not_fit_is_refused(void **state)
{
    char plain[1024], out[1024];
    struct dbk_error err;
    size_t length, sealed;
    (void)state;

    assert_int_equal(
        dbk_record_encode(&cases[1].record, plain, sizeof plain, &length, NULL),
        DBK_OK);
    assert_int_equal(
        dbk_record_seal(plain, length, 7, key, out, sizeof out, &sealed, NULL), DBK_OK);
    for (size_t size = 0; size < sealed; size++) {
        out[size] = 'x';
        assert_int_equal(
            dbk_record_seal(plain, length, 7, key, out, size, &sealed, &err),
            DBK_TOO_LARGE);
        assert_int_equal(out[size], 'x');
    }
    assert_int_equal(
        dbk_record_encode(&cases[EVENT].record, plain, sizeof plain, &length, NULL),
        DBK_OK);
    assert_int_equal(dbk_record_seal_in_month(plain, length, 7, UINT64_MAX, key, out,
                                              sizeof out, &sealed, NULL),
                     DBK_OK);
    for (size_t size = 0; size < sealed; size++) {
        out[size] = 'x';
        assert_int_equal(dbk_record_seal_in_month(plain, length, 7, UINT64_MAX, key,
                                                  out, size, &sealed, &err),
                         DBK_TOO_LARGE);
        assert_int_equal(out[size], 'x');
    }
}

static void write_golden(void)
{
    for (size_t i = 0; i < CASES; i++) {
        struct sealed *sealed = seal_case(i);
        char path[512];
        FILE *file;

        snprintf(path, sizeof path, "%s/tests/store/golden/%s.msgpack", SOURCE_DIR,
                 cases[i].name);
        file = fopen(path, "wbx"); /* never over one that exists */
        if (file) {
            fwrite(sealed->bytes, 1, sealed->length, file);
            fclose(file);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_are_what_others_make),
        cmocka_unit_test(the_key_of_an_event_is_what_others_mix),
        cmocka_unit_test(a_record_is_bound_to_type_subject_and_person),
        cmocka_unit_test(no_two_blobs_have_one_nonce),
        cmocka_unit_test(the_same_is_sealed_the_same_where_that_is_asked_for),
        cmocka_unit_test(what_is_sealed_is_opened),
        cmocka_unit_test(bytes_are_the_golden_ones),
        cmocka_unit_test(no_text_is_in_the_bytes),
        cmocka_unit_test(the_length_of_an_email_is_no_hint),
        cmocka_unit_test(another_key_or_place_does_not_open_it),
        cmocka_unit_test(each_flipped_bit_is_noticed),
        cmocka_unit_test(every_cut_is_damage),
        cmocka_unit_test(what_is_sealed_is_read_as_strictly_as_what_is_not),
        cmocka_unit_test(only_what_can_be_sealed_is_of_format_4),
        cmocka_unit_test(only_an_event_that_names_a_month_is_of_format_7),
        cmocka_unit_test(the_longest_there_can_be_fits),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(0x40 + i);
    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = (uint8_t)(0x60 + i);
    /* As in test_record.c. */
    if (argc > 1 && !strcmp(argv[1], "--write-golden")) {
        write_golden();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
