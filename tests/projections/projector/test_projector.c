/* The read tables are a function of the log, whatever happens on the way. */
#include "projector_world.h"

static void any_commands_in_any_batches_end_as_the_log_says(void **state)
{
    struct world *world = *state;

    world_start(world);
    for (uint32_t seed = 1; seed <= 12; seed++) {
        uint32_t drawn = seed;

        records_at_once = seed % 4 == 0 ? 0 : seed * 3;
        submit_random(world, &drawn, 200);
        world_catch_up(world);
        assert_tables_equal_the_log(world);
    }
    wait_quarantined(world->projector, 0);
}

static void a_long_log_is_posted_in_large_batches(void **state)
{
    struct world *world = *state;
    uint32_t seed = 99;

    submit_random(world, &seed, 3000);
    world_start(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
    wait_quarantined(world->projector, 0);
}

static void emails_change_hands_within_a_batch(void **state)
{
    struct world *world = *state;
    struct dbk_command *commands[] = {
        draft_create(1, "a@x.org"), draft_create(2, "b@x.org"),
        draft_create(3, "c@x.org"), draft_email(1, "free@x.org"),
        draft_email(2, "a@x.org"),  draft_email(3, "b@x.org"),
        draft_email(1, "c@x.org"),  draft_delete(2),
        draft_create(4, "A@x.org"),
    };

    submit(world, draft_create(9, "z@x.org"));
    world_start(world);
    world_catch_up(world);
    submit_all(world, commands, sizeof commands / sizeof commands[0]);
    world_catch_up(world);
    commands[0] = draft_email(1, "free@x.org");
    commands[1] = draft_email(3, "c@x.org");
    commands[2] = draft_email(1, "b@x.org");
    submit_all(world, commands, 3);
    world_catch_up(world);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void what_was_posted_is_not_posted_again(void **state)
{
    struct world *world = *state;
    uint32_t seed = 5;

    for (int i = 0; i < 5; i++) {
        submit_random(world, &seed, 60);
        world_start(world);
        if (i % 2 == 0)
            world_catch_up(world);
        world_stop(world);
    }
    world_start(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void of_two_projectors_the_second_goes_on_where_the_first_ends(void **state)
{
    struct world *world = *state;
    uint32_t seed = 21;

    world_start(world);
    wait_state(world->projector, true, "");
    world->second = start_projector(world);
    wait_state(world->second, false, "held");
    for (int i = 0; i < 40; i++) {
        records_at_once = 1 + draw(&seed, 5);
        submit_random(world, &seed, 40);
        if (i == 20)
            world_stop(world);
    }
    wait_posted(world->second, world_head(world));
    assert_tables_equal_the_log(world);
    wait_quarantined(world->second, 0);
}

static void the_tables_can_be_asked_without_a_projector(void **state)
{
    struct world *world = *state;
    struct dbk_uuid store_id = dbk_log_store_id(world->log);
    struct dbk_tables_state checkpoint;
    struct dbk_database nowhere = {.host = "/nonexistent"};
    struct dbk_error err;

    assert_int_equal(dbk_tables_read(&world->database, &checkpoint, &err),
                     DBK_NOT_FOUND);
    assert_int_equal(dbk_tables_read(&nowhere, &checkpoint, &err), DBK_UNAVAILABLE);
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_record(1, 1, ""));
    world_start(world);
    world_catch_up(world);
    assert_int_equal(dbk_tables_read(&world->database, &checkpoint, &err), DBK_OK);
    assert_true(dbk_uuid_equal(&checkpoint.store_id, &store_id));
    assert_int_equal(checkpoint.projected, 2);
    assert_int_equal(checkpoint.persons, 1);
    assert_int_equal(checkpoint.events, 1);
    assert_int_equal(checkpoint.quarantined, 0);
    assert_true(checkpoint.table_bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(any_commands_in_any_batches_end_as_the_log_says),
        IN_A_WORLD(a_long_log_is_posted_in_large_batches),
        IN_A_WORLD(emails_change_hands_within_a_batch),
        IN_A_WORLD(what_was_posted_is_not_posted_again),
        IN_A_WORLD(of_two_projectors_the_second_goes_on_where_the_first_ends),
        IN_A_WORLD(the_tables_can_be_asked_without_a_projector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
