/* The read tables are a function of the log, whatever happens on the way. */
#include "naive_fold.h"
#include "projections/migrate.h"
#include "random_commands.h"

#include <pthread.h>
#include <stdatomic.h>

/* How many records a read of the log may give the projector; 0: as many as it wants. */
static _Atomic size_t records_at_once;

enum dbk_code __real_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err);
enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err);

enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err)
{
    size_t most = records_at_once;

    return __real_dbk_log_read(log, after,
                               most && most < max_records ? most : max_records,
                               max_bytes, batch, err);
}

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

/* Those of this test's database only: other tests run beside it. */
static void kill_projectors(struct pg *pg, const char *database)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "select count(pg_terminate_backend(pid)) from pg_stat_activity"
             " where application_name = 'daybook projector' and datname = '%s'",
             database);
    scratch_number(pg, sql);
}

static void a_killed_connection_costs_nothing_but_time(void **state)
{
    struct world *world = *state;
    uint32_t seed = 7;

    world_start(world);
    for (int i = 0; i < 20; i++) {
        records_at_once = 1 + draw(&seed, 9);
        submit_random(world, &seed, 40);
        kill_projectors(world->pg, world->database.name);
    }
    records_at_once = 0;
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void let_in(struct world *world, const char *answer)
{
    char sql[128];

    snprintf(sql, sizeof sql, "alter database projector_away allow_connections %s",
             answer);
    scratch_script(world->pg, sql);
}

/* A database of its own, that can go away while the others' stays. */
static void a_database_that_goes_away_while_idle_is_missed(void **state)
{
    struct world *world = *state;
    const char *live;
    struct dbk_error err;

    scratch_script(world->pg, "drop database if exists projector_away");
    scratch_script(world->pg, "create database projector_away");
    live = world->database.name;
    world->database.name = "projector_away";
    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    let_in(world, "false");
    kill_projectors(world->pg, "projector_away");
    wait_state(world->projector, false, "projector_away");
    assert_int_equal(dbk_projector_wait(world->projector, 1, PATIENCE_MS, &err),
                     DBK_UNAVAILABLE);
    submit(world, draft_create(2, "b@x.org"));
    let_in(world, "true");
    world_catch_up(world);
    world_stop(world);
    world->database.name = live;
    scratch_script(world->pg, "drop database projector_away");
}

static void a_dropped_schema_is_made_again(void **state)
{
    struct world *world = *state;
    uint32_t seed = 8;

    submit_random(world, &seed, 200);
    world_start(world);
    world_catch_up(world);
    scratch_script(world->pg, "drop schema projector_test cascade");
    submit_random(world, &seed, 50);
    wait_state(world->projector, false, "");
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void dropped_tables_are_told_with_what_to_do(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    scratch_script(world->pg, "drop table person cascade");
    submit(world, draft_create(2, "b@x.org"));
    wait_state(world->projector, false, "run daybook rebuild");
    scratch_script(world->pg, "drop schema projector_test cascade");
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void look_for_advice(void *context, const char *line)
{
    if (strstr(line, "run daybook rebuild") || strstr(line, "was dropped"))
        *(_Atomic bool *)context = true;
}

/* They are made again by themselves, so nobody is told to do something. */
static void migrated_down_they_come_back_without_advice(void **state)
{
    struct world *world = *state;
    _Atomic bool advised = false;
    const struct dbk_projector_options options = {.report = look_for_advice,
                                                  .report_context = &advised};
    struct dbk_error err;

    submit(world, draft_create(1, "a@x.org"));
    assert_int_equal(dbk_projector_start(world->log, &world->database, &options,
                                         &world->projector, &err),
                     DBK_OK);
    world_catch_up(world);
    assert_int_equal(dbk_migrate_down(&world->database, 99, NULL, NULL, &err), DBK_OK);
    submit(world, draft_create(2, "b@x.org"));
    world_catch_up(world);
    assert_tables_equal_the_log(world);
    world_stop(world);
    assert_false(advised);
}

static void tables_of_another_log_are_left_alone(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    scratch_script(world->pg, "update checkpoint set store_id = gen_random_uuid()");
    submit(world, draft_create(2, "b@x.org"));
    world_start(world);
    wait_state(world->projector, false, "another log");
    assert_int_equal(dbk_projector_wait(world->projector, 1, 60000, NULL),
                     DBK_UNAVAILABLE);
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 1);
}

static void a_checkpoint_past_the_end_stops_projection(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    scratch_script(world->pg, "update checkpoint set sequence = 1000");
    world_start(world);
    wait_state(world->projector, false, "the log ends at 1");
}

static void rows_without_a_checkpoint_are_left_alone(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    scratch_script(world->pg, "delete from checkpoint");
    world_start(world);
    wait_state(world->projector, false, "no checkpoint");
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

static int make_world(void **state)
{
    records_at_once = 0;
    *state = world_make("projector_test");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(any_commands_in_any_batches_end_as_the_log_says),
        IN_A_WORLD(a_long_log_is_posted_in_large_batches),
        IN_A_WORLD(what_nobody_waits_for_is_posted_all_the_same),
        IN_A_WORLD(who_waits_ends_the_gathering),
        IN_A_WORLD(at_the_stop_what_was_gathered_is_posted),
        IN_A_WORLD(while_somebody_is_tried_again_it_does_not_gather),
        IN_A_WORLD(in_a_calm_moment_the_index_of_properties_is_tidied),
        IN_A_WORLD(emails_change_hands_within_a_batch),
        IN_A_WORLD(what_was_posted_is_not_posted_again),
        IN_A_WORLD(a_killed_connection_costs_nothing_but_time),
        IN_A_WORLD(a_database_that_goes_away_while_idle_is_missed),
        IN_A_WORLD(a_dropped_schema_is_made_again),
        IN_A_WORLD(dropped_tables_are_told_with_what_to_do),
        IN_A_WORLD(migrated_down_they_come_back_without_advice),
        IN_A_WORLD(tables_of_another_log_are_left_alone),
        IN_A_WORLD(a_checkpoint_past_the_end_stops_projection),
        IN_A_WORLD(rows_without_a_checkpoint_are_left_alone),
        IN_A_WORLD(of_two_projectors_the_second_goes_on_where_the_first_ends),
        IN_A_WORLD(waiting_is_bounded),
        IN_A_WORLD(each_of_many_waits_for_its_own_write),
        IN_A_WORLD(the_tables_can_be_asked_without_a_projector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
