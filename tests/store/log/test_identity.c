/* By what a person is known: external ids, anonymous ids, and properties. */
#include "scratch_log.h"

#include "store/log_builder.h"
#include "store/verify.h"

#include <lmdb.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct dbk_uuid nobody;

static struct dbk_record draft_alias(enum dbk_type type, const struct dbk_uuid *person,
                                     const char *anonymous_id)
{
    struct dbk_record draft = draft_of(type, person);

    draft.anonymous_id = dbk_slice(anonymous_id);
    return draft;
}

static struct dbk_verdict alias(struct scratch *s, const struct dbk_uuid *person,
                                const char *anonymous_id)
{
    struct dbk_record draft = draft_alias(DBK_PERSON_ALIASED, person, anonymous_id);

    return submit(s, &draft);
}

static struct dbk_verdict unalias(struct scratch *s, const struct dbk_uuid *person,
                                  const char *anonymous_id)
{
    struct dbk_record draft = draft_alias(DBK_PERSON_UNALIASED, person, anonymous_id);

    return submit(s, &draft);
}

static struct dbk_record draft_anonymous(const char *anonymous_id)
{
    struct dbk_record draft = draft_event(&nobody);

    draft.anonymous_id = dbk_slice(anonymous_id);
    return draft;
}

static struct dbk_uuid record_anonymous(struct scratch *s, const char *anonymous_id)
{
    struct dbk_record draft = draft_anonymous(anonymous_id);

    assert_int_equal(submit(s, &draft).code, DBK_OK);
    return draft.subject;
}

static struct dbk_verdict delete_it(struct scratch *s, enum dbk_type type,
                                    const struct dbk_uuid *id)
{
    struct dbk_record gone = draft_of(type, id);

    return submit(s, &gone);
}

/* Whose the event is now, by both ways to ask. */
static void assert_owner(struct scratch *s, const struct dbk_uuid *event,
                         const struct dbk_uuid *owner)
{
    struct dbk_event_state state;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    assert_int_equal(dbk_log_event(s->log, event, &state, &s->err), DBK_OK);
    assert_memory_equal(&state.person_id, owner, sizeof *owner);
    assert_int_equal(dbk_log_read_event(s->log, event, &batch, &record, &s->err),
                     DBK_OK);
    assert_memory_equal(&record.person_id, owner, sizeof *owner);
    dbk_batch_finish(&batch);
}

static void assert_gone(struct scratch *s, const struct dbk_uuid *event)
{
    struct dbk_event_state state;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    assert_int_equal(dbk_log_event(s->log, event, &state, &s->err), DBK_NOT_FOUND);
    assert_int_equal(dbk_log_read_event(s->log, event, &batch, &record, &s->err),
                     DBK_NOT_FOUND);
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, event).code, DBK_NOT_FOUND);
    dbk_batch_finish(&batch);
}

/* The record as it is in the log. */
static struct dbk_record record_at(struct scratch *s, uint64_t sequence,
                                   struct dbk_batch *batch)
{
    struct dbk_record record;

    assert_int_equal(dbk_log_record(s->log, sequence, batch, &record, &s->err), DBK_OK);
    return record;
}

static void find_wrong(void *context, uint64_t sequence, const char *text)
{
    (void)context;
    fail_msg("record %llu: %s", (unsigned long long)sequence, text);
}

/* What the log's records imply is what is in its indexes. */
static void assert_verifies(struct scratch *s)
{
    struct dbk_verify_options options = {.finding = find_wrong};
    struct dbk_verify_result result;
    char scratch[100];

    snprintf(scratch, sizeof scratch, "%s/verify.tmp", s->dir);
    options.scratch_dir = scratch;
    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(dbk_log_verify(s->dir, &options, &result, &s->err), DBK_OK);
    assert_int_equal(result.findings, 0);
    scratch_open(s);
}

