#include "scratch_log.h"

#include <lmdb.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static void an_email_belongs_to_one_person(void **state)
{
    struct scratch *s = *state;
    struct dbk_record other = draft_person("KATE@x.mock");
    struct dbk_verdict verdict;

    add_person(s, "kate@x.mock");
    verdict = submit(s, &other);
    assert_int_equal(verdict.code, DBK_CONFLICT);
    assert_non_null(strstr(verdict.error.text, "email"));
    assert_int_equal(head_of(s), 1);
}

static void a_deleted_person_gives_up_the_email_but_not_the_id(void **state)
{
    struct scratch *s = *state;
    struct dbk_record kate = draft_person("kate@x.mock"), again = kate, gone;

    submit(s, &kate);
    gone = draft_of(DBK_PERSON_DELETED, &kate.subject);
    assert_int_equal(submit(s, &gone).code, DBK_OK);
    assert_int_equal(submit(s, &gone).code, DBK_NOT_FOUND);
    assert_int_equal(submit(s, &again).code, DBK_CONFLICT);
    add_person(s, "kate@x.mock");
}

static void a_person_id_is_taken_once(void **state)
{
    struct scratch *s = *state;
    struct dbk_record kate = draft_person("kate@x.mock"), again = kate;

    submit(s, &kate);
    again.person.email = dbk_slice("other@x.mock");
    assert_int_equal(submit(s, &again).code, DBK_EXISTS);
}

static void an_update_changes_what_it_names(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record update = draft_of(DBK_PERSON_UPDATED, &kate);
    struct dbk_command *command;
    const struct dbk_person_state *after;

    update.person.has = DBK_HAS_LAST_NAME | DBK_HAS_EMAIL;
    update.person.last_name = dbk_slice("Rasputin");
    update.person.email = dbk_slice("kr@x.mock");
    command = command_of(&update);
    assert_int_equal(submit_command(s, command).sequence, 2);
    after = dbk_command_person(command);
    assert_string_equal(after->first_name, "Kate");
    assert_string_equal(after->last_name, "Rasputin");
    assert_string_equal(after->email, "kr@x.mock");
    assert_int_equal(after->version, 2);
    dbk_command_destroy(command);
    add_person(s, "kate@x.mock"); /* free again */
}

static void an_update_to_the_same_appends_nothing(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record update = draft_of(DBK_PERSON_UPDATED, &kate);
    struct dbk_verdict verdict;

    update.person.has = DBK_HAS_FIRST_NAME;
    update.person.first_name = dbk_slice("Kate");
    verdict = submit(s, &update);
    assert_int_equal(verdict.code, DBK_OK);
    assert_int_equal(verdict.first_sequence, 0);
    assert_int_equal(verdict.sequence, 1);
    assert_int_equal(head_of(s), 1);
}

static void an_update_may_not_take_anothers_email(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record update = draft_of(DBK_PERSON_UPDATED, &kate);

    add_person(s, "logan@x.mock");
    update.person.has = DBK_HAS_EMAIL;
    update.person.email = dbk_slice("Logan@X.mock");
    assert_int_equal(submit(s, &update).code, DBK_CONFLICT);
    update.person.email = dbk_slice("KATE@x.mock"); /* her own, in capitals, is fine */
    assert_int_equal(submit(s, &update).code, DBK_OK);
    update.person.email = dbk_slice("free@x.mock");
    assert_int_equal(submit(s, &update).code, DBK_OK);
    add_person(s, "kate@x.mock");
}

static void a_moved_version_writes_nothing(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record update = draft_of(DBK_PERSON_UPDATED, &kate);
    struct dbk_record gone = draft_of(DBK_PERSON_DELETED, &kate);
    struct dbk_command *command;

    update.person.has = DBK_HAS_ROLE;
    update.person.role = DBK_ROLE_ADMIN;
    submit(s, &update); /* now at 2 */
    command = command_of(&gone);
    dbk_command_expect(command, 1);
    assert_int_equal(submit_command(s, command).code, DBK_MOVED);
    assert_int_equal(head_of(s), 2);
    dbk_command_expect(command, 2);
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    dbk_command_destroy(command);
}

static void an_event_needs_a_living_person(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid nobody = dbk_uuid_new(), kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&nobody);
    struct dbk_record gone = draft_of(DBK_PERSON_DELETED, &kate);

    assert_int_equal(submit(s, &event).code, DBK_NOT_FOUND);
    event.person_id = kate;
    assert_int_equal(submit(s, &event).code, DBK_OK);
    submit(s, &gone);
    event.subject = dbk_uuid_new();
    assert_int_equal(submit(s, &event).code, DBK_NOT_FOUND);
}

