/* Everything here is asked of every row of DBK_TYPES: a type that is added passes, or
 * is told what its row lacks. test_added_type.py adds one. */
#include "record_types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALL_FIELDS                                                                     \
    (DBK_HAS_KEYS * 2 - 1 + DBK_HAS_SIZE + DBK_HAS_ROOT + DBK_HAS_CHECKPOINT +         \
     DBK_HAS_THROUGH + DBK_HAS_BEFORE)

static void every_type_has_a_name_that_gives_it_back(void **state)
{
    enum dbk_type found;
    (void)state;

    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        const char *name = dbk_type_name(type);

        assert_string_not_equal(name, "");
        assert_true(dbk_type_parse(name, strlen(name), &found));
        assert_int_equal(found, type);
        assert_false(dbk_type_parse(name, strlen(name) - 1, &found));
    }
    assert_string_equal(dbk_type_name(0), "");
    assert_string_equal(dbk_type_name(DBK_TYPE_COUNT), "");
    assert_false(dbk_type_parse("", 0, &found));
}

static void every_type_says_what_it_is_about(void **state)
{
    static const char *const prefix[] = {[DBK_SUBJECT_PERSON] = "person.",
                                         [DBK_SUBJECT_EVENT] = "event.",
                                         [DBK_SUBJECT_LOG] = "log."};
    (void)state;

    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        struct dbk_record record = {.type = type};
        enum dbk_subject subject = dbk_type_subject(type);

        assert_in_range(subject, DBK_SUBJECT_PERSON, DBK_SUBJECT_LOG);
        if (type != DBK_EVENTS_EXPIRED) /* of many, and so of the log */
            assert_memory_equal(dbk_type_name(type), prefix[subject],
                                strlen(prefix[subject]));
        assert_ptr_equal(dbk_record_person(&record), subject == DBK_SUBJECT_PERSON
                                                         ? &record.subject
                                                         : &record.person_id);
    }
}

/* Whose event it is must be known without looking the event up. */
static void every_type_has_fields_that_there_are(void **state)
{
    (void)state;
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        const struct record_type *row = record_type(type);

        assert_int_equal(row->must & row->may, 0);
        assert_int_equal((row->must | row->may) & ~(unsigned)ALL_FIELDS, 0);
        assert_true(row->subject != DBK_SUBJECT_EVENT || row->must & DBK_HAS_PERSON_ID);
    }
}

static void every_field_has_a_bit_and_a_key_of_its_own(void **state)
{
    unsigned seen = 0;
    (void)state;

    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        const struct record_field *field = &record_fields[i];

        assert_int_equal(field->bit, 1 << i);
        assert_in_range(field->key.length, 1, 31);
        assert_int_equal(field->bound > 0,
                         field->kind == RECORD_TEXT || field->kind == RECORD_BYTES);
        for (size_t j = 0; j < i; j++)
            assert_false(dbk_slice_equal(field->key, record_fields[j].key));
        seen |= field->bit;
    }
    assert_int_equal(seen, ALL_FIELDS | DBK_HAS_KEY | DBK_HAS_SEALED | DBK_HAS_MONTH);
}

static struct dbk_record record_with(enum dbk_type type, unsigned fields)
{
    struct dbk_record record = {.type = type,
                                .sequence = 7,
                                .recorded_at = 8,
                                .subject = {{1}},
                                .person = {.has = fields & DBK_HAS_PERSON}};
    const struct record_type *row = record_type(type);

    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        const struct record_field *field = &record_fields[i];
        void *value = (void *)(uintptr_t)record_value(&record, field, row);

        if (!(fields & field->bit))
            continue;
        if (field->kind == RECORD_TEXT)
            *(struct dbk_slice *)value = field->key;
        else if (field->kind == RECORD_BYTES)
            *(struct dbk_slice *)value =
                (struct dbk_slice){"one key,another;a root is longer",
                                   field->bit == DBK_HAS_ROOT ? 32 : 16};
        else if (field->kind == RECORD_ROLE)
            *(enum dbk_role *)value = DBK_ROLE_ADMIN;
        else
            memset(value, 9 + (int)i,
                   field->kind == RECORD_ID ? sizeof record.person_id : 4);
    }
    record.has_datetime_created = fields & DBK_HAS_DATETIME_CREATED;
    return record;
}

