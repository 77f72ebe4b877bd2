/* External ids: whose they are, and persons who are found, made or changed by them. */
#include "log/identity_log.h"

static void a_person_must_be_known_by_something(void **state)
{
    struct scratch *s = *state;
    struct dbk_record bare = draft_person("kate@x.mock"), draft, taken;
    struct dbk_command *command;
    struct dbk_uuid id = bare.subject;

    bare.person.has = DBK_HAS_ROLE | DBK_HAS_EMAIL;
    assert_int_equal(submit(s, &bare).code, DBK_CONFLICT);
    command = command_of(&bare);
    draft = draft_alias(DBK_PERSON_ALIASED, &id, "d1");
    assert_int_equal(dbk_command_add(command, &draft, NULL), DBK_OK);
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_int_equal(dbk_command_person(command)->aliases, 1);
    assert_int_equal(dbk_command_person(command)->version, 1);
    assert_string_equal(dbk_command_person(command)->first_name, "");
    dbk_command_destroy(command);
    assert_int_equal(unalias(s, &id, "d1").code, DBK_CONFLICT);

    draft = draft_of(DBK_PERSON_UPDATED, &id);
    draft.person.has = DBK_HAS_EMAIL; /* away with it */
    assert_int_equal(submit(s, &draft).code, DBK_OK);
    taken = draft_person("kate@x.mock"); /* free again */
    assert_int_equal(submit(s, &taken).code, DBK_OK);
    draft = draft_of(DBK_PERSON_UPDATED, &id);
    draft.person.has = DBK_HAS_EXTERNAL_ID;
    draft.person.external_id = dbk_slice("crm|1");
    assert_int_equal(submit(s, &draft).code, DBK_OK);
    assert_int_equal(unalias(s, &id, "d1").code, DBK_OK);
    draft.person.external_id = dbk_slice("");
    assert_int_equal(submit(s, &draft).code, DBK_CONFLICT);
    draft = draft_of(DBK_PERSON_UPDATED, &taken.subject);
    draft.person.has = DBK_HAS_LAST_NAME;
    assert_int_equal(submit(s, &draft).code, DBK_CONFLICT);
    assert_verifies(s);
}

static void an_external_id_is_one_persons_until_it_is_given_up(void **state)
{
    struct scratch *s = *state;
    struct dbk_record kate = draft_known("crm|1"), logan = draft_known("crm|1");
    struct dbk_verdict verdict;
    struct dbk_uuid whose;

    assert_int_equal(submit(s, &kate).code, DBK_OK);
    verdict = submit(s, &logan);
    assert_int_equal(verdict.code, DBK_CONFLICT);
    assert_true(verdict.has_holder);
    assert_memory_equal(&verdict.holder, &kate.subject, sizeof kate.subject);
    logan.person.external_id = dbk_slice("CRM|1"); /* another */
    assert_int_equal(submit(s, &logan).code, DBK_OK);
    assert_int_equal(dbk_log_whose(s->log, DBK_IDENTITY_EXTERNAL_ID, dbk_slice("crm|1"),
                                   &whose, NULL),
                     DBK_OK);
    assert_memory_equal(&whose, &kate.subject, sizeof whose);
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate.subject).code, DBK_OK);
    assert_int_equal(dbk_log_whose(s->log, DBK_IDENTITY_EXTERNAL_ID, dbk_slice("crm|1"),
                                   &whose, NULL),
                     DBK_NOT_FOUND);
    kate = draft_known("crm|1");
    assert_int_equal(submit(s, &kate).code, DBK_OK);
    assert_verifies(s);
}

static void a_taken_email_names_its_holder(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"), whose;
    struct dbk_record other = draft_person("KATE@x.mock");
    struct dbk_verdict verdict = submit(s, &other);

    assert_int_equal(verdict.code, DBK_CONFLICT);
    assert_true(verdict.has_holder);
    assert_memory_equal(&verdict.holder, &kate, sizeof kate);
    assert_int_equal(dbk_log_whose(s->log, DBK_IDENTITY_EMAIL, dbk_slice("KATE@X.mock"),
                                   &whose, NULL),
                     DBK_OK);
    assert_memory_equal(&whose, &kate, sizeof kate);
    assert_int_equal(
        dbk_log_whose(s->log, DBK_IDENTITY_EMAIL, dbk_slice(""), &whose, NULL),
        DBK_NOT_FOUND);
}

static void the_nil_uuid_is_nobodys(void **state)
{
    struct scratch *s = *state;
    struct dbk_record nil = draft_person("kate@x.mock");

    nil.subject = nobody;
    assert_int_equal(submit(s, &nil).code, DBK_CONFLICT);
}

static void a_command_finds_its_person_by_external_id(void **state)
{
    struct scratch *s = *state;
    struct dbk_record kate = draft_known("crm|1");
    struct dbk_record draft = draft_of(DBK_PERSON_UPDATED, &nobody),
                      event = draft_event(&nobody), first;
    struct dbk_command *command;
    struct dbk_event_state state_of_event;

    draft.person.has = DBK_HAS_FIRST_NAME;
    draft.person.first_name = dbk_slice("Kate");
    command = command_of(&draft);
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_OK);
    dbk_command_by_external_id(command, dbk_slice("crm|1"));
    assert_int_equal(submit_command(s, command).code, DBK_NOT_FOUND);
    submit(s, &kate);
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_memory_equal(&dbk_command_person(command)->id, &kate.subject, 16);
    dbk_command_first(command, &first);
    assert_memory_equal(&first.subject, &kate.subject, 16);
    dbk_command_destroy(command);
    assert_int_equal(dbk_log_event(s->log, &event.subject, &state_of_event, NULL),
                     DBK_OK);
    assert_memory_equal(&state_of_event.person_id, &kate.subject, 16);

    draft = draft_alias(DBK_PERSON_ALIASED, &nobody, "d1");
    command = command_of(&draft);
    dbk_command_by_external_id(command, dbk_slice("crm|1"));
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    dbk_command_first(command, &first);
    assert_memory_equal(&first.subject, &kate.subject, 16);
    dbk_command_destroy(command);
    assert_verifies(s);
}

