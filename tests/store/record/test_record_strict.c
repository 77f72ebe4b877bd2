/* What is no record, or does not fit, is refused. */
#include "golden_records.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_format_had_not_is_damage_in_it),
        cmocka_unit_test(every_cut_is_damage),
        cmocka_unit_test(no_flipped_bit_is_read_out_of_bounds),
        cmocka_unit_test(a_newer_format_is_named),
        cmocka_unit_test(fields_over_their_bound_are_refused),
        cmocka_unit_test(a_record_fits_the_room_or_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
