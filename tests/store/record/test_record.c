#include "store/record.h"

#include "record_layout.h"

#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct dbk_uuid id_of(unsigned char fill)
{
    struct dbk_uuid id;

    memset(id.bytes, fill, sizeof id.bytes);
    return id;
}

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
static struct dbk_record sample(enum dbk_type type)
{
    for (size_t i = 0; i < GOLDENS; i++)
        if (goldens[i].record.type == type)
            return goldens[i].record;
    fail_msg("there is no golden %s", dbk_type_name(type));
    return goldens[0].record;
}

static unsigned format_of(const struct golden *golden)
{
    return (unsigned)(golden->name[strlen(golden->name) - 1] - '0');
}

static size_t encode(const struct dbk_record *record, char *out)
{
    size_t length;
    struct dbk_error err;

    if (dbk_record_encode(record, out, DBK_RECORD_MAX, &length, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return length;
}

static void assert_same(const struct dbk_record *a, const struct dbk_record *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->recorded_at, b->recorded_at);
    assert_memory_equal(&a->subject, &b->subject, sizeof a->subject);
    assert_int_equal(a->person.has, b->person.has);
    assert_true(dbk_slice_equal(a->person.email, b->person.email));
    assert_true(dbk_slice_equal(a->person.first_name, b->person.first_name));
    assert_true(dbk_slice_equal(a->person.last_name, b->person.last_name));
    assert_int_equal(a->person.role, b->person.role);
    assert_memory_equal(&a->person_id, &b->person_id, sizeof a->person_id);
    assert_true(dbk_slice_equal(a->event_type, b->event_type));
    assert_true(dbk_slice_equal(a->properties, b->properties));
    assert_int_equal(a->has_datetime_created, b->has_datetime_created);
    assert_true(dbk_slice_equal(a->request_id, b->request_id));
    assert_true(dbk_slice_equal(a->actor, b->actor));
    assert_true(dbk_slice_equal(a->source, b->source));
    assert_true(dbk_slice_equal(a->person.external_id, b->person.external_id));
    assert_true(dbk_slice_equal(a->person.properties, b->person.properties));
    assert_true(dbk_slice_equal(a->anonymous_id, b->anonymous_id));
    assert_true(dbk_slice_equal(a->keys, b->keys));
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->through, b->through);
    assert_int_equal(a->before, b->before);
    assert_true(dbk_slice_equal(a->root, b->root));
    assert_true(dbk_slice_equal(a->checkpoint, b->checkpoint));
    assert_true(dbk_slice_equal(a->clock_offset, b->clock_offset));
    assert_true(dbk_slice_equal(a->traceparent, b->traceparent));
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        struct dbk_record in = goldens[i].record, out;
        char bytes[DBK_RECORD_MAX];
        size_t length = encode(&in, bytes);

        assert_int_equal(dbk_record_decode(bytes, length, &out, NULL), DBK_OK);
        assert_same(&in, &out);
        assert_int_equal(out.format, format_of(&goldens[i]));
        assert_int_equal(out.datetime_created, in.has_datetime_created
                                                   ? in.datetime_created
                                                   : in.recorded_at);
    }
}

static void golden_path(const struct golden *golden, char *out, size_t size)
{
    snprintf(out, size, "%s/tests/store/golden/%s.msgpack", SOURCE_DIR, golden->name);
}

/* A record once written must be readable for ever, and written the same for ever. */
static void bytes_are_the_golden_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        char path[512], golden[1024], bytes[DBK_RECORD_MAX];
        struct dbk_record out;
        size_t length = encode(&goldens[i].record, bytes), golden_length;
        FILE *file;

        golden_path(&goldens[i], path, sizeof path);
        file = fopen(path, "rb");
        if (!file)
            fail_msg("%s is missing", path);
        golden_length = fread(golden, 1, sizeof golden, file);
        fclose(file);
        assert_int_equal(length, golden_length);
        assert_memory_equal(bytes, golden, length);
        assert_int_equal(dbk_record_decode(golden, length, &out, NULL), DBK_OK);
        assert_int_equal(encode(&out, bytes), length); /* of what was read, the same */
        assert_memory_equal(bytes, golden, length);
    }
}