static void assert_field_equal(const struct record_field *field,
                               const struct dbk_record *a, const struct dbk_record *b)
{
    const void *left = record_value(a, field, record_type(a->type));
    const void *right = record_value(b, field, record_type(b->type));

    if (field->kind == RECORD_TEXT || field->kind == RECORD_BYTES)
        assert_true(dbk_slice_equal(*(const struct dbk_slice *)left,
                                    *(const struct dbk_slice *)right));
    else if (field->kind == RECORD_ROLE)
        assert_int_equal(*(const enum dbk_role *)left, *(const enum dbk_role *)right);
    else
        assert_memory_equal(left, right,
                            field->kind == RECORD_ID ? sizeof a->person_id
                                                     : sizeof a->datetime_created);
}

static enum dbk_code there_and_back(const struct dbk_record *in, struct dbk_record *out)
{
    static char bytes[DBK_RECORD_MAX]; /* out's texts are in it */
    size_t length;

    assert_int_equal(dbk_record_encode(in, bytes, sizeof bytes, &length, NULL), DBK_OK);
    return dbk_record_decode(bytes, length, out, NULL);
}

static void comes_back(enum dbk_type type, unsigned fields)
{
    struct dbk_record in = record_with(type, fields), out;

    assert_int_equal(there_and_back(&in, &out), DBK_OK);
    assert_int_equal(out.type, type);
    assert_int_equal(out.person.has, dbk_type_subject(type) == DBK_SUBJECT_PERSON
                                         ? fields & DBK_HAS_PERSON
                                         : 0);
    assert_int_equal(out.has_datetime_created,
                     (fields & DBK_HAS_DATETIME_CREATED) != 0);
    for (size_t i = 0; i < RECORD_FIELDS; i++)
        if (fields & record_fields[i].bit)
            assert_field_equal(&record_fields[i], &in, &out);
}

static void every_type_comes_back_with_and_without_what_it_may_have(void **state)
{
    (void)state;
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        const struct record_type *row = record_type(type);

        comes_back(type, row->must);
        comes_back(type, row->must | row->may);
        for (unsigned bit = 1; bit < ALL_FIELDS; bit <<= 1)
            if (row->may & bit)
                comes_back(type, row->must | bit);
    }
}

static void no_type_is_read_without_what_it_must_have(void **state)
{
    (void)state;
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        unsigned must = record_type(type)->must;

        for (unsigned bit = 1; bit <= DBK_HAS_ROLE; bit <<= 1) {
            struct dbk_record in = record_with(type, must & ~bit), out;

            if (must & bit)
                assert_int_equal(there_and_back(&in, &out), DBK_DAMAGED);
        }
    }
}

/* And none is left out of sealing that says more than who, whose and when. */
static void a_type_that_says_something_can_be_sealed(void **state)
{
    (void)state;
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        const struct record_type *row = record_type(type);
        unsigned said = (row->must | row->may) &
                        ~(unsigned)(DBK_HAS_PERSON_ID | DBK_HAS_KEYS | RECORD_OF_A_LOG);

        assert_int_equal(dbk_type_is_sealed(type), said != 0);
    }
}

/* What a draft has besides is not its type's: it is left out. */
static void no_type_is_written_with_what_it_may_not_have(void **state)
{
    (void)state;
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        const struct record_type *row = record_type(type);
        struct dbk_record in = record_with(type, ALL_FIELDS), out;

        assert_int_equal(there_and_back(&in, &out), DBK_OK);
        assert_int_equal(out.person.has, dbk_type_subject(type) == DBK_SUBJECT_PERSON
                                             ? (row->must | row->may) & DBK_HAS_PERSON
                                             : 0);
        assert_int_equal(out.properties.length + out.person.properties.length > 0,
                         (row->may & DBK_HAS_PROPERTIES) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_a_name_that_gives_it_back),
        cmocka_unit_test(every_type_says_what_it_is_about),
        cmocka_unit_test(every_type_has_fields_that_there_are),
        cmocka_unit_test(every_field_has_a_bit_and_a_key_of_its_own),
        cmocka_unit_test(every_type_comes_back_with_and_without_what_it_may_have),
        cmocka_unit_test(no_type_is_read_without_what_it_must_have),
        cmocka_unit_test(a_type_that_says_something_can_be_sealed),
        cmocka_unit_test(no_type_is_written_with_what_it_may_not_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