static uint32_t format_of(struct scratch *s)
{
    MDB_val key = {6, (void *)(uintptr_t) "format"}, value;
    uint32_t format = 0;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;

    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 8), 0); /* as many as format 1 needed */
    assert_int_equal(mdb_env_open(env, s->dir, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    assert_int_equal(mdb_get(txn, meta, &key, &value), 0);
    memcpy(&format, value.mv_data, sizeof format);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    scratch_open(s);
    return format;
}

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

static struct dbk_record draft_known(const char *external_id)
{
    struct dbk_record draft = {.type = DBK_PERSON_CREATED,
                               .subject = dbk_uuid_new(),
                               .person = {.has = DBK_HAS_ROLE | DBK_HAS_EXTERNAL_ID,
                                          .role = DBK_ROLE_USER,
                                          .external_id = dbk_slice(external_id)},
                               .source = dbk_slice("test")};

    return draft;
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

/* Stands for a merge of JSON: the patch behind what there is; "-" takes all away, "!" is
 * refused. */
static enum dbk_code merge_text(struct dbk_slice current, struct dbk_slice patch,
                                char *out, size_t size, size_t *length,
                                struct dbk_error *err)
{
    *length = 0;
    if (patch.data[0] == '!')
        return dbk_fail(err, DBK_TOO_LARGE, "too much");
    if (patch.data[0] == '-')
        return DBK_OK;
    assert_true(current.length + patch.length <= size);
    if (current.length)
        memcpy(out, current.data, current.length);
    memcpy(out + current.length, patch.data, patch.length);
    *length = current.length + patch.length;
    return DBK_OK;
}

static struct dbk_command *patch_of(const struct dbk_uuid *id, const char *patch)
{
    struct dbk_record draft = draft_of(DBK_PERSON_UPDATED, id);
    struct dbk_command *command;

    draft.person.has = DBK_HAS_PROPERTIES;
    draft.person.properties = dbk_slice(patch);
    command = command_of(&draft);
    dbk_command_merge(command, merge_text);
    return command;
}

static void assert_properties(struct scratch *s, const struct dbk_uuid *id,
                              const char *expected)
{
    struct dbk_person_state person;
    struct dbk_batch batch = {0};
    struct dbk_slice properties;

    assert_int_equal(dbk_log_person(s->log, id, &person, &s->err), DBK_OK);
    assert_int_equal(
        dbk_log_person_properties(s->log, &person, &batch, &properties, &s->err),
        DBK_OK);
    assert_true(dbk_slice_equal(properties, dbk_slice(expected)));
    dbk_batch_finish(&batch);
}

static void properties_are_merged_where_the_record_is_decided(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate), first;
    struct dbk_command *command = patch_of(&kate, "ab");

    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_properties(s, &kate, "ab");
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_OK);
    assert_int_equal(submit_command(s, command).code,
                     DBK_OK); /* the same patch again */
    assert_properties(s, &kate, "abab");
    dbk_command_first(command, &first);
    assert_true(dbk_slice_equal(first.person.properties, dbk_slice("abab")));
    dbk_command_destroy(command);

    command = patch_of(&kate, "!");
    assert_int_equal(submit_command(s, command).code, DBK_TOO_LARGE);
    dbk_command_destroy(command);
    command = patch_of(&kate, "-");
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_properties(s, &kate, "");
    assert_int_equal(submit_command(s, command).first_sequence, 0); /* none already */
    dbk_command_destroy(command);
    assert_verifies(s);
}

static void the_same_properties_change_nothing(void **state)
{
    struct scratch *s = *state;
    struct dbk_record kate = draft_known("crm|1"), update;

    kate.person.has |= DBK_HAS_PROPERTIES;
    kate.person.properties = dbk_slice("{\"a\":1}");
    assert_int_equal(submit(s, &kate).code, DBK_OK);
    assert_properties(s, &kate.subject, "{\"a\":1}");
    update = draft_of(DBK_PERSON_UPDATED, &kate.subject);
    update.person.has = DBK_HAS_PROPERTIES;
    update.person.properties = kate.person.properties;
    assert_int_equal(submit(s, &update).first_sequence, 0);
    update.person.properties = dbk_slice("{\"a\":2}");
    assert_int_equal(submit(s, &update).first_sequence, 2);
    assert_properties(s, &kate.subject, "{\"a\":2}");
    update.person.properties = dbk_slice("");
    assert_int_equal(submit(s, &update).first_sequence, 3);
    assert_properties(s, &kate.subject, "");
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

static void the_log_says_when_it_has_what_is_new(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate), gone;

    submit(s, &event);
    gone = draft_of(DBK_EVENT_DELETED, &event.subject);
    submit(s, &gone);
    assert_int_equal(format_of(s), 1);
    assert_int_equal(alias(s, &nobody, "d1").code, DBK_NOT_FOUND);
    assert_int_equal(format_of(s), 1); /* what is refused leaves nothing */
    assert_int_equal(alias(s, &kate, "d1").code, DBK_OK);
    assert_int_equal(format_of(s), 2);
    event = draft_event(&kate);
    event.traceparent = dbk_slice("00-1");
    submit(s, &event);
    assert_int_equal(format_of(s), 3);
    event = draft_event(&kate);
    submit(s, &event);
    assert_int_equal(format_of(s), 3);
    assert_verifies(s);
}

/* What deletes an event is encoded before it is known whose that is. */
static void a_trace_in_the_first_record_says_so_at_once(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate), gone;
    struct dbk_batch batch = {0};

    submit(s, &event);
    gone = draft_of(DBK_EVENT_DELETED, &event.subject);
    gone.traceparent = dbk_slice("00-1");
    assert_int_equal(format_of(s), 1);
    assert_int_equal(submit(s, &gone).code, DBK_OK);
    assert_int_equal(format_of(s), 3);
    gone = record_at(s, 3, &batch);
    assert_int_equal(gone.format, 3);
    dbk_batch_finish(&batch);
    assert_verifies(s);
}

