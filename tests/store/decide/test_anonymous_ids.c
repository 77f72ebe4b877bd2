/* Anonymous ids: whose events are, and the aliases that say so. */
#include "log/identity_log.h"

static void an_anonymous_event_is_whose_its_anonymous_id_is_now(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid before = record_anonymous(s, "d1"), after;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    assert_owner(s, &before, &nobody);
    assert_int_equal(alias(s, &kate, "d1").code, DBK_OK);
    after = record_anonymous(s, "d1");
    assert_owner(s, &before, &kate);
    assert_owner(s, &after, &kate);
    record = record_at(s, 2, &batch); /* as it was then */
    assert_memory_equal(&record.person_id, &nobody, sizeof nobody);
    assert_true(dbk_slice_equal(record.anonymous_id, dbk_slice("d1")));
    record = record_at(s, 4, &batch);
    assert_memory_equal(&record.person_id, &kate, sizeof kate);
    dbk_batch_finish(&batch);

    assert_int_equal(unalias(s, &kate, "d1").code, DBK_OK);
    assert_owner(s, &before, &nobody);
    assert_owner(s, &after, &nobody);
    assert_verifies(s);
}

static void what_a_deleted_person_did_before_is_gone_for_whoever_comes(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid logan = add_person(s, "logan@x.mock");
    struct dbk_uuid old = record_anonymous(s, "d1"), free_one, new, whose;

    alias(s, &kate, "d1");
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate).code, DBK_OK);
    assert_gone(s, &old);
    assert_int_equal(
        dbk_log_whose(s->log, DBK_IDENTITY_ANONYMOUS_ID, dbk_slice("d1"), &whose, NULL),
        DBK_NOT_FOUND);
    free_one = record_anonymous(s, "d1");
    assert_owner(s, &free_one, &nobody);
    assert_int_equal(alias(s, &logan, "d1").code, DBK_OK);
    new = record_anonymous(s, "d1");
    assert_gone(s, &old);
    assert_owner(s, &free_one, &logan);
    assert_owner(s, &new, &logan);
    assert_int_equal(unalias(s, &logan, "d1").code, DBK_OK);
    assert_gone(s, &old);
    assert_owner(s, &free_one, &nobody);
    assert_verifies(s);
}

static void an_anonymous_id_is_one_persons(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid logan = add_person(s, "logan@x.mock"), whose;
    struct dbk_verdict verdict;

    assert_int_equal(alias(s, &kate, "d1").sequence, 3);
    verdict = alias(s, &kate, "d1");
    assert_int_equal(verdict.code, DBK_EXISTS);
    assert_int_equal(verdict.sequence, 3);
    verdict = alias(s, &logan, "d1");
    assert_int_equal(verdict.code, DBK_CONFLICT);
    assert_true(verdict.has_holder);
    assert_memory_equal(&verdict.holder, &kate, sizeof kate);
    assert_int_equal(unalias(s, &logan, "d1").code, DBK_NOT_FOUND);
    assert_int_equal(unalias(s, &kate, "d2").code, DBK_NOT_FOUND);
    assert_int_equal(alias(s, &nobody, "d3").code, DBK_NOT_FOUND);
    assert_int_equal(
        dbk_log_whose(s->log, DBK_IDENTITY_ANONYMOUS_ID, dbk_slice("d1"), &whose, NULL),
        DBK_OK);
    assert_memory_equal(&whose, &kate, sizeof kate);
}

static void two_of_one_batch_do_not_both_get_an_anonymous_id(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid logan = add_person(s, "logan@x.mock");
    struct dbk_record first = draft_alias(DBK_PERSON_ALIASED, &kate, "d1");
    struct dbk_record second = draft_alias(DBK_PERSON_ALIASED, &logan, "d1");
    struct dbk_command *both[] = {command_of(&first), command_of(&second)};

    assert_int_equal(dbk_log_submit(s->log, both, 2, NULL, NULL, NULL), DBK_OK);
    assert_int_equal(dbk_command_verdict(both[0])->code, DBK_OK);
    assert_int_equal(dbk_command_person(both[0])->aliases, 1);
    assert_int_equal(dbk_command_verdict(both[1])->code, DBK_CONFLICT);
    assert_memory_equal(&dbk_command_verdict(both[1])->holder, &kate, sizeof kate);
    dbk_command_destroy(both[0]);
    dbk_command_destroy(both[1]);
}

static void an_event_of_nobody_is_deleted_as_such(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid one = record_anonymous(s, "d1"), two = record_anonymous(s, "d1");
    struct dbk_record gone = draft_of(DBK_EVENT_DELETED, &one), record;
    struct dbk_command *command = command_of(&gone);
    struct dbk_batch batch = {0};

    dbk_command_expect_person(command, &kate);
    assert_int_equal(submit_command(s, command).code, DBK_CONFLICT);
    dbk_command_expect_person(command, &nobody);
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    dbk_command_destroy(command);
    record = record_at(s, 4, &batch);
    assert_int_equal(record.format, 2);
    assert_memory_equal(&record.person_id, &nobody, sizeof nobody);

    alias(s, &kate, "d1");
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, &two).code, DBK_OK);
    record = record_at(s, 6, &batch);
    assert_int_equal(record.format, 1);
    assert_memory_equal(&record.person_id, &kate, sizeof kate);
    dbk_batch_finish(&batch);
    assert_verifies(s);
}

