#include "scratch_log.h"

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
#define DAY INT64_C(86400000000)

static struct dbk_idempotency key_of(uint8_t key, uint8_t request, dbk_timestamp keep)
{
    struct dbk_idempotency idempotency = {.keep_us = keep};

    memset(idempotency.key, key, sizeof idempotency.key);
    memset(idempotency.request, request, sizeof idempotency.request);
    return idempotency;
}

/* Submit a new event of the person under the key. */
static enum dbk_code send(struct scratch *s, const struct dbk_uuid *person,
                          struct dbk_idempotency key, bool *replayed,
                          struct dbk_verdict *verdict)
{
    struct dbk_record event = draft_event(person);
    struct dbk_command *command = command_of(&event);
    enum dbk_code code = dbk_log_submit(s->log, &command, 1, &key, replayed, &s->err);

    *verdict = *dbk_command_verdict(command);
    dbk_command_destroy(command);
    return code;
}

static void the_same_key_and_request_appends_once(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_verdict first, again;
    bool replayed;

    assert_int_equal(send(s, &kate, key_of(1, 1, DAY), &replayed, &first), DBK_OK);
    assert_false(replayed);
    assert_int_equal(first.sequence, 2);
    scratch_reopen(s);
    assert_int_equal(send(s, &kate, key_of(1, 1, DAY), &replayed, &again), DBK_OK);
    assert_true(replayed);
    assert_int_equal(again.first_sequence, 2);
    assert_int_equal(again.recorded_at, first.recorded_at);
    assert_int_equal(head_of(s), 2);
}

static void the_same_key_with_another_request_is_refused(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_verdict verdict;
    bool replayed;

    send(s, &kate, key_of(1, 1, DAY), &replayed, &verdict);
    assert_int_equal(send(s, &kate, key_of(1, 2, DAY), &replayed, &verdict),
                     DBK_KEY_REUSED);
    assert_int_equal(head_of(s), 2);
}

static void a_request_without_commands_is_held_against_its_key(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_idempotency used = key_of(1, 2, DAY), other = key_of(2, 2, DAY);
    struct dbk_verdict verdict;
    bool replayed;

    send(s, &kate, key_of(1, 1, DAY), &replayed, &verdict);
    assert_int_equal(dbk_log_submit(s->log, NULL, 0, &used, &replayed, &s->err),
                     DBK_KEY_REUSED);
    assert_int_equal(dbk_log_submit(s->log, NULL, 0, &other, &replayed, &s->err),
                     DBK_OK);
    assert_int_equal(send(s, &kate, key_of(2, 3, DAY), &replayed, &verdict), DBK_OK);
    assert_false(replayed); /* nothing was accepted, so no key was kept */
    assert_int_equal(head_of(s), 3);
}

static void a_refused_request_keeps_no_key(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid nobody = dbk_uuid_new(), kate;
    struct dbk_verdict verdict;
    bool replayed;

    assert_int_equal(send(s, &nobody, key_of(1, 1, DAY), &replayed, &verdict), DBK_OK);
    assert_int_equal(verdict.code, DBK_NOT_FOUND);
    kate = add_person(s, "kate@x.mock");
    assert_int_equal(send(s, &kate, key_of(1, 1, DAY), &replayed, &verdict), DBK_OK);
    assert_int_equal(verdict.code, DBK_OK);
    assert_false(replayed);
}

static void an_expired_key_is_new_again(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_verdict verdict;
    bool replayed;

    send(s, &kate, key_of(1, 1, 0), &replayed, &verdict);
    assert_int_equal(send(s, &kate, key_of(1, 2, DAY), &replayed, &verdict), DBK_OK);
    assert_false(replayed);
    assert_int_equal(head_of(s), 3);
}

static void other_verdicts_of_a_batch_are_told_again(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"), nobody = dbk_uuid_new();
    struct dbk_idempotency key = key_of(7, 7, DAY);
    struct dbk_record good = draft_event(&kate), bad = draft_event(&nobody);

    for (int round = 0; round < 2; round++) {
        struct dbk_command *commands[2] = {command_of(&bad), command_of(&good)};
        bool replayed;

        assert_int_equal(dbk_log_submit(s->log, commands, 2, &key, &replayed, NULL),
                         DBK_OK);
        assert_int_equal(replayed, round == 1);
        assert_int_equal(dbk_command_verdict(commands[0])->code, DBK_NOT_FOUND);
        assert_int_equal(dbk_command_verdict(commands[1])->sequence, 2);
        dbk_command_destroy(commands[0]);
        dbk_command_destroy(commands[1]);
    }
}

/* As a version before kept it: under the hash of the key alone. */
static void keep_former(struct scratch *s, const struct dbk_uuid *person, uint8_t key,
                        const char *actor)
{
    struct dbk_idempotency former = key_of(key, 1, DAY);
    struct dbk_record event = draft_event(person);
    struct dbk_command *command;

    event.actor = dbk_slice(actor);
    command = command_of(&event);
    assert_int_equal(dbk_log_submit(s->log, &command, 1, &former, &(bool){0}, NULL),
                     DBK_OK);
    dbk_command_destroy(command);
}

static struct dbk_idempotency key_with(uint8_t key, uint8_t former, uint8_t request,
                                       const char *actor)
{
    struct dbk_idempotency made = key_of(key, request, DAY);

    made.has_former = true;
    memset(made.former, former, sizeof made.former);
    made.actor = dbk_slice(actor);
    return made;
}

static void a_key_that_was_kept_before_is_its_actors(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_verdict verdict;
    bool replayed;

    keep_former(s, &kate, 1, "shop");
    assert_int_equal(send(s, &kate, key_with(2, 1, 1, "shop"), &replayed, &verdict),
                     DBK_OK);
    assert_true(replayed);
    assert_int_equal(verdict.sequence, 2);
    assert_int_equal(send(s, &kate, key_with(2, 1, 7, "shop"), &replayed, &verdict),
                     DBK_KEY_REUSED);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(send(s, &kate, key_with(3, 1, 1, "till"), &replayed, &verdict),
                         DBK_OK);
        assert_int_equal(replayed, round == 1);
        assert_int_equal(verdict.sequence, 3);
    }
    assert_int_equal(send(s, &kate, key_with(4, 1, 9, ""), &replayed, &verdict),
                     DBK_OK);
    assert_false(replayed);
    assert_int_equal(verdict.sequence, 4);
}

static void a_key_that_was_kept_before_of_nobody_is_nobodys(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_verdict verdict;
    bool replayed;

    keep_former(s, &kate, 1, "");
    send(s, &kate, key_with(2, 1, 1, "shop"), &replayed, &verdict);
    assert_false(replayed);
    send(s, &kate, key_with(3, 1, 1, ""), &replayed, &verdict);
    assert_true(replayed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_key_and_request_appends_once),
        TEST(the_same_key_with_another_request_is_refused),
        TEST(a_request_without_commands_is_held_against_its_key),
        TEST(a_refused_request_keeps_no_key),
        TEST(an_expired_key_is_new_again),
        TEST(other_verdicts_of_a_batch_are_told_again),
        TEST(a_key_that_was_kept_before_is_its_actors),
        TEST(a_key_that_was_kept_before_of_nobody_is_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
