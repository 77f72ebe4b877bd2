/* What is in doubt, or shipped and not committed, is held until it is known. */
#include "shipping_pair.h"

#include <sys/wait.h>

static void doubt_that_turns_out_to_have_landed_is_told_its_verdict(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    struct attempt attempt;

    leader->script = "L";
    attempt_start(&attempt, leader, &cluster->kate);
    wait_until_it_follows(leader);
    assert_int_equal(atomic_load(&leader->lost), 1);
    assert_int_equal(node_head(leader), 1); /* not before it is known */
    stream_open(&cluster->stream);
    node_catch_up(leader);
    dbk_log_settle(leader->s.log, true);
    pthread_join(attempt.thread, NULL);
    assert_int_equal(attempt.code, DBK_OK);
    assert_int_equal(attempt.sequence, 2);
    assert_int_equal(node_head(leader), 2);
}

static void doubt_that_did_not_land_is_told_that_nothing_was_written(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0], *other = &cluster->nodes[1];
    struct attempt attempt;
    uint64_t sequence;

    leader->script = "l";
    attempt_start(&attempt, leader, &cluster->kate);
    wait_until_it_follows(leader);
    node_lead(other); /* and appends another record in its place */
    assert_int_equal(try_event(other, &cluster->kate, &sequence, &other->s.err),
                     DBK_OK);
    node_catch_up(leader);
    dbk_log_settle(leader->s.log, true);
    pthread_join(attempt.thread, NULL);
    assert_int_equal(attempt.code, DBK_NOT_LEADER);
    check_equal(cluster);
}

static void doubt_that_nobody_can_settle_stays_one(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    struct attempt attempt;

    leader->script = "L";
    attempt_start(&attempt, leader, &cluster->kate);
    wait_until_it_follows(leader);
    dbk_log_settle(leader->s.log, false);
    pthread_join(attempt.thread, NULL);
    assert_int_equal(attempt.code, DBK_IN_DOUBT);
}

static void who_is_held_waits_no_longer_than_the_options_say(void **state)
{
    struct node short_one = {.script = "L"};
    struct dbk_uuid id = dbk_uuid_new();
    struct stream stream;

    (void)state;
    stream_init(&stream);
    node_open(&short_one, &stream, &id, 50);
    node_lead(&short_one);
    {
        struct dbk_record bob = draft_person("bob@x.mock");
        struct dbk_command *command = command_of(&bob);

        assert_int_equal(
            dbk_log_submit(short_one.s.log, &command, 1, NULL, NULL, &short_one.s.err),
            DBK_IN_DOUBT);
        dbk_command_destroy(command);
    }
    node_close(&short_one);
    stream_finish(&stream);
}

static void who_is_held_when_the_log_closes_is_in_doubt(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    struct attempt attempt;

    leader->script = "L";
    attempt_start(&attempt, leader, &cluster->kate);
    wait_until_it_follows(leader);
    dbk_log_follow(leader->s.log); /* it is held by then */
    scratch_reopen(&leader->s);
    pthread_join(attempt.thread, NULL);
    assert_int_equal(attempt.code, DBK_IN_DOUBT);
    node_catch_up(leader); /* it was there */
    assert_int_equal(node_head(leader), 2);
}

/* The commit fails, but the other copy has it: this one must not say that nothing was
 * appended, nor append something else in its place. */
static void a_commit_that_fails_after_shipping_is_in_all_the_same(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0], *other = &cluster->nodes[1];
    struct attempt attempt;

    atomic_store(&commits, "x");
    attempt_start(&attempt, leader, &cluster->kate);
    wait_until_it_follows(leader);
    assert_int_equal(atomic_load(&leader->lost), 1);
    assert_int_equal(node_head(leader), 1);
    node_catch_up(leader);
    dbk_log_settle(leader->s.log, true);
    pthread_join(attempt.thread, NULL);
    assert_int_equal(attempt.code, DBK_OK);
    assert_int_equal(attempt.sequence, 2);
    node_catch_up(other);
    check_equal(cluster);
}

static void a_commit_that_happened_after_all_leads_on(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    uint64_t sequence;

    atomic_store(&commits, "?");
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_OK);
    assert_int_equal(dbk_log_role(leader->s.log), DBK_LOG_LEADS);
    assert_int_equal(place_of(leader).next, 3);
}

static void a_log_that_cannot_be_reopened_takes_it_from_the_stream(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    struct attempt attempt;

    atomic_store(&commits, "*");
    attempt_start(&attempt, leader, &cluster->kate);
    wait_until_it_follows(leader);
    assert_int_not_equal(
        node_follow(leader, stream_end(&cluster->stream), 1, &leader->s.err), DBK_OK);
    atomic_store(&commits, NULL);
    node_catch_up(leader);
    dbk_log_settle(leader->s.log, true);
    pthread_join(attempt.thread, NULL);
    assert_int_equal(attempt.code, DBK_OK);
    assert_int_equal(node_head(leader), 2);
}

static void an_apply_whose_commit_fails_leaves_records_and_place(void **state)
{
    struct cluster *cluster = *state;
    struct node *other = &cluster->nodes[1];

    atomic_store(&commits, "x");
    assert_int_equal(node_follow(other, 2, 10, &other->s.err), DBK_IO);
    assert_int_equal(node_head(other), 0);
    assert_int_equal(place_of(other).next, 0);
    atomic_store(&commits, "?");
    assert_int_equal(node_follow(other, 2, 10, &other->s.err), DBK_OK);
    assert_int_equal(node_head(other), 1);
    assert_int_equal(place_of(other).next, 2);
}

/* Killed before it ships, and behind that: the file has records and place, or neither. */
static void killed_at_each_step_the_stream_tells(void **state)
{
    static const char *const scripts[] = {"d", "D"};
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];

    for (size_t i = 0; i < 2; i++) {
        pid_t child = fork();

        if (child == 0) { /* in a log of its own opening, for LMDB's sake */
            struct dbk_log_options options = {.map_size = (size_t)1 << 30};
            struct node second = {.stream = &cluster->stream, .script = scripts[i]};
            uint64_t sequence;

            if (dbk_log_open(leader->s.dir, &options, &second.s.log, &second.s.err))
                _exit(2);
            node_lead_on(&second);
            try_event(&second, &cluster->kate, &sequence, &second.s.err);
            _exit(3); /* it was to die */
        }
        {
            int status;

            waitpid(child, &status, 0);
            assert_int_equal(status, 0);
        }
        assert_int_equal(node_head(leader), 1);
        assert_int_equal(place_of(leader).next, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(doubt_that_turns_out_to_have_landed_is_told_its_verdict),
        TEST(doubt_that_did_not_land_is_told_that_nothing_was_written),
        TEST(doubt_that_nobody_can_settle_stays_one),
        TEST(who_is_held_waits_no_longer_than_the_options_say),
        TEST(who_is_held_when_the_log_closes_is_in_doubt),
        TEST(a_commit_that_fails_after_shipping_is_in_all_the_same),
        TEST(a_commit_that_happened_after_all_leads_on),
        TEST(a_log_that_cannot_be_reopened_takes_it_from_the_stream),
        TEST(an_apply_whose_commit_fails_leaves_records_and_place),
        TEST(killed_at_each_step_the_stream_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