/* A person.created with a signup, an event and an alias, or an update of who has the
 * external id. */
static struct dbk_command *upsert(const char *external_id, const char *name,
                                  const char *anonymous_id, struct dbk_uuid events[2])
{
    struct dbk_record created = draft_known(external_id);
    struct dbk_record updated = draft_of(DBK_PERSON_UPDATED, &nobody);
    struct dbk_record follows[] = {
        draft_event(&created.subject), draft_event(&created.subject),
        draft_alias(DBK_PERSON_ALIASED, &created.subject, anonymous_id)};
    struct dbk_command *command;

    created.person.has |= DBK_HAS_FIRST_NAME;
    created.person.first_name = dbk_slice(name);
    command = command_of(&created);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dbk_command_add(command, &follows[i], NULL), DBK_OK);
    updated.person = created.person;
    assert_int_equal(dbk_command_otherwise(command, &updated, NULL), DBK_OK);
    events[0] = follows[0].subject;
    events[1] = follows[1].subject;
    return command;
}

static void an_upsert_creates_or_updates(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid events[2], kate;
    struct dbk_command *command = upsert("crm|1", "Kate", "d1", events);
    struct dbk_verdict verdict = submit_command(s, command);
    struct dbk_record first;
    struct dbk_event_state event;

    assert_int_equal(verdict.code, DBK_OK);
    assert_false(verdict.otherwise);
    assert_int_equal(head_of(s), 4);
    kate = dbk_command_person(command)->id;
    dbk_command_destroy(command);

    command = upsert("crm|1", "Katherine", "d1", events);
    verdict = submit_command(s, command);
    assert_int_equal(verdict.code, DBK_OK);
    assert_true(verdict.otherwise);
    assert_int_equal(head_of(s), 6); /* neither a signup nor the alias again */
    assert_memory_equal(&dbk_command_person(command)->id, &kate, sizeof kate);
    assert_string_equal(dbk_command_person(command)->first_name, "Katherine");
    assert_int_equal(dbk_command_person(command)->version, 5);
    dbk_command_first(command, &first);
    assert_int_equal(first.type, DBK_PERSON_UPDATED);
    assert_memory_equal(&first.subject, &kate, sizeof kate);
    dbk_command_destroy(command);
    assert_int_equal(dbk_log_event(s->log, &events[0], &event, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_log_event(s->log, &events[1], &event, NULL), DBK_OK);
    assert_memory_equal(&event.person_id, &kate, sizeof kate);

    command = upsert("crm|1", "Katherine", "d2", events);
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_int_equal(head_of(s), 8); /* an event and another alias */
    assert_int_equal(dbk_command_person(command)->aliases, 2);
    dbk_command_destroy(command);
    assert_verifies(s);
}

static void an_upsert_decided_again_may_come_to_the_other(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid events[2];
    struct dbk_command *command = upsert("crm|1", "Kate", "d1", events);
    struct dbk_record holder = draft_known("crm|1"), first;

    submit(s, &holder);
    dbk_command_expect(command, 77);
    assert_int_equal(submit_command(s, command).code, DBK_MOVED);
    delete_it(s, DBK_PERSON_DELETED, &holder.subject);
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_false(dbk_command_verdict(command)->otherwise);
    dbk_command_first(command, &first);
    assert_int_equal(first.type, DBK_PERSON_CREATED);
    dbk_command_destroy(command);
    assert_verifies(s);
}

/* Verdicts that are told again. */
static void a_key_keeps_who_the_holder_is_and_what_it_came_to(void **state)
{
    struct scratch *s = *state;
    struct dbk_record holder = draft_known("crm|1"), other = draft_known("crm|1");
    struct dbk_idempotency key = {.key = {1}, .request = {2}, .keep_us = 60000000};
    struct dbk_uuid events[2];
    struct dbk_command *commands[2] = {command_of(&other),
                                       upsert("crm|1", "Kate", "d1", events)};
    bool replayed;

    submit(s, &holder);
    for (int i = 0; i < 2; i++) {
        const struct dbk_verdict *verdict = dbk_command_verdict(commands[0]);

        assert_int_equal(dbk_log_submit(s->log, commands, 2, &key, &replayed, &s->err),
                         DBK_OK);
        assert_int_equal(replayed, i);
        assert_int_equal(verdict->code, DBK_CONFLICT);
        assert_true(verdict->has_holder);
        assert_memory_equal(&verdict->holder, &holder.subject, 16);
        assert_int_equal(verdict->first_sequence, 0);
        verdict = dbk_command_verdict(commands[1]);
        assert_int_equal(verdict->code, DBK_OK);
        assert_true(verdict->otherwise);
        assert_int_equal(verdict->first_sequence, 2);
    }
    dbk_command_destroy(commands[0]);
    dbk_command_destroy(commands[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_person_must_be_known_by_something),
        TEST(an_external_id_is_one_persons_until_it_is_given_up),
        TEST(a_taken_email_names_its_holder),
        TEST(the_nil_uuid_is_nobodys),
        TEST(a_command_finds_its_person_by_external_id),
        TEST(an_upsert_creates_or_updates),
        TEST(an_upsert_decided_again_may_come_to_the_other),
        TEST(a_key_keeps_who_the_holder_is_and_what_it_came_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
