/* What the notary takes up while it runs: what witnesses have signed, and another key. */
#include "signed_log.h"
#include "store/clock.h"
#include "store/proof/witness.h"

struct world {
    struct scratch s;
    char audit[100];
    struct dbk_uuid person;
    struct dbk_skey witness;
    struct dbk_policy *policy;
    struct dbk_notary *notary;
    struct dbk_signed_checkpoint shown;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char vkey[DBK_VKEY_TEXT + 1], text[DBK_VKEY_TEXT + 64];

    strcpy(w->s.dir, "/tmp/daybook-store-XXXXXX");
    if (!mkdtemp(w->s.dir) || dbk_skey_make(dbk_slice("w.example"), DBK_KEY_WITNESS,
                                            NULL, &w->witness, NULL) != DBK_OK)
        return -1;
    dbk_vkey_format(&w->witness.vkey, vkey);
    snprintf(text, sizeof text, "witness w %s\nquorum w\n", vkey);
    snprintf(w->audit, sizeof w->audit, "%s.audit", w->s.dir);
    scratch_open(&w->s);
    w->person = add_person(&w->s, "kate@x.mock");
    *state = w;
    return dbk_policy_parse(dbk_slice(text), &w->policy, NULL) != DBK_OK;
}

static int teardown(void **state)
{
    struct world *w = *state;

    dbk_notary_stop(w->notary);
    dbk_log_close(w->s.log);
    scratch_remove(w->s.dir);
    remove_folder(w->audit);
    dbk_policy_destroy(w->policy);
    free(w);
    return 0;
}

static void start(struct world *w, const struct dbk_policy *policy)
{
    const struct dbk_notary_options options = {.origin = "a.example/log",
                                               .apart_ms = 10,
                                               .policy = policy,
                                               .witness_patience_ms = 1};

    assert_int_equal(
        dbk_notary_start(w->audit, w->s.log, &options, &w->notary, &w->s.err), DBK_OK);
}

static void await_signed(struct world *w)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    while (dbk_notary_await(w->notary, head_of(&w->s), PATIENCE_MS, &w->shown,
                            &w->s.err) != DBK_OK) {
        if (dbk_deadline_left(until) == 0)
            fail_msg("%s", w->s.err.text);
        dbk_sleep_ms(5); /* it has not begun yet */
    }
}

/* As the witness would. */
static void cosign(struct world *w, const struct dbk_signed_checkpoint *signed_one)
{
    struct dbk_signed_checkpoint made = *signed_one;
    char text[DBK_CHECKPOINT_TEXT + 1], line[DBK_NOTE_LINE + 1];
    struct dbk_vkey key;

    dbk_log_checkpoint_format(&made.checkpoint, text);
    dbk_note_sign(dbk_slice(text), &w->witness, 1700000000, line);
    assert_int_equal(dbk_log_checkpoint_add(&made, line, NULL), DBK_OK);
    assert_int_equal(dbk_notary_vkey(w->notary, &key, NULL), DBK_OK);
    assert_int_equal(dbk_cosigned_write(w->audit, w->policy, &key, &made, &w->s.err),
                     DBK_OK);
}

/* Until what is shown has so many records, 0: until nothing is. */
static void await_shown(struct world *w, uint64_t size)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    for (;;) {
        enum dbk_code code = dbk_notary_checkpoint(w->notary, &w->shown, &w->s.err);

        if (code == DBK_OK ? w->shown.checkpoint.size == size : size == 0)
            return;
        if (dbk_deadline_left(until) == 0)
            fail_msg("%d %s", code, w->s.err.text);
        dbk_sleep_ms(5);
    }
}

static struct dbk_notary_state await_behind(struct world *w, bool behind)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);
    struct dbk_notary_state state;

    for (;;) {
        dbk_notary_state(w->notary, &state);
        if (state.behind == behind)
            return state;
        assert_true(dbk_deadline_left(until) > 0);
        dbk_sleep_ms(5);
    }
}

static void
only_what_witnesses_have_signed_is_shown_where_they_are_asked_for(void **state)
{
    struct world *w = *state;
    struct dbk_signed_checkpoint first;
    char *proof = malloc(DBK_LOG_PROOF_TEXT + 1);
    struct dbk_notary_state now;
    size_t length;

    start(w, w->policy);
    await_signed(w);
    first = w->shown;
    assert_int_equal(dbk_notary_checkpoint(w->notary, &w->shown, &w->s.err),
                     DBK_UNAVAILABLE);
    assert_non_null(strstr(w->s.err.text, "audit cosign"));
    now = await_behind(w, true);
    assert_true(now.needs_witnesses && now.cosigned_size == 0 && now.signs);

    cosign(w, &first);
    await_shown(w, 1);
    assert_non_null(strstr(w->shown.text, "w.example"));
    assert_int_equal(await_behind(w, false).cosigned_size, 1);

    fill(&w->s, &w->person, 3);
    await_signed(w);
    assert_int_equal(w->shown.checkpoint.size, 4);
    await_shown(w, 1);
    await_behind(w, true);
    assert_int_equal(dbk_notary_proof(w->notary, 1, proof, &length, NULL), DBK_OK);
    assert_non_null(strstr(proof, "w.example"));
    assert_int_equal(dbk_notary_proof(w->notary, 4, proof, &length, NULL),
                     DBK_NOT_FOUND);
    free(proof);
}