/* A program that knows an older format only must not be given what it would read wrong. */
static void what_a_format_had_not_is_damage_in_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        char bytes[DBK_RECORD_MAX];
        size_t length = encode(&goldens[i].record, bytes);
        struct dbk_record out;

        for (unsigned format = 1; format <= DBK_RECORD_FORMAT; format++) {
            bytes[1] = (char)format;
            /* An event.deleted of the nil UUID was once a person's like any other. */
            assert_int_equal(
                dbk_record_decode(bytes, length, &out, NULL),
                (format < 4 && goldens[i].record.type == DBK_EVENT_DELETED) ||
                        (format < 4 && format_of(&goldens[i]) <= format) ||
                        format == format_of(&goldens[i])
                    ? DBK_OK
                    : DBK_DAMAGED);
        }
    }
}

/* Whatever else the record has: an older program does not know the key. */
static void a_trace_makes_any_record_format_3(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        struct dbk_record record = goldens[i].record, out;
        char bytes[DBK_RECORD_MAX];
        struct dbk_error err;
        size_t length;

        if (format_of(&goldens[i]) > 3)
            continue;
        record.traceparent = dbk_slice("00-1");
        length = encode(&record, bytes);
        assert_int_equal(bytes[1], 3);
        assert_int_equal(dbk_record_decode(bytes, length, &out, NULL), DBK_OK);
        assert_same(&record, &out);
        bytes[1] = 2;
        assert_int_equal(dbk_record_decode(bytes, length, &out, &err), DBK_DAMAGED);
        assert_non_null(strstr(err.text, "a known key in meta"));
    }
}

/* Read from format 1, it is written as that again, though it now says something else. */
static void what_was_of_format_1_stays_so(void **state)
{
    struct dbk_record gone = sample(DBK_EVENT_DELETED), out;
    struct dbk_record empty = sample(DBK_PERSON_UPDATED);
    char bytes[DBK_RECORD_MAX], again[DBK_RECORD_MAX];
    size_t length;
    (void)state;

    gone.format = empty.format = 1;
    gone.person_id = id_of(0);
    empty.person.last_name.length = 0;
    for (int i = 0; i < 2; i++) {
        length = encode(i ? &gone : &empty, bytes);
        assert_int_equal(bytes[1], 1);
        assert_int_equal(dbk_record_decode(bytes, length, &out, NULL), DBK_OK);
        assert_int_equal(encode(&out, again), length);
        assert_memory_equal(bytes, again, length);
    }
}

static void a_new_person_has_no_field_that_is_empty(void **state)
{
    struct dbk_record bare = {.type = DBK_PERSON_CREATED,
                              .recorded_at = 1,
                              .person = {.has = DBK_HAS_PERSON, .role = DBK_ROLE_USER}};
    char bytes[DBK_RECORD_MAX];
    struct dbk_record out;
    size_t length = encode(&bare, bytes);
    (void)state;

    assert_int_equal(dbk_record_decode(bytes, length, &out, NULL), DBK_OK);
    assert_int_equal(out.person.has, DBK_HAS_ROLE);
    assert_int_equal(out.format, 2);
}