static void an_event_id_is_taken_for_ever(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate);
    struct dbk_record gone = draft_of(DBK_EVENT_DELETED, &event.subject);
    struct dbk_verdict verdict;

    submit(s, &event);
    verdict = submit(s, &event);
    assert_int_equal(verdict.code, DBK_EXISTS);
    assert_int_equal(verdict.sequence, 2);
    assert_int_equal(submit(s, &gone).code, DBK_OK);
    assert_int_equal(submit(s, &gone).code, DBK_NOT_FOUND);
    assert_int_equal(submit(s, &event).code, DBK_CONFLICT);
}

static void a_deleted_event_tells_its_person(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"), stranger = dbk_uuid_new();
    struct dbk_record event = draft_event(&kate), record;
    struct dbk_record gone = draft_of(DBK_EVENT_DELETED, &event.subject);
    struct dbk_command *command = command_of(&gone);
    struct dbk_batch batch = {0};

    submit(s, &event);
    dbk_command_expect_person(command, &stranger);
    assert_int_equal(submit_command(s, command).code, DBK_CONFLICT);
    dbk_command_expect_person(command, &kate);
    assert_int_equal(submit_command(s, command).sequence, 3);
    dbk_command_destroy(command);

    assert_int_equal(dbk_log_read(s->log, 2, 1, 4096, &batch, NULL), DBK_OK);
    assert_int_equal(
        dbk_record_decode(batch.bytes, batch.entries[0].length, &record, NULL), DBK_OK);
    assert_true(dbk_uuid_equal(&record.person_id, &kate));
    dbk_batch_finish(&batch);
}

static void events_of_a_deleted_person_went_with_it(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate);
    struct dbk_record person_gone = draft_of(DBK_PERSON_DELETED, &kate);
    struct dbk_record event_gone = draft_of(DBK_EVENT_DELETED, &event.subject);

    submit(s, &event);
    submit(s, &person_gone);
    assert_int_equal(submit(s, &event_gone).code, DBK_NOT_FOUND);
}

static void a_refused_part_refuses_the_whole_command(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"); /* 1 */
    struct dbk_record known = draft_event(&kate), fresh = draft_event(&kate);
    struct dbk_record update = draft_of(DBK_PERSON_UPDATED, &kate);
    struct dbk_command *command;
    struct dbk_person_state person;

    submit(s, &known); /* 2 */
    update.person.has = DBK_HAS_FIRST_NAME;
    update.person.first_name = dbk_slice("Katherine");
    command = command_of(&update);
    assert_int_equal(dbk_command_add(command, &fresh, NULL), DBK_OK);
    assert_int_equal(dbk_command_add(command, &known, NULL), DBK_OK);
    assert_int_equal(submit_command(s, command).code, DBK_EXISTS);
    assert_null(dbk_command_person(command));
    dbk_command_destroy(command);

    assert_int_equal(head_of(s), 2);
    assert_int_equal(dbk_log_person(s->log, &kate, &person, NULL), DBK_OK);
    assert_string_equal(person.first_name, "Kate");
    assert_int_equal(submit(s, &fresh).code, DBK_OK);
}

static void a_refused_command_does_not_disturb_the_others(void **state)
{
    struct scratch *s = *state;
    struct dbk_record drafts[3] = {draft_person("a@x.mock"), draft_person("A@x.mock"),
                                   draft_person("b@x.mock")};
    struct dbk_command *commands[3];

    for (int i = 0; i < 3; i++)
        commands[i] = command_of(&drafts[i]);
    assert_int_equal(dbk_log_submit(s->log, commands, 3, NULL, NULL, NULL), DBK_OK);
    assert_int_equal(dbk_command_verdict(commands[0])->sequence, 1);
    assert_int_equal(dbk_command_verdict(commands[1])->code, DBK_CONFLICT);
    assert_int_equal(dbk_command_verdict(commands[2])->sequence, 2);
    for (int i = 0; i < 3; i++)
        dbk_command_destroy(commands[i]);
}