static void a_policy_of_quorum_none_asks_for_nobody(void **state)
{
    struct world *w = *state;
    struct dbk_policy *none;

    assert_int_equal(dbk_policy_parse(dbk_slice("quorum none\n"), &none, NULL), DBK_OK);
    start(w, none);
    await_signed(w);
    await_shown(w, 1);
    dbk_notary_stop(w->notary);
    w->notary = NULL;
    dbk_policy_destroy(none);
}

static void an_alarm_of_a_witness_is_told(void **state)
{
    struct world *w = *state;
    struct dbk_witnesses some = {
        .count = 2,
        .list = {{.name = "v", .verdict = DBK_WITNESS_LATER, .why = "late"},
                 {.name = "w", .verdict = DBK_WITNESS_ROLLED_BACK, .why = "more"}}};
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);
    struct dbk_notary_state now = {.alarms = 0};

    start(w, w->policy);
    await_signed(w);
    assert_int_equal(dbk_witnesses_write(w->audit, &some, &w->s.err), DBK_OK);
    while (now.alarms == 0 && dbk_deadline_left(until) > 0) {
        dbk_notary_state(w->notary, &now);
        dbk_sleep_ms(5);
    }
    assert_int_equal(now.alarms, 1);
    assert_string_equal(now.alarm, "witness w: more");
}

static bool has_signed(const struct dbk_signed_checkpoint *checkpoint,
                       const struct dbk_vkey *key)
{
    struct dbk_log_checkpoint read;

    return dbk_log_checkpoint_open(
               (struct dbk_slice){checkpoint->text, checkpoint->length}, key, &read,
               NULL, NULL) == DBK_OK;
}

/* Until the one shown is signed by both, or by key alone. */
static void await_signed_by(struct world *w, const struct dbk_vkey *key,
                            const struct dbk_vkey *other, bool both)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    for (;;) {
        assert_int_equal(dbk_notary_checkpoint(w->notary, &w->shown, &w->s.err),
                         DBK_OK);
        if (has_signed(&w->shown, key) && has_signed(&w->shown, other) == both)
            return;
        assert_true(dbk_deadline_left(until) > 0);
        dbk_sleep_ms(5);
    }
}

static void two_keys_sign_until_the_former_is_ended(void **state)
{
    struct world *w = *state;
    struct dbk_vkey former, made, again, listed[4];
    struct dbk_audit_signers signers;
    size_t count;

    start(w, NULL);
    await_signed(w);
    assert_int_equal(dbk_notary_vkey(w->notary, &former, NULL), DBK_OK);
    assert_int_equal(dbk_audit_rotate_end(w->audit, &again, &w->s.err), DBK_NOT_FOUND);
    assert_int_equal(dbk_audit_rotate(w->audit, &made, &w->s.err), DBK_OK);
    assert_string_equal(made.name, "a.example/log");
    assert_false(dbk_vkey_equal(&made, &former));
    assert_int_equal(dbk_audit_rotate(w->audit, &again, &w->s.err), DBK_CONFLICT);
    await_signed_by(w, &made, &former, true); /* while it runs, and nothing is added */
    assert_int_equal(dbk_notary_vkey(w->notary, &again, NULL), DBK_OK);
    assert_true(dbk_vkey_equal(&again, &made));

    assert_int_equal(dbk_audit_rotate_end(w->audit, &again, &w->s.err), DBK_OK);
    assert_true(dbk_vkey_equal(&again, &former));
    assert_int_equal(dbk_audit_signers(w->audit, &signers, NULL), DBK_OK);
    assert_true(signers.count == 1 && dbk_vkey_equal(&signers.keys[0].vkey, &made));
    dbk_audit_signers_wipe(&signers);
    do { /* until it has looked */
        fill(&w->s, &w->person, 1);
        await_signed(w);
        assert_true(has_signed(&w->shown, &made));
    } while (has_signed(&w->shown, &former));
    assert_int_equal(dbk_audit_keys(w->audit, listed, 4, &count, NULL), DBK_OK);
    assert_true(count == 2 && dbk_vkey_equal(&listed[0], &former) &&
                dbk_vkey_equal(&listed[1], &made));
}

static void a_key_that_took_over_while_nothing_ran_goes_on(void **state)
{
    struct world *w = *state;
    struct dbk_vkey former, made, again;

    start(w, NULL);
    await_signed(w);
    assert_int_equal(dbk_notary_vkey(w->notary, &former, NULL), DBK_OK);
    dbk_notary_stop(w->notary);
    w->notary = NULL;
    assert_int_equal(dbk_audit_rotate(w->audit, &made, &w->s.err), DBK_OK);
    /* It has signed nothing: what was signed last would be known by no key. */
    assert_int_equal(dbk_audit_rotate_end(w->audit, &again, &w->s.err), DBK_CONFLICT);
    start(w, NULL);
    await_signed(w);
    await_signed_by(w, &made, &former, true);
    assert_int_equal(dbk_audit_rotate_end(w->audit, &again, &w->s.err), DBK_OK);
    dbk_notary_stop(w->notary);
    start(w, NULL);
    fill(&w->s, &w->person, 1);
    await_signed(w);
    await_signed_by(w, &made, &former, false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_what_witnesses_have_signed_is_shown_where_they_are_asked_for),
        TEST(a_policy_of_quorum_none_asks_for_nobody),
        TEST(an_alarm_of_a_witness_is_told),
        TEST(two_keys_sign_until_the_former_is_ended),
        TEST(a_key_that_took_over_while_nothing_ran_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