static void msgpack_itself_reads_a_record(void **state)
{
    struct dbk_record record = sample(DBK_EVENT_RECORDED);
    char bytes[DBK_RECORD_MAX];
    size_t length = encode(&record, bytes), offset = 0;
    msgpack_unpacked whole;
    const msgpack_object *items;
    (void)state;

    msgpack_unpacked_init(&whole);
    assert_int_equal(msgpack_unpack_next(&whole, bytes, length, &offset),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(offset, length);
    assert_int_equal(whole.data.type, MSGPACK_OBJECT_ARRAY);
    assert_int_equal(whole.data.via.array.size, 7);
    items = whole.data.via.array.ptr;
    assert_int_equal(items[0].via.u64, 1);
    assert_memory_equal(items[1].via.str.ptr, "event.recorded", 14);
    assert_int_equal(items[2].via.u64, record.sequence);
    assert_int_equal(items[3].via.i64, record.recorded_at);
    assert_int_equal(items[4].type, MSGPACK_OBJECT_BIN);
    assert_int_equal(items[5].via.map.size, 3);
    assert_int_equal(items[6].via.map.size, 3);
    msgpack_unpacked_destroy(&whole);
}

static void every_cut_is_damage(void **state)
{
    struct dbk_record record = sample(DBK_PERSON_CREATED), out;
    char bytes[DBK_RECORD_MAX];
    size_t length = encode(&record, bytes);
    (void)state;

    for (size_t cut = 0; cut < length; cut++) {
        char *exact = malloc(cut ? cut : 1); /* so that ASan sees a read past the end */

        memcpy(exact, bytes, cut);
        assert_int_equal(dbk_record_decode(exact, cut, &out, NULL), DBK_DAMAGED);
        free(exact);
    }
    bytes[length] = 0;
    assert_int_equal(dbk_record_decode(bytes, length + 1, &out, NULL), DBK_DAMAGED);
}

static void no_flipped_bit_is_read_out_of_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        struct dbk_record record = goldens[i].record, out;
        char bytes[DBK_RECORD_MAX];
        size_t length = encode(&record, bytes);

        for (size_t bit = 0; bit < length * 8; bit++) {
            char *exact = malloc(length);
            enum dbk_code code;

            memcpy(exact, bytes, length);
            exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
            code = dbk_record_decode(exact, length, &out, NULL);
            assert_true(code == DBK_OK || code == DBK_DAMAGED ||
                        code == DBK_UNSUPPORTED);
            free(exact);
        }
    }
}

static void what_a_log_was_is_written_whole(void **state)
{
    struct dbk_record none = sample(DBK_LOG_RESEALED), cut = none, out;
    char bytes[DBK_RECORD_MAX], *root;
    size_t length;
    struct dbk_error err;
    (void)state;

    none.size = 0;
    assert_int_equal(dbk_record_encode(&none, bytes, sizeof bytes, &length, &err),
                     DBK_INVALID);
    cut.root.length--;
    assert_int_equal(dbk_record_encode(&cut, bytes, sizeof bytes, &length, &err),
                     DBK_INVALID);
    cut.root.length++;
    length = encode(&cut, bytes);
    root = memmem(bytes, length, "\xC4\x20the root", 10);
    assert_non_null(root);
    root[1]--; /* and its last byte is no key */
    assert_int_equal(dbk_record_decode(bytes, length, &out, &err), DBK_DAMAGED);
    assert_non_null(strstr(err.text, "a root of 32 bytes"));
}

static void a_newer_format_is_named(void **state)
{
    struct dbk_record record = sample(DBK_PERSON_DELETED), out;
    char bytes[DBK_RECORD_MAX];
    size_t length = encode(&record, bytes);
    struct dbk_error err;
    (void)state;

    bytes[1] = DBK_RECORD_FORMAT + 1;
    assert_int_equal(dbk_record_decode(bytes, length, &out, &err), DBK_UNSUPPORTED);
    assert_non_null(strstr(err.text, "newer"));
}

static void fields_over_their_bound_are_refused(void **state)
{
    static char long_text[DBK_PROPERTIES_MAX + 1];
    struct dbk_record record = sample(DBK_EVENT_RECORDED);
    char bytes[DBK_RECORD_MAX];
    size_t length;
    (void)state;

    memset(long_text, 'x', sizeof long_text);
    record.properties = (struct dbk_slice){long_text, DBK_PROPERTIES_MAX};
    assert_int_equal(dbk_record_encode(&record, bytes, sizeof bytes, &length, NULL),
                     DBK_OK);
    record.properties.length++;
    assert_int_equal(dbk_record_encode(&record, bytes, sizeof bytes, &length, NULL),
                     DBK_TOO_LARGE);
}

