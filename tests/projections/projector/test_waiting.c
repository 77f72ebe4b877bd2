/* Who waits for the projector, and what it does while nobody does. */
#include "projector_world.h"

static uint64_t rows_of_persons(struct world *world)
{
    return scratch_number(world->pg, "select count(*) from person");
}

/* For as long as no test would wait. */
static const struct dbk_projector_options gathering = {.gather_ms = 10 * PATIENCE_MS};

/* One that gathers, with one person posted. */
static void start_gathering(struct world *world)
{
    world->projector = start_projector_with(world, &gathering);
    wait_state(world->projector, true, "following");
    submit(world, draft_create(1, "a@x.org"));
    world_catch_up(world);
}

static void what_nobody_waits_for_is_posted_all_the_same(void **state)
{
    struct world *world = *state;

    world_start(world);
    wait_state(world->projector, true, "following");
    for (uint32_t i = 1; i <= 3; i++) {
        char email[16];

        snprintf(email, sizeof email, "p%u@x.org", i);
        submit(world, draft_create(i, email));
        for (int waited = 0; rows_of_persons(world) < i; waited += 10) {
            assert_true(waited < PATIENCE_MS);
            pause_10ms();
        }
    }
}

static void who_waits_ends_the_gathering(void **state)
{
    struct world *world = *state;

    start_gathering(world);
    submit(world, draft_create(2, "b@x.org"));
    assert_int_equal(dbk_projector_wait(world->projector, 2, PATIENCE_MS, NULL),
                     DBK_OK);
    submit(world, draft_create(3, "c@x.org"));
    for (int i = 0; i < 20; i++) /* so that it is gathering */
        pause_10ms();
    assert_int_equal(dbk_projector_wait(world->projector, 3, PATIENCE_MS, NULL),
                     DBK_OK);
    assert_int_equal(rows_of_persons(world), 3);
}

static void at_the_stop_what_was_gathered_is_posted(void **state)
{
    struct world *world = *state;

    start_gathering(world);
    submit(world, draft_create(2, "b@x.org"));
    world_stop(world);
    assert_int_equal(rows_of_persons(world), 2);
}

static void while_somebody_is_tried_again_it_does_not_gather(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email <> 'poison@x.org')");
    submit(world, draft_create(2, "poison@x.org"));
    wait_quarantined(world->projector, 1);
    world_stop(world);
    scratch_script(world->pg, "alter table person drop constraint poison");
    submit(world, draft_create(3, "c@x.org"));
    world->projector = start_projector_with(world, &gathering);
    wait_state(world->projector, true, "following");
    wait_quarantined(world->projector, 0);
    assert_int_equal(rows_of_persons(world), 3);
}

static void wait_tidied(struct world *world)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        if (scratch_number(world->pg, "select count(*) from pg_stat_activity"
                                      " where application_name = 'daybook tidying'"
                                      " and datname = current_database()"
                                      " and state = 'idle' and query like '%clean%'"))
            return;
        pause_10ms();
    }
    fail_msg("not tidied");
}

static void in_a_calm_moment_the_index_of_properties_is_tidied(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    for (uint32_t i = 0; i < 1100; i++)
        submit(world, draft_record(i, 1, "{\"a\":1}"));
    world_start(world);
    world_catch_up(world);
    wait_tidied(world);
    assert_int_equal(
        scratch_number(world->pg, "select gin_clean_pending_list('event_properties')"),
        0);
}

static void waiting_is_bounded(void **state)
{
    struct world *world = *state;
    struct dbk_error err;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    assert_int_equal(dbk_projector_wait(world->projector, 2, 0, &err), DBK_TIMEOUT);
    assert_int_equal(dbk_projector_wait(world->projector, 2, 20, &err), DBK_TIMEOUT);
    assert_int_equal(dbk_projector_wait(world->projector, 1, 0, &err), DBK_OK);
}

struct waiter {
    struct world *world;
    pthread_t thread;
    uint32_t number;
    int failed;
};

/* Write, wait for it, and write again. */
static void *write_and_wait(void *argument)
{
    struct waiter *waiter = argument;

    for (uint32_t i = 0; i < 50; i++) {
        struct dbk_command *command = draft_record(waiter->number * 1000 + i, 1, "");

        if (dbk_log_submit(waiter->world->log, &command, 1, NULL, NULL, NULL) !=
                DBK_OK ||
            dbk_projector_wait(waiter->world->projector,
                               dbk_command_verdict(command)->sequence, PATIENCE_MS,
                               NULL) != DBK_OK)
            waiter->failed++;
        dbk_command_destroy(command);
    }
    return NULL;
}

static void each_of_many_waits_for_its_own_write(void **state)
{
    struct world *world = *state;
    struct waiter waiters[16];

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    for (uint32_t i = 0; i < 16; i++) {
        waiters[i] = (struct waiter){.world = world, .number = i};
        assert_int_equal(
            pthread_create(&waiters[i].thread, NULL, write_and_wait, &waiters[i]), 0);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].failed, 0);
    }
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_nobody_waits_for_is_posted_all_the_same),
        IN_A_WORLD(who_waits_ends_the_gathering),
        IN_A_WORLD(at_the_stop_what_was_gathered_is_posted),
        IN_A_WORLD(while_somebody_is_tried_again_it_does_not_gather),
        IN_A_WORLD(in_a_calm_moment_the_index_of_properties_is_tidied),
        IN_A_WORLD(waiting_is_bounded),
        IN_A_WORLD(each_of_many_waits_for_its_own_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