static void aliases_are_told_in_the_order_of_their_records(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_aliases aliases = {0};
    char name[16];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "d%d", i);
        assert_int_equal(alias(s, &kate, name).code, DBK_OK);
    }
    assert_int_equal(unalias(s, &kate, "d7").code, DBK_OK);
    assert_int_equal(alias(s, &kate, "d7").code, DBK_OK);
    assert_int_equal(dbk_log_aliases(s->log, &kate, &aliases, &s->err), DBK_OK);
    assert_int_equal(aliases.count, 100);
    assert_true(dbk_slice_equal(aliases.list[0].anonymous_id, dbk_slice("d0")));
    assert_true(dbk_slice_equal(aliases.list[99].anonymous_id, dbk_slice("d7")));
    assert_int_equal(aliases.list[99].sequence, 103);
    assert_int_equal(dbk_log_aliases(s->log, &nobody, &aliases, &s->err), DBK_OK);
    assert_int_equal(aliases.count, 0);
    dbk_aliases_finish(&aliases);
}

static void a_person_has_a_thousand_aliases_at_most(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_command *commands[DBK_ALIASES_MAX];
    struct dbk_aliases aliases = {0};
    struct dbk_uuid event, whose;
    char name[16];

    for (int i = 0; i < DBK_ALIASES_MAX; i++) {
        struct dbk_record draft;

        snprintf(name, sizeof name, "d%d", i);
        draft = draft_alias(DBK_PERSON_ALIASED, &kate, name);
        commands[i] = command_of(&draft);
    }
    assert_int_equal(
        dbk_log_submit(s->log, commands, DBK_ALIASES_MAX, NULL, NULL, &s->err), DBK_OK);
    for (int i = 0; i < DBK_ALIASES_MAX; i++) {
        assert_int_equal(dbk_command_verdict(commands[i])->code, DBK_OK);
        dbk_command_destroy(commands[i]);
    }
    assert_int_equal(alias(s, &kate, "one more").code, DBK_CONFLICT);
    event = record_anonymous(s, "d500");
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate).code, DBK_OK);
    assert_gone(s, &event);
    assert_int_equal(dbk_log_aliases(s->log, &kate, &aliases, &s->err), DBK_OK);
    assert_int_equal(aliases.count, 0);
    dbk_aliases_finish(&aliases);
    assert_int_equal(dbk_log_whose(s->log, DBK_IDENTITY_ANONYMOUS_ID, dbk_slice("d999"),
                                   &whose, NULL),
                     DBK_NOT_FOUND);
    assert_verifies(s);
}

static void other_shapes_of_commands_are_refused(void **state)
{
    struct dbk_record kate = draft_person("kate@x.mock");
    struct dbk_record updated = draft_of(DBK_PERSON_UPDATED, &kate.subject);
    struct dbk_record one = draft_alias(DBK_PERSON_ALIASED, &kate.subject, "d1");
    struct dbk_record other = draft_alias(DBK_PERSON_ALIASED, &nobody, "d1");
    struct dbk_record event = draft_event(&kate.subject);
    struct dbk_record anonymous = draft_anonymous("d1");
    struct dbk_record empty = draft_alias(DBK_PERSON_ALIASED, &kate.subject, "");
    struct dbk_command *command = command_of(&kate);
    (void)state;

    anonymous.person_id = kate.subject;
    assert_int_equal(dbk_command_add(command, &anonymous, NULL), DBK_INVALID);
    assert_int_equal(dbk_command_add(command, &other, NULL), DBK_INVALID);
    assert_int_equal(dbk_command_add(command, &one, NULL), DBK_OK);
    assert_int_equal(dbk_command_add(command, &one, NULL), DBK_INVALID);
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_INVALID);
    dbk_command_destroy(command);
    updated.person.has = DBK_HAS_ROLE;
    updated.person.role = DBK_ROLE_USER;
    command = command_of(&updated);
    assert_int_equal(dbk_command_add(command, &one, NULL), DBK_INVALID);
    dbk_command_reset(command);
    assert_int_equal(dbk_command_add(command, &empty, NULL), DBK_INVALID);
    assert_int_equal(dbk_command_add(command, &one, NULL), DBK_OK);
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_INVALID);
    dbk_command_destroy(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_anonymous_event_is_whose_its_anonymous_id_is_now),
        TEST(what_a_deleted_person_did_before_is_gone_for_whoever_comes),
        TEST(an_anonymous_id_is_one_persons),
        TEST(two_of_one_batch_do_not_both_get_an_anonymous_id),
        TEST(an_event_of_nobody_is_deleted_as_such),
        TEST(aliases_are_told_in_the_order_of_their_records),
        TEST(a_person_has_a_thousand_aliases_at_most),
        TEST(other_shapes_of_commands_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
