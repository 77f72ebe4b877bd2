/* What is sealed is opened, whole, and its bytes tell nothing. */
#include "sealed_cases.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_is_opened),
        cmocka_unit_test(no_text_is_in_the_bytes),
        cmocka_unit_test(the_length_of_an_email_is_no_hint),
        cmocka_unit_test(the_longest_there_can_be_fits),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