/* Put the value where an index has the entry of an id, by plain LMDB. */
static void damage(const struct scratch *s, const char *index,
                   const struct dbk_uuid *id, MDB_val value)
{
    MDB_val key = {sizeof id->bytes, (void *)(uintptr_t)id->bytes};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, index, 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_damaged_index_entry_disturbs_nobody_else(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid logan = add_person(s, "logan@x.mock");
    struct dbk_record drafts[2] = {draft_event(&kate), draft_event(&logan)};
    struct dbk_command *commands[2] = {command_of(&drafts[0]), command_of(&drafts[1])};

    dbk_log_close(s->log);
    damage(s, "person", &kate, (MDB_val){3, "bad"});
    scratch_open(s);
    assert_int_equal(dbk_log_submit(s->log, commands, 2, NULL, NULL, &s->err), DBK_OK);
    assert_int_equal(dbk_command_verdict(commands[0])->code, DBK_DAMAGED);
    assert_int_equal(dbk_command_verdict(commands[1])->code, DBK_OK);
    dbk_command_destroy(commands[0]);
    dbk_command_destroy(commands[1]);
}

static void a_damaged_event_is_told_and_not_written_back(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate);
    struct dbk_record gone = draft_of(DBK_EVENT_DELETED, &event.subject);
    char no_sequence[8 + 8 + sizeof kate.bytes] = {0};

    memcpy(no_sequence + 16, kate.bytes, sizeof kate.bytes);
    assert_int_equal(submit(s, &event).code, DBK_OK);
    dbk_log_close(s->log);
    damage(s, "event", &event.subject, (MDB_val){sizeof no_sequence, no_sequence});
    scratch_open(s);
    assert_int_equal(submit(s, &gone).code, DBK_DAMAGED);
    assert_int_equal(submit(s, &event).code, DBK_DAMAGED);
}

enum { MANY = 3000 };

/* Submit one command for each draft, and hold each to its verdict. */
static void submit_many(struct scratch *s, const struct dbk_record *drafts,
                        enum dbk_code expected, uint64_t first_sequence)
{
    struct dbk_command *commands[MANY];

    for (size_t i = 0; i < MANY; i++)
        commands[i] = command_of(&drafts[i]);
    assert_int_equal(dbk_log_submit(s->log, commands, MANY, NULL, NULL, &s->err),
                     DBK_OK);
    for (size_t i = 0; i < MANY; i++) {
        const struct dbk_verdict *verdict = dbk_command_verdict(commands[i]);

        assert_int_equal(verdict->code, expected);
        assert_int_equal(verdict->sequence, first_sequence + i);
        dbk_command_destroy(commands[i]);
    }
}

/* Ids that grow, and ids that come in no order, between one another in one transaction,
 * then all of them again, deleted, and once more. */
static void ids_may_come_in_any_order(void **state)
{
    static struct dbk_record drafts[MANY], gone[MANY];
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_event_state event;

    for (size_t i = 0; i < MANY; i++) {
        drafts[i] = draft_event(&kate);
        if (i % 3 == 1) /* the last bytes are random: anywhere */
            memcpy(drafts[i].subject.bytes, drafts[i].subject.bytes + 9, 6);
        else if (i % 3 == 2) /* shrinking */
            drafts[i].subject.bytes[0] = (uint8_t)(0xf0 - i % 0xf0);
        gone[i] = draft_of(DBK_EVENT_DELETED, &drafts[i].subject);
    }
    submit_many(s, drafts, DBK_OK, 2);
    submit_many(s, drafts, DBK_EXISTS, 2);
    submit_many(s, gone, DBK_OK, 2 + MANY);
    submit_many(s, drafts, DBK_CONFLICT, 2);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(dbk_log_event(s->log, &drafts[i].subject, &event, &s->err),
                         DBK_OK);
        assert_int_equal(event.sequence, 2 + i);
        assert_int_equal(event.deleted_sequence, 2 + MANY + i);
    }
    assert_int_equal(head_of(s), 1 + 2 * MANY);
}

static void what_a_log_was_made_of_no_command_says(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid other = add_person(s, "kate@x.mock");
    struct dbk_record draft = draft_of(DBK_LOG_RESEALED, &other);
    static const char root[DBK_ROOT_BYTES] = "root";

    draft.size = 1;
    draft.root = (struct dbk_slice){root, sizeof root};
    assert_int_equal(submit(s, &draft).code, DBK_INVALID);
    assert_int_equal(head_of(s), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_email_belongs_to_one_person),
        TEST(a_deleted_person_gives_up_the_email_but_not_the_id),
        TEST(a_person_id_is_taken_once),
        TEST(an_update_changes_what_it_names),
        TEST(an_update_to_the_same_appends_nothing),
        TEST(an_update_may_not_take_anothers_email),
        TEST(a_moved_version_writes_nothing),
        TEST(an_event_needs_a_living_person),
        TEST(an_event_id_is_taken_for_ever),
        TEST(ids_may_come_in_any_order),
        TEST(a_deleted_event_tells_its_person),
        TEST(events_of_a_deleted_person_went_with_it),
        TEST(a_refused_part_refuses_the_whole_command),
        TEST(a_refused_command_does_not_disturb_the_others),
        TEST(a_damaged_index_entry_disturbs_nobody_else),
        TEST(a_damaged_event_is_told_and_not_written_back),
        TEST(what_a_log_was_made_of_no_command_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
