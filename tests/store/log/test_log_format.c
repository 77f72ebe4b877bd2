/* The format that a log says it has: that of its newest record, so that a program that knows
 * less refuses it; and logs of programs before. */
#include "identity_log.h"
#include "store/log_builder.h"

#include <lmdb.h>

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
    static const char *const names[] = {"external", "alias", "person_alias",
                                        "restricted"};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_log_says_when_it_has_what_is_new),
        TEST(a_trace_in_the_first_record_says_so_at_once),
        TEST(a_log_of_a_program_before_is_read_and_goes_on),
        TEST(who_had_the_nil_uuid_is_a_person_still),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
