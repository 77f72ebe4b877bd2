/* Who may not be shown: said by a record, taken back by one, and nothing else of the person
 * changes; of a log that is sealed, too. */
#include "sealed_log.h"

#include "log/identity_log.h"

#include "record_layout.h"

#define EACH(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown),            \
        cmocka_unit_test_setup_teardown(name, sealed_setup, sealed_teardown)

static uint64_t since_of(struct scratch *s, const struct dbk_uuid *id)
{
    uint64_t since;

    assert_int_equal(dbk_log_restricted(s->log, id, &since, &s->err), DBK_OK);
    return since;
}

static void a_record_restricts_and_a_record_takes_it_back(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_person_state before = {.version = 0}, after = before;
    struct dbk_batch batch = {0};
    struct dbk_record record;
    struct dbk_verdict verdict, again;

    assert_int_equal(dbk_log_person(s->log, &kate, &before, &s->err), DBK_OK);
    assert_int_equal(since_of(s, &kate), 0);
    verdict = delete_it(s, DBK_PERSON_RESTRICTED, &kate);
    assert_int_equal(verdict.code, DBK_OK);
    assert_int_equal(since_of(s, &kate), verdict.sequence);
    record = record_at(s, verdict.sequence, &batch);
    assert_int_equal(record.type, DBK_PERSON_RESTRICTED);
    assert_int_equal(record.format, RECORD_FORMAT_RESTRICTED);
    assert_memory_equal(&record.subject, &kate, sizeof kate);
    assert_int_equal(dbk_log_person(s->log, &kate, &after, &s->err), DBK_OK);
    assert_memory_equal(&before, &after, sizeof before);

    again = delete_it(s, DBK_PERSON_RESTRICTED, &kate);
    assert_int_equal(again.code, DBK_EXISTS);
    assert_int_equal(again.sequence, verdict.sequence);
    assert_verifies(s);
    assert_int_equal(since_of(s, &kate), verdict.sequence);
    assert_int_equal(delete_it(s, DBK_PERSON_UNRESTRICTED, &kate).code, DBK_OK);
    assert_int_equal(since_of(s, &kate), 0);
    assert_int_equal(delete_it(s, DBK_PERSON_UNRESTRICTED, &kate).code, DBK_NOT_FOUND);
    assert_verifies(s);
    dbk_batch_finish(&batch);
}

static void what_happens_to_a_restricted_person_is_recorded(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate);
    struct dbk_record updated = draft_of(DBK_PERSON_UPDATED, &kate);

    assert_int_equal(delete_it(s, DBK_PERSON_RESTRICTED, &kate).code, DBK_OK);
    assert_int_equal(submit(s, &event).code, DBK_OK);
    updated.person.has = DBK_HAS_LAST_NAME;
    updated.person.last_name = dbk_slice("Summers");
    assert_int_equal(submit(s, &updated).code, DBK_OK);
    assert_int_equal(alias(s, &kate, "d1").code, DBK_OK);
    assert_verifies(s);
}

static void one_who_was_deleted_stays_restricted(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid erik = add_person(s, "erik@x.mock");

    assert_int_equal(delete_it(s, DBK_PERSON_RESTRICTED, &kate).code, DBK_OK);
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate).code, DBK_OK);
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &erik).code, DBK_OK);
    assert_true(since_of(s, &kate) > 0);
    assert_int_equal(delete_it(s, DBK_PERSON_UNRESTRICTED, &kate).code, DBK_NOT_FOUND);
    assert_int_equal(delete_it(s, DBK_PERSON_RESTRICTED, &erik).code, DBK_NOT_FOUND);
    assert_verifies(s);
    assert_true(since_of(s, &kate) > 0);
}

static void all_who_are_restricted_are_listed_in_order(void **state)
{
    struct scratch *s = *state;
    struct dbk_restricted all = {0};
    struct dbk_uuid ids[20];

    for (size_t i = 0; i < 20; i++) {
        char email[32];

        snprintf(email, sizeof email, "a%zu@x.mock", i);
        ids[i] = add_person(s, email);
        if (i % 2 == 0)
            assert_int_equal(delete_it(s, DBK_PERSON_RESTRICTED, &ids[i]).code, DBK_OK);
    }
    assert_int_equal(dbk_log_restricted_all(s->log, &all, &s->err), DBK_OK);
    assert_int_equal(all.count, 10);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(dbk_restricted_has(&all, &ids[i]), i % 2 == 0);
    for (size_t i = 1; i < all.count; i++)
        assert_true(memcmp(&all.list[i - 1], &all.list[i], sizeof *all.list) < 0);
    for (size_t i = 0; i < 20; i += 2)
        assert_int_equal(delete_it(s, DBK_PERSON_UNRESTRICTED, &ids[i]).code, DBK_OK);
    assert_int_equal(dbk_log_restricted_all(s->log, &all, &s->err), DBK_OK);
    assert_int_equal(all.count, 0);
    assert_false(dbk_restricted_has(&all, &ids[0]));
    dbk_restricted_finish(&all);
}

static void an_external_id_tells_who_it_is(void **state)
{
    struct scratch *s = *state;
    struct dbk_record known = draft_known("crm|1");
    struct dbk_record draft = draft_of(DBK_PERSON_RESTRICTED, &nobody);
    struct dbk_command *command;

    assert_int_equal(submit(s, &known).code, DBK_OK);
    command = command_of(&draft);
    dbk_command_by_external_id(command, dbk_slice("crm|1"));
    assert_int_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err), DBK_OK);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_OK);
    assert_int_equal(since_of(s, &known.subject),
                     dbk_command_verdict(command)->sequence);
    dbk_command_destroy(command);
    assert_verifies(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_record_restricts_and_a_record_takes_it_back),
        EACH(what_happens_to_a_restricted_person_is_recorded),
        EACH(one_who_was_deleted_stays_restricted),
        EACH(all_who_are_restricted_are_listed_in_order),
        EACH(an_external_id_tells_who_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