/* As a program before left it: without what that did not know. */
static void take_identities_away(struct scratch *s)
{
    static const char *const names[] = {"external", "alias", "person_alias"};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(mdb_dbi_open(txn, names[i], 0, &dbi), 0);
        assert_int_equal(mdb_drop(txn, dbi, 1), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void open_as(struct scratch *s, struct dbk_log_options options)
{
    options.map_size = (size_t)1 << 30;
    if (dbk_log_open(s->dir, &options, &s->log, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
}

static void a_log_of_a_program_before_is_read_and_goes_on(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"), whose;
    struct dbk_record event = draft_event(&kate);
    struct dbk_aliases aliases = {0};
    struct dbk_person_state person;

    submit(s, &event);
    take_identities_away(s);
    open_as(s, (struct dbk_log_options){.read_only = true});
    assert_owner(s, &event.subject, &kate);
    assert_int_equal(dbk_log_person(s->log, &kate, &person, &s->err), DBK_OK);
    assert_int_equal(person.aliases, 0);
    for (int i = DBK_IDENTITY_EXTERNAL_ID; i <= DBK_IDENTITY_ANONYMOUS_ID; i++)
        assert_int_equal(dbk_log_whose(s->log, (enum dbk_identity)i, dbk_slice("d1"),
                                       &whose, &s->err),
                         DBK_NOT_FOUND);
    assert_int_equal(dbk_log_aliases(s->log, &kate, &aliases, &s->err), DBK_OK);
    assert_verifies(s); /* without them, too */

    take_identities_away(s);
    open_as(s, (struct dbk_log_options){.existing = true});
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, &event.subject).code, DBK_OK);
    assert_int_equal(format_of(s), 1);
    assert_int_equal(alias(s, &kate, "d1").code, DBK_OK);
    assert_int_equal(format_of(s), 2);
    assert_verifies(s);
}

/* A person may have had the nil UUID. */
static void put_record(struct dbk_log_builder *builder, struct dbk_record *record)
{
    char bytes[DBK_RECORD_MAX];
    struct dbk_error err;
    size_t length;

    record->format = 1;
    record->sequence = dbk_log_builder_head(builder) + 1;
    record->recorded_at = (dbk_timestamp)record->sequence;
    assert_int_equal(dbk_record_encode(record, bytes, sizeof bytes, &length, &err),
                     DBK_OK);
    assert_int_equal(bytes[1], 1);
    if (dbk_log_builder_add(builder, bytes, length, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void who_had_the_nil_uuid_is_a_person_still(void **state)
{
    struct scratch *s = *state;
    struct dbk_record nil = draft_person("kate@x.mock"), record;
    struct dbk_record events[] = {draft_event(&nobody), draft_event(&nobody),
                                  draft_event(&nobody)};
    struct dbk_log_builder *builder;
    struct dbk_batch batch = {0};

    dbk_log_close(s->log);
    s->log = NULL;
    nil.subject = nobody;
    assert_int_equal(dbk_log_builder_open(s->dir, &builder, &s->err), DBK_OK);
    put_record(builder, &nil);
    put_record(builder, &events[0]);
    put_record(builder, &events[1]);
    assert_int_equal(dbk_log_builder_finish(builder, &s->err), DBK_OK);
    scratch_open(s);

    assert_owner(s, &events[0].subject, &nobody);
    assert_int_equal(submit(s, &events[2]).code, DBK_OK);
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, &events[0].subject).code, DBK_OK);
    record = record_at(s, 5, &batch);
    assert_int_equal(record.format, 1);
    dbk_batch_finish(&batch);
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &nobody).code, DBK_OK);
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, &events[1].subject).code,
                     DBK_NOT_FOUND);
    assert_int_equal(format_of(s), 1);
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
        TEST(an_anonymous_event_is_whose_its_anonymous_id_is_now),
        TEST(what_a_deleted_person_did_before_is_gone_for_whoever_comes),
        TEST(an_anonymous_id_is_one_persons),
        TEST(two_of_one_batch_do_not_both_get_an_anonymous_id),
        TEST(an_event_of_nobody_is_deleted_as_such),
        TEST(a_person_must_be_known_by_something),
        TEST(an_external_id_is_one_persons_until_it_is_given_up),
        TEST(a_taken_email_names_its_holder),
        TEST(the_nil_uuid_is_nobodys),
        TEST(a_command_finds_its_person_by_external_id),
        TEST(an_upsert_creates_or_updates),
        TEST(an_upsert_decided_again_may_come_to_the_other),
        TEST(properties_are_merged_where_the_record_is_decided),
        TEST(the_same_properties_change_nothing),
        TEST(aliases_are_told_in_the_order_of_their_records),
        TEST(a_person_has_a_thousand_aliases_at_most),
        TEST(other_shapes_of_commands_are_refused),
        TEST(the_log_says_when_it_has_what_is_new),
        TEST(a_trace_in_the_first_record_says_so_at_once),
        TEST(a_log_of_a_program_before_is_read_and_goes_on),
        TEST(who_had_the_nil_uuid_is_a_person_still),
        TEST(a_key_keeps_who_the_holder_is_and_what_it_came_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