/* Texts of the length from which a header of their own goes before them. */
static void lengthen(struct dbk_record *record)
{
    static const char text[] = "{\"text\": \"longer than thirty-two bytes\"}";
    struct dbk_slice longer = dbk_slice(text);

    if (record->person.has & DBK_HAS_FIRST_NAME)
        record->person.first_name = longer;
    if (record->person.has & DBK_HAS_LAST_NAME)
        record->person.last_name = longer;
    if (record->type == DBK_EVENT_RECORDED)
        record->properties = longer;
    if (record->person.has & DBK_HAS_EXTERNAL_ID)
        record->person.external_id = longer;
    record->has_datetime_created = record->type != DBK_PERSON_UPDATED;
    if (record->anonymous_id.length > 0)
        record->anonymous_id = longer;
    record->request_id = record->actor = record->source = longer;
}

static void with_less_room_than_it_takes_it_is_refused(struct dbk_record *record)
{
    char whole[DBK_RECORD_MAX], bytes[DBK_RECORD_MAX];
    size_t needed = encode(record, whole), length;
    struct dbk_error err;

    for (size_t size = 0; size < needed; size++) {
        bytes[size] = 'x';
        assert_int_equal(dbk_record_encode(record, bytes, size, &length, &err),
                         DBK_TOO_LARGE);
        assert_non_null(strstr(err.text, "does not fit"));
        assert_int_equal(bytes[size], 'x'); /* and nothing is written behind it */
    }
    assert_int_equal(dbk_record_encode(record, bytes, needed, &length, &err), DBK_OK);
    assert_int_equal(length, needed);
    assert_memory_equal(bytes, whole, needed);
}

static void a_record_fits_the_room_or_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        struct dbk_record record = goldens[i].record;

        with_less_room_than_it_takes_it_is_refused(&record);
        lengthen(&record);
        with_less_room_than_it_takes_it_is_refused(&record);
    }
}

static void a_stamp_changes_sequence_and_time_only(void **state)
{
    struct dbk_record record = sample(DBK_EVENT_DELETED), out;
    char bytes[DBK_RECORD_MAX];
    size_t length = encode(&record, bytes);
    struct dbk_uuid other = id_of(0x11);
    (void)state;

    record.sequence = 42;
    record.recorded_at = 43;
    record.person_id = other;
    record.subject = id_of(0x22);
    dbk_record_stamp(bytes, 42, 43);
    record_set_person(bytes, &other);
    record_set_subject(bytes, &record.subject);
    assert_int_equal(dbk_record_decode(bytes, length, &out, NULL), DBK_OK);
    assert_same(&record, &out);
}

static void write_golden(void)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        char path[512], bytes[DBK_RECORD_MAX];
        size_t length = encode(&goldens[i].record, bytes);
        FILE *file;

        golden_path(&goldens[i], path, sizeof path);
        file = fopen(path, "wbx"); /* never over one that exists */
        if (file) {
            fwrite(bytes, 1, length, file);
            fclose(file);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(bytes_are_the_golden_ones),
        cmocka_unit_test(what_a_format_had_not_is_damage_in_it),
        cmocka_unit_test(a_trace_makes_any_record_format_3),
        cmocka_unit_test(what_was_of_format_1_stays_so),
        cmocka_unit_test(a_new_person_has_no_field_that_is_empty),
        cmocka_unit_test(msgpack_itself_reads_a_record),
        cmocka_unit_test(every_cut_is_damage),
        cmocka_unit_test(no_flipped_bit_is_read_out_of_bounds),
        cmocka_unit_test(what_a_log_was_is_written_whole),
        cmocka_unit_test(a_newer_format_is_named),
        cmocka_unit_test(fields_over_their_bound_are_refused),
        cmocka_unit_test(a_record_fits_the_room_or_is_refused),
        cmocka_unit_test(a_stamp_changes_sequence_and_time_only),
    };

    /* For a new format: --write-golden adds its files, and leaves the old ones. */
    if (argc > 1 && !strcmp(argv[1], "--write-golden")) {
        write_golden();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
