#include "golden_records.h"

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

static struct dbk_uuid id_of(unsigned char fill)
{
    struct dbk_uuid id;

    memset(id.bytes, fill, sizeof id.bytes);
    return id;
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
        cmocka_unit_test(a_trace_makes_any_record_format_3),
        cmocka_unit_test(what_was_of_format_1_stays_so),
        cmocka_unit_test(a_new_person_has_no_field_that_is_empty),
        cmocka_unit_test(msgpack_itself_reads_a_record),
        cmocka_unit_test(what_a_log_was_is_written_whole),
        cmocka_unit_test(a_stamp_changes_sequence_and_time_only),
    };

    /* For a new format: --write-golden adds its files, and leaves the old ones. */
    if (argc > 1 && !strcmp(argv[1], "--write-golden")) {
        write_golden();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
